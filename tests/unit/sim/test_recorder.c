/* SPDX-License-Identifier: Apache-2.0 */
/* What a watched vCPU tells: each instruction with what it wrote, events before it, nothing twice.
 */
#include "tests/unit/sim/kvm_rig.h"
#include "traces/record.h"

#define ROOM (8 * LS_TRACE_RECORD_MAX)

static uint64_t words[ROOM];
static const uint64_t *next;
static struct ls_trace_sink sink;

static void no_room(struct ls_trace_sink *full)
{
	(void)full;
	CU_FAIL_FATAL("more records than there is room for");
}

/* Runs until HLT with a sink for @events; the records are in words. */
static void run_watched(struct kvm_rig *rig, uint64_t events)
{
	sink = (struct ls_trace_sink){
		.events = events, .at = words, .end = words + ROOM, .full = no_room};
	next = words;
	CHECK_EQUAL(rig->engine->ext->vcpu_trace(rig->engine, rig->vcpu, &sink), 0);
	CHECK_EQUAL(kvm_run(rig), KVM_EXIT_HLT);
	CHECK_EQUAL(rig->engine->ext->vcpu_trace(rig->engine, rig->vcpu, NULL), 0);
}

static const uint64_t *next_record(unsigned int event)
{
	const uint64_t *record = next;

	CU_ASSERT_TRUE_FATAL(record < sink.at);
	CHECK_EQUAL(LS_TRACE_EVENT(record[0]), event);
	next += LS_TRACE_WORDS(record[0]);
	return record;
}

static struct trace_instruction next_instruction(uint64_t rip, unsigned int length)
{
	const uint64_t *record = next_record(TRACE_INSTRUCTION);
	struct trace_instruction insn;

	trace_instruction_parse(record, &insn);
	CHECK_EQUAL(insn.rip, rip);
	CHECK_EQUAL(insn.length, length);
	CHECK_EQUAL(LS_TRACE_FLAGS(record[0]), length ? LS_TRACE_RETIRED : 0);
	return insn;
}

/* The only thing that @insn changed is a register. */
static void expect_register(struct trace_instruction insn, unsigned int number, uint64_t value)
{
	CHECK_EQUAL(insn.changed, 1u << number);
	CHECK_EQUAL(insn.values[0], value);
	CHECK_EQUAL(insn.states + insn.stores, 0);
}

static void expect_store(struct trace_instruction insn, uint64_t address, uint64_t size,
			 uint64_t value)
{
	CHECK_EQUAL(insn.stores, 1);
	CHECK_EQUAL(insn.store[0], address);
	CHECK_EQUAL(insn.store[1], size);
	CHECK_EQUAL(insn.store[2], value);
}

static void test_instructions(void)
{
	struct trace_instruction insn;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xb8, 0x34, 0x12, /* mov ax, 0x1234 */
		 0xa3, 0x00, 0x20,             /* mov [0x2000], ax */
		 0x31, 0xc0,                   /* xor ax, ax: ZF and PF */
		 0x50,                         /* push ax */
		 0x8e, 0xd8,                   /* mov ds, ax: as it was */
		 0xf4);                        /* hlt */
	run_watched(&rig, 1 << TRACE_INSTRUCTION);
	insn = next_instruction(0, 0); /* the state at the start */
	CU_ASSERT_TRUE(insn.changed & 1 << 4);
	expect_register(next_instruction(CODE, 3), 0, 0x1234);
	insn = next_instruction(CODE + 3, 3);
	CHECK_EQUAL(insn.changed, 0);
	expect_store(insn, 0x2000, 2, 0x1234);
	insn = next_instruction(CODE + 6, 2);
	CHECK_EQUAL(insn.changed, 1u | 1u << LS_TRACE_RFLAGS);
	CHECK_EQUAL(insn.values[0], 0);
	CHECK_EQUAL(insn.values[1], 0x46);
	insn = next_instruction(CODE + 8, 1);
	CHECK_EQUAL(insn.changed, 1u << 4);
	CHECK_EQUAL(insn.values[0], STACK - 2);
	expect_store(insn, STACK - 2, 2, 0);
	next_instruction(CODE + 9, 2);
	next_instruction(CODE + 11, 1);
	CU_ASSERT_TRUE(next == sink.at);
	kvm_close(&rig);
}

