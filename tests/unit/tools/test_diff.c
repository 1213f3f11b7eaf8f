/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep diff finds one wrong instruction among right ones. The engine under test is sim with one
 * seeded fault: what an instruction left is changed before anybody sees it. The comparison has to
 * stop exactly there, for a lost interrupt where it was due.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include <lockstep/extension.h>

#include "tests/unit/check.h"
#include "tests/unit/tools/diff_guest.h"
#include "tools/diff/compare.h"
#include "tools/diff/engines.h"
#include "tools/diff/expected/expected.h"
#include "tools/diff/expected/quirks.h"
#include "tools/diff/suite.h"

enum kind { WRONG_FLAG, MISSING_ACCESSED, WRONG_ERROR_CODE, LOST_INTERRUPT, WRONG_BYTE, KINDS };

#define ZF         0x40u
#define ENTRY_A    0x20u
#define HANDLER_PF 14
/* A delivery and the first instruction of its handler are one step: a push. */
#define PUSHED 4

/* The one fault of a comparison, and what it needs to know of the run. */
static struct {
	enum kind kind;
	unsigned int after; /* chances to let pass */
	bool done, twice;   /* twice: a second run, in which it is done already, may follow */
	bool bare;          /* of an unusable segment register only P = 0 is told */
	unsigned int bared;
	uint64_t exits; /* that were shown */
	uint64_t at;    /* which of them shows the fault */
	uint8_t *memory;
	uint64_t memory_size;
	uint8_t *before; /* memory at the step before */
	struct kvm_regs last;
} fault;

static struct ls_engine_ops faulty;

static void written(struct ls_engine *engine, int vm, uint64_t gpa, uint64_t len)
{
	engine->ext->memory_written(engine, vm, gpa, len);
}

static uint32_t word_at(uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, fault.memory + gpa, sizeof(value));
	return value;
}

static uint32_t handler_of(struct ls_engine *engine, int vcpu, unsigned int vector)
{
	struct kvm_sregs sregs;
	uint32_t low, high;

	ls_engine_sim.ioctl(engine, vcpu, KVM_GET_SREGS, (unsigned long)&sregs);
	low = word_at(sregs.idt.base + vector * 8);
	high = word_at(sregs.idt.base + vector * 8 + 4);
	return (low & 0xffff) | (high & 0xffff0000);
}

static bool wrong_flag(struct ls_engine *engine, int vcpu, struct kvm_regs *regs)
{
	regs->rflags ^= ZF;
	ls_engine_sim.ioctl(engine, vcpu, KVM_SET_REGS, (unsigned long)regs);
	return true;
}

/* An accessed bit in one of the guest's two tables that was not there a step before. */
static bool missing_accessed(struct ls_engine *engine, int vm)
{
	for (uint64_t at = DIFF_GUEST_TABLES; at < DIFF_GUEST_TABLES + 0x2000; at += 4)
		if (fault.memory[at] & ~fault.before[at] & ENTRY_A) {
			fault.memory[at] &= (uint8_t)~ENTRY_A;
			written(engine, vm, at, 1);
			return true;
		}
	return false;
}

static bool wrong_error_code(struct ls_engine *engine, int vm, int vcpu,
			     const struct kvm_regs *regs)
{
	uint64_t at = regs->rsp + PUSHED;

	if (regs->rip != handler_of(engine, vcpu, HANDLER_PF) + 1)
		return false;
	fault.memory[at] ^= 4;
	written(engine, vm, at, 4);
	return true;
}

/* The frame on the stack is what the processor would have gone on with. */
static bool lost_interrupt(struct ls_engine *engine, int vcpu, struct kvm_regs *regs)
{
	uint64_t at = regs->rsp + PUSHED;

	if (regs->rip != handler_of(engine, vcpu, DIFF_GUEST_VECTOR) + 1)
		return false;
	regs->rip = word_at(at);
	regs->rflags = word_at(at + 8);
	regs->rsp = at + 12;
	ls_engine_sim.ioctl(engine, vcpu, KVM_SET_REGS, (unsigned long)regs);
	return true;
}

