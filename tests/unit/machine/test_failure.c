/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a vCPU that an engine could not run (api.rst 5, KVM_EXIT_FAIL_ENTRY and
 * KVM_EXIT_INTERNAL_ERROR), and what the checks of VM entry make of it. */
#include "fake_engine.h"
#include "machine/failure.h"
#include "machine/internal.h"
#include "tests/unit/check.h"

struct told {
	unsigned int calls;
	struct machine_failure failure;
	char *verdict;
};

static void take(void *opaque, const struct machine_failure *failure)
{
	struct ls_engine *sim = ls_engine_sim.open(NULL);
	struct told *told = opaque;

	told->calls++;
	told->failure = *failure;
	told->verdict = sim->ext->explain(sim, NULL, failure->state, strlen(failure->state), NULL);
	sim->ops->close(sim, LS_SYSTEM);
}

static struct kvm_segment flat(uint8_t type, bool code)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = 8,
				    .type = type,
				    .present = 1,
				    .s = 1,
				    .l = code,
				    .db = !code,
				    .g = 1};
}

/* 64-bit mode with everything in order. */
static void set_state(struct fake_vcpu *vcpu)
{
	vcpu->sregs.cs = flat(11, true);
	vcpu->sregs.ss = vcpu->sregs.ds = vcpu->sregs.es = vcpu->sregs.fs = vcpu->sregs.gs =
		flat(3, false);
	vcpu->sregs.tr =
		(struct kvm_segment){.limit = 0x67, .selector = 16, .type = 11, .present = 1};
	vcpu->sregs.ldt = (struct kvm_segment){.unusable = 1};
	vcpu->sregs.cr0 = 0x80010031;
	vcpu->sregs.cr4 = 0x20;
	vcpu->sregs.efer = 0x500;
	vcpu->regs.rip = 0x1000;
	vcpu->regs.rflags = 2;
}

static int refuse(struct fake_engine *fake, unsigned int index)
{
	struct kvm_run *run = (struct kvm_run *)fake->vcpus[index]->run;

	set_state(fake->vcpus[index]);
	fake->vcpus[index]->regs.rflags = 0; /* bit 1 must be 1: SDM 3C:27.3.1.4 */
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	return 0;
}

static int give_up(struct fake_engine *fake, unsigned int index)
{
	struct kvm_run *run = (struct kvm_run *)fake->vcpus[index]->run;

	set_state(fake->vcpus[index]);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 4;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = 2;
	run->emulation_failure.insn_bytes[0] = 0x0f;
	run->emulation_failure.insn_bytes[1] = 0x0b;
	return 0;
}

static void run(int (*on_run)(struct fake_engine *, unsigned int), struct told *told)
{
	struct machine_config config = fake_config();
	struct machine_result result;
	struct machine *machine;

	config.failed = take;
	config.failed_opaque = told;
	machine = machine_create(&config, NULL);
	fake_of(machine)->on_run = on_run;
	CHECK_EQUAL(machine_run(machine, &result, NULL), 0);
	CHECK_EQUAL(result.end, MACHINE_END_ERROR);
	machine_destroy(machine);
	CHECK_EQUAL(told->calls, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(told->verdict);
}

static void test_refused_entry(void)
{
	struct told told = {0};

	run(refuse, &told);
	CHECK_ROW(strstr(told.verdict, "guest_rflags_reserved: SDM 3C:27.3.1.4"), "verdict: %s",
		  told.verdict);
	CHECK_ROW(strstr(told.verdict, "failed: 1,"), "more than one: %s", told.verdict);
	/* What KVM's calls do not show is named. */
	CHECK_ROW(strstr(told.verdict, "for want of") && strstr(told.verdict, "VM-entry controls"),
		  "nothing of what is missing: %s", told.verdict);
	free(told.verdict);
}

static void test_emulation(void)
{
	struct told told = {0};

	run(give_up, &told);
	CHECK_EQUAL(told.failure.rip, 0x1000);
	CHECK_EQUAL(told.failure.code_bits, 64);
	CHECK_EQUAL(told.failure.code_size, 2);
	CHECK_EQUAL(told.failure.code[1], 0x0b);
	CHECK_ROW(strstr(told.verdict, "failed: 0,"), "verdict: %s", told.verdict);
	free(told.verdict);
}

static CU_TestInfo tests[] = {
	{"a refused entry", test_refused_entry},
	{"an instruction that is not emulated", test_emulation},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("machine.failure", tests)