/* Elements that lie behind each other are one store. */
static void test_rep(void)
{
	struct trace_instruction insn;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0xb0, 0x5a, /* mov al, 0x5a */
		 0xb9, 0x05, 0x00,       /* mov cx, 5 */
		 0xbf, 0x00, 0x30,       /* mov di, 0x3000 */
		 0xf3, 0xaa,             /* rep stosb */
		 0xf4);
	run_watched(&rig, 1 << TRACE_INSTRUCTION);
	next_instruction(0, 0);
	next_instruction(CODE, 2);
	next_instruction(CODE + 2, 3);
	next_instruction(CODE + 5, 3);
	insn = next_instruction(CODE + 8, 2);
	CHECK_EQUAL(insn.changed, 1u << 1 | 1u << 7); /* CX and DI */
	CHECK_EQUAL(insn.values[0], 0);
	CHECK_EQUAL(insn.values[1], 0x3005);
	expect_store(insn, 0x3000, 5, 0x5a5a5a5a5a);
	kvm_close(&rig);
}

/* #UD: the instruction leaves no record, its delivery one of what it pushed (SDM 3A:20.1.4). */
static void test_exception(void)
{
	struct trace_instruction insn;
	const uint64_t *record;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x90, 0x0f, 0x0b);
	kvm_code(&rig, 4 * 6, 0x00, 0x40, 0x00, 0x00);
	kvm_code(&rig, 0x4000, 0xf4);
	run_watched(&rig, 1 << TRACE_INSTRUCTION | 1 << TRACE_EXCEPTION);
	next_instruction(0, 0);
	next_instruction(CODE, 1);
	record = next_record(TRACE_EXCEPTION);
	CHECK_EQUAL(record[1], 1);
	CHECK_EQUAL(record[2], 6);
	CHECK_EQUAL(record[5], CODE + 1);
	insn = next_instruction(0, 0);
	CHECK_EQUAL(insn.changed, 1u << 4);
	CHECK_EQUAL(insn.values[0], STACK - 6);
	CHECK_EQUAL(insn.stores, 3); /* FLAGS, CS, IP */
	CHECK_EQUAL(insn.store[0], STACK - 2);
	next_instruction(0x4000, 1);
	CU_ASSERT_TRUE(next == sink.at);
	kvm_close(&rig);
}

/* Events come before the instruction that they belong to, with its count. */
static void test_events(void)
{
	const uint64_t *record;
	struct kvm_rig rig;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, /* mov ecx, IA32_EFER */
		 0x0f, 0x32,                                     /* rdmsr */
		 0x0f, 0x20, 0xc3,                               /* mov ebx, cr0 */
		 0x66, 0xa1, 0x00, 0x20,                         /* mov eax, [0x2000] */
		 0xf4);
	rig.memory[0x2001] = 0x77;
	run_watched(&rig, 1 << TRACE_INSTRUCTION | 1 << TRACE_MSR_ACCESS | 1 << TRACE_CR_ACCESS |
				  1 << TRACE_MEMORY_ACCESS);
	next_instruction(0, 0);
	next_instruction(CODE, 6);
	record = next_record(TRACE_MSR_ACCESS);
	CHECK_EQUAL(record[1], 1);
	CHECK_EQUAL(record[2], 0xc0000080);
	next_instruction(CODE + 6, 2);
	record = next_record(TRACE_CR_ACCESS);
	CHECK_EQUAL(record[1], 2);
	CHECK_EQUAL(record[4], 0x60000010); /* SDM 3A:9.1.1, table 9-1 */
	next_instruction(CODE + 8, 3);
	record = next_record(TRACE_MEMORY_ACCESS);
	CHECK_EQUAL(record[2], 0x2000);
	CHECK_EQUAL(record[3], 0x2000);
	CHECK_EQUAL(record[4], 4);
	CHECK_EQUAL(record[5], 0);
	CHECK_EQUAL(record[6], 0x7700);
	expect_register(next_instruction(CODE + 11, 4), 0, 0x7700);
	kvm_close(&rig);
}

/* Nobody watches any more: nothing is written, and code that was recorded runs as ever. */
static void test_end(void)
{
	struct kvm_rig rig;
	uint64_t *at;

	kvm_open(&rig, "intel", false);
	kvm_code(&rig, CODE, 0x40, 0xf4); /* inc ax; hlt */
	run_watched(&rig, UINT64_MAX);
	at = sink.at;
	kvm_set_rip(&rig, CODE);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rax, 2);
	CU_ASSERT_TRUE(sink.at == at);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"instructions, registers, stores", test_instructions},
	{"a repeated instruction", test_rep},
	{"an exception", test_exception},
	{"events of an instruction", test_events},
	{"the end of watching", test_end},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("recorder", tests)