/* Of a push: its lowest byte went to the one above. */
static bool wrong_byte(struct ls_engine *engine, int vm, const struct kvm_regs *regs)
{
	uint64_t at = regs->rsp;

	if (fault.last.rsp != at + 4 || fault.memory[at] == fault.before[at])
		return false;
	fault.memory[at + 1] = fault.memory[at];
	fault.memory[at] = fault.before[at];
	written(engine, vm, at, 2);
	return true;
}

static bool fault_inject(struct ls_engine *engine, int vm, int vcpu, struct kvm_regs *regs)
{
	switch (fault.kind) {
	case WRONG_FLAG:
		return wrong_flag(engine, vcpu, regs);
	case MISSING_ACCESSED:
		return missing_accessed(engine, vm);
	case WRONG_ERROR_CODE:
		return wrong_error_code(engine, vm, vcpu, regs);
	case LOST_INTERRUPT:
		return lost_interrupt(engine, vcpu, regs);
	default:
		return wrong_byte(engine, vm, regs);
	}
}

/* After each step: is it the one? Chances are counted by whether the fault could be made. */
static void fault_look(struct ls_engine *engine, int vm, int vcpu)
{
	struct kvm_regs regs;

	ls_engine_sim.ioctl(engine, vcpu, KVM_GET_REGS, (unsigned long)&regs);
	if (!fault.done && fault.after)
		fault.after--;
	else if (!fault.done && fault_inject(engine, vm, vcpu, &regs)) {
		fault.done = true;
		fault.at = fault.exits;
	}
	ls_engine_sim.ioctl(engine, vcpu, KVM_GET_REGS, (unsigned long)&fault.last);
	memcpy(fault.before, fault.memory, fault.memory_size);
}

static void bare_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment *const segments[] = {&sregs->cs, &sregs->ds, &sregs->es, &sregs->fs,
						&sregs->gs, &sregs->ss, &sregs->ldt};

	for (size_t i = 0; i < G_N_ELEMENTS(segments); i++)
		if (segments[i]->unusable) {
			segments[i]->unusable = segments[i]->present = 0;
			fault.bared++;
		}
}

static int faulty_ioctl(struct ls_engine *engine, int handle, unsigned long request,
			unsigned long arg)
{
	static int vm;
	/* Registers are changed behind a run, which would have left them in struct kvm_run. */
	bool synced = request == KVM_CHECK_EXTENSION && arg == KVM_CAP_SYNC_REGS;
	int ret = synced ? 0 : ls_engine_sim.ioctl(engine, handle, request, arg);
	const struct kvm_userspace_memory_region *slot = (const void *)arg;
	const struct kvm_run *run;

	if (request == KVM_CREATE_VM)
		vm = ret;
	if (request == KVM_SET_USER_MEMORY_REGION && !slot->guest_phys_addr) {
		fault.memory = (uint8_t *)(uintptr_t)slot->userspace_addr;
		fault.memory_size = slot->memory_size;
		fault.before = g_realloc(fault.before, fault.memory_size);
	}
	if (request == KVM_GET_SREGS && fault.bare)
		bare_segments((void *)arg);
	if (request != KVM_RUN || ret < 0)
		return ret;
	run = ls_engine_sim.mmap(engine, handle);
	if (run->exit_reason == KVM_EXIT_DEBUG)
		fault_look(engine, vm, handle);
	fault.exits += run->exit_reason == KVM_EXIT_DEBUG || run->exit_reason == KVM_EXIT_IO ||
		       run->exit_reason == KVM_EXIT_MMIO;
	return ret;
}

/* The sim engine's own object, as the extension wants it, entered through another door. */
static struct ls_engine *faulty_open(struct ls_error *err)
{
	struct ls_engine *engine = ls_engine_sim.open(err);

	if (engine)
		engine->ops = &faulty;
	return engine;
}

static void make_faulty(void)
{
	faulty = ls_engine_sim;
	faulty.name = "faulty";
	faulty.open = faulty_open;
	faulty.ioctl = faulty_ioctl;
}

static struct diff_options faulty_options(uint64_t memory)
{
	return (struct diff_options){
		.engine = {&ls_engine_sim, &faulty},
		.cpu = (char *)"intel",
		.memory = memory,
		.seconds = 20,
		.command = (char *)"",
	};
}

static struct diff_result *compare_options(const struct diff_options *options,
					   const struct diff_case *test, enum kind kind,
					   unsigned int after)
{
	g_autofree bool *expected = g_new0(bool, expected_count + 1);
	g_autofree bool *quirk = g_new0(bool, quirk_count + 1);
	const struct diff_used used = {expected, quirk};

	fault.kind = kind;
	fault.after = after;
	fault.done = false;
	fault.exits = 0;
	return fault.twice ? diff_compare_steadily(options, test, &used)
			   : diff_compare(options, test, &used);
}

static struct diff_result *compare_with(enum kind kind, unsigned int after, char *image)
{
	static struct diff_case test = {.name = (char *)"guest", .vcpus = 1};
	struct diff_options options = faulty_options(2 << 20);

	test.image = image;
	options.step = true;
	return compare_options(&options, &test, kind, after);
}

static char *guest_image(void)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("guest-XXXXXX", &path, NULL);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(write(fd, diff_guest_start, diff_guest_size()),
			      (ssize_t)diff_guest_size());
	close(fd);
	return g_steal_pointer(&path);
}

static void found_at_its_first_instruction(void)
{
	g_autofree char *image = guest_image();
	g_autoptr(GRand) seeded = g_rand_new_with_seed(20);

	make_faulty();
	for (unsigned int n = 0; n < 20; n++) {
		enum kind kind = (enum kind)(n % KINDS);
		unsigned int after = (unsigned int)g_rand_int_range(seeded, 30, 230);
		struct diff_result *result = compare_with(kind, after, image);

		CU_ASSERT_TRUE(fault.done);
		CU_ASSERT_EQUAL(result->verdict, DIFF_DIFFERENT);
		CU_ASSERT_EQUAL(result->events, fault.at + 1);
		CU_ASSERT_PTR_NOT_NULL(result->rule);
		if (kind == WRONG_ERROR_CODE)
			CU_ASSERT_PTR_NOT_NULL(strstr(result->rule, "#PF (SDM 3A:6.15"));
		if (!fault.done || result->events != fault.at + 1)
			printf("kind %d after %u: event %llu, wanted %llu: %s\n", (int)kind, after,
			       (unsigned long long)result->events, (unsigned long long)fault.at + 1,
			       result->text);
		diff_result_free(result);
	}
	unlink(image);
	g_clear_pointer(&fault.before, g_free);
}

static void equal_without_fault(void)
{
	g_autofree char *image = guest_image();
	struct diff_result *result;

	make_faulty();
	result = compare_with(WRONG_FLAG, 1u << 30, image);
	CU_ASSERT_EQUAL(result->verdict, DIFF_EQUAL);
	CU_ASSERT_TRUE(result->events > 200);
	if (result->verdict != DIFF_EQUAL)
		printf("%s\n", result->text);
	diff_result_free(result);
	unlink(image);
}

/* The host's own processor finds it, too: here the reference has the fault. */
static void native_finds_it(void)
{
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	struct diff_options options = {
		.engine = {&faulty, &ls_engine_native},
		.cpu = (char *)diff_cpu_choose(&ls_engine_native),
		.memory = 4 << 20,
		.step = true,
		.seconds = 20,
		.command = (char *)"",
	};
	struct ls_error err = {0};
	struct ls_engine *engine = ls_engine_native.open(&err);

	if (!engine) {
		printf("SKIP: %s\n", err.text);
		return;
	}
	engine->ops->close(engine, LS_SYSTEM);
	make_faulty();
	CU_ASSERT_EQUAL(suite_load(cases, &err), 0);
	for (guint i = 0; i < cases->len; i++) {
		const struct diff_case *test = g_ptr_array_index(cases, i);

		for (unsigned int after = 0; !strcmp(test->name, "u_add_sub_flags") && after < 6;
		     after++) {
			struct diff_result *result =
				compare_options(&options, test, WRONG_FLAG, after);

			CU_ASSERT_EQUAL(result->verdict, DIFF_DIFFERENT);
			CU_ASSERT_EQUAL(result->events, fault.at + 1);
			CU_ASSERT_EQUAL(result->events, after + 1);
			CU_ASSERT_PTR_NOT_NULL(result->rule);
			diff_result_free(result);
		}
	}
	g_clear_pointer(&fault.before, g_free);
}

/* What a second run does not show is different all the same. */
static void one_run_is_enough(void)
{
	g_autofree char *image = guest_image();
	struct diff_result *result;

	make_faulty();
	fault.twice = true;
	result = compare_with(WRONG_FLAG, 40, image);
	fault.twice = false;
	CU_ASSERT_EQUAL(result->verdict, DIFF_DIFFERENT);
	CU_ASSERT_TRUE(result->unsteady);
	diff_result_free(result);
	unlink(image);
}

/* Each row of expected.def and quirks.def is for a case that there is. */
static void rows_name_cases(void)
{
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	struct ls_error err = {0};

	CU_ASSERT_EQUAL(suite_load(cases, &err), 0);
	for (guint i = 0; i < cases->len; i++)
		g_hash_table_add(names, ((struct diff_case *)g_ptr_array_index(cases, i))->name);
	for (unsigned int i = 0; i < expected_count; i++)
		CU_ASSERT_TRUE(g_hash_table_contains(names, expected_rows[i].test));
	for (unsigned int i = 0; i < quirk_count; i++)
		CU_ASSERT_TRUE(g_hash_table_contains(names, quirk_rows[i].test));
}

/* SDM 3C:27.3.1.2: of a usable segment register P is 1. */
static void not_present_is_unusable(void)
{
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	struct diff_options options = faulty_options(4 << 20);
	struct ls_error err = {0};
	struct diff_result *result;

	make_faulty();
	CU_ASSERT_EQUAL_FATAL(suite_load(cases, &err), 0);
	fault.bare = true;
	for (guint i = 0; i < cases->len; i++) {
		const struct diff_case *test = g_ptr_array_index(cases, i);

		if (strcmp(test->name, "u_read_absent") != 0)
			continue;
		result = compare_options(&options, test, WRONG_FLAG, 1u << 30);
		CU_ASSERT_EQUAL(result->verdict, DIFF_EQUAL);
		CU_ASSERT_TRUE(fault.bared > 0);
		diff_result_free(result);
	}
	fault.bare = false;
	CU_ASSERT_TRUE(fault.bared > 0);
}

/* Both sides end it alike, and it has shown nothing. */
static void unknown_case_is_none(void)
{
	g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)diff_case_free);
	struct diff_options options = faulty_options(4 << 20);
	struct ls_error err = {0};
	struct diff_result *result;
	struct diff_case test;

	make_faulty();
	CU_ASSERT_EQUAL_FATAL(suite_load(cases, &err), 0);
	test = *(const struct diff_case *)g_ptr_array_index(cases, 0);
	test.append = (char *)"no_such_case";
	result = compare_options(&options, &test, WRONG_FLAG, 1u << 30);
	CU_ASSERT_EQUAL(result->verdict, DIFF_FAILED);
	diff_result_free(result);
}

static CU_TestInfo tests[] = {
	{"a segment that is not present is unusable", not_present_is_unusable},
	{"a case that the image does not know is none", unknown_case_is_none},
	{"a difference in one of two runs is one", one_run_is_enough},
	{"rows are for cases that there are", rows_name_cases},
	{"an engine is equal to itself", equal_without_fault},
	{"one wrong instruction is found where it is", found_at_its_first_instruction},
	{"the host's processor finds it", native_finds_it},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: the comparison of two engines", tests)
