/* SPDX-License-Identifier: Apache-2.0 */
/* api.rst: KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, KVM_CAP_EXCEPTION_PAYLOAD,
 * KVM_CAP_X86_TRIPLE_FAULT_EVENT, KVM_NMI, KVM_SMI. */
#include "tests/unit/sim/kvm_rig.h"

#define HANDLER 0x2000

static struct kvm_vcpu_events events_of(struct kvm_rig *rig)
{
	struct kvm_vcpu_events events;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_VCPU_EVENTS, &events), 0);
	return events;
}

static int set_events(struct kvm_rig *rig, const struct kvm_vcpu_events *events)
{
	return kvm_vcpu_call(rig, KVM_SET_VCPU_EVENTS, events);
}

static int enable(struct kvm_rig *rig, uint32_t cap, uint64_t value)
{
	const struct kvm_enable_cap enable = {.cap = cap, .args = {value}};

	return kvm_call(rig, KVM_ENABLE_CAP, &enable);
}

static void open_with(struct kvm_rig *rig, bool irqchip, unsigned int vector)
{
	kvm_open(rig, "intel", irqchip);
	kvm_code(rig, CODE, 0x90, 0xf4);
	kvm_code(rig, HANDLER, 0xf4);
	kvm_vector(rig, vector, HANDLER);
	rig->engine->ext->vcpu_run_until(rig->engine, rig->vcpu, LS_NEVER - 1);
}

/* An injected exception is delivered on the next run, at the RIP that the vCPU has; it leaves CR2
 * alone, which user space has set already. */
static void test_injected_exception(void)
{
	struct kvm_vcpu_events events = {.exception = {.injected = 1, .nr = 14}};
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	open_with(&rig, false, 14);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	sregs.cr2 = 0x1234;
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_SREGS, &sregs), 0);
	events = events_of(&rig);
	CHECK_EQUAL(events.exception.injected, 1);
	CHECK_EQUAL(events.exception.pending, 0);
	CHECK_EQUAL(events.exception.nr, 14);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, HANDLER + 1);
	CHECK_EQUAL(events_of(&rig).exception.injected, 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.cr2, 0x1234);
	kvm_close(&rig);
}

/* "exception.pending ... with exception_has_payload, exception_payload": the fault's address goes
 * to CR2 when the exception is delivered, not before. */
static void test_pending_exception(void)
{
	struct kvm_vcpu_events events = {
		.exception = {.pending = 1, .nr = 14},
		.flags = KVM_VCPUEVENT_VALID_PAYLOAD,
		.exception_has_payload = 1,
		.exception_payload = 0x5678,
	};
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	open_with(&rig, false, 14);
	CHECK_EQUAL(set_events(&rig, &events), -EINVAL);
	CHECK_EQUAL(enable(&rig, KVM_CAP_EXCEPTION_PAYLOAD, 1), 0);
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.cr2, 0);
	events = events_of(&rig);
	CHECK_EQUAL(events.flags & KVM_VCPUEVENT_VALID_PAYLOAD, KVM_VCPUEVENT_VALID_PAYLOAD);
	CHECK_EQUAL(events.exception.injected, 0);
	CHECK_EQUAL(events.exception.pending, 1);
	CHECK_EQUAL(events.exception_has_payload, 1);
	CHECK_EQUAL(events.exception_payload, 0x5678);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.cr2, 0x5678);
	kvm_close(&rig);
}

/* Without the capability a pending exception is shown as injected, its payload delivered. */
static void test_payload_unknown_to_user(void)
{
	struct kvm_vcpu_events events = {
		.exception = {.pending = 1, .nr = 14},
		.flags = KVM_VCPUEVENT_VALID_PAYLOAD,
		.exception_has_payload = 1,
		.exception_payload = 0x5678,
	};
	struct kvm_rig rig;
	struct kvm_sregs sregs;

	open_with(&rig, false, 14);
	CHECK_EQUAL(enable(&rig, KVM_CAP_EXCEPTION_PAYLOAD, 1), 0);
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(enable(&rig, KVM_CAP_EXCEPTION_PAYLOAD, 0), 0);
	events = events_of(&rig);
	CHECK_EQUAL(events.exception.injected, 1);
	CHECK_EQUAL(events.exception_has_payload, 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQUAL(sregs.cr2, 0x5678);
	kvm_close(&rig);
}

/* Vectors above 31 and NMI's are no exceptions; unknown flags and those of capabilities that are
 * off are refused. */
static void test_refused(void)
{
	const struct kvm_vcpu_events bad[] = {
		{.exception = {.injected = 1, .nr = 32}},
		{.exception = {.injected = 1, .nr = 2}},
		{.flags = 0x40},
		{.flags = KVM_VCPUEVENT_VALID_TRIPLE_FAULT},
	};
	struct kvm_rig rig;

	open_with(&rig, false, 14);
	for (unsigned int n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		CHECK_EQUAL(set_events(&rig, &bad[n]), -EINVAL);
	kvm_close(&rig);
}

/* KVM_X86_SHADOW_INT_STI is bit 1, KVM_X86_SHADOW_INT_MOV_SS bit 0. */
static void test_shadow(void)
{
	struct kvm_rig rig;
	struct kvm_vcpu_events events = {.flags = KVM_VCPUEVENT_VALID_SHADOW};

	open_with(&rig, false, 14);
	kvm_code(&rig, CODE, 0xfb, 0x90, 0xf4); /* STI; NOP; HLT */
	rig.engine->ext->vcpu_limit(rig.engine, rig.vcpu, 1);
	CHECK_EQUAL(kvm_run(&rig), LS_EXIT_BOUND);
	CHECK_EQUAL(events_of(&rig).interrupt.shadow, KVM_X86_SHADOW_INT_STI);
	events.interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS;
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(events_of(&rig).interrupt.shadow, KVM_X86_SHADOW_INT_MOV_SS);
	kvm_close(&rig);
}

/* KVM_NMI: pending until taken, then masked until IRET (SDM 3A:6.7.1). */
static void test_nmi(void)
{
	struct kvm_vcpu_events events;
	struct kvm_rig rig;

	open_with(&rig, false, 2);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_NMI, NULL), 0);
	events = events_of(&rig);
	CHECK_EQUAL(events.nmi.pending, 1);
	CHECK_EQUAL(events.nmi.masked, 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, HANDLER + 1);
	events = events_of(&rig);
	CHECK_EQUAL(events.nmi.pending, 0);
	CHECK_EQUAL(events.nmi.masked, 1);
	/* taken back before it was seen */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_NMI, NULL), 0);
	events.nmi.masked = 0;
	CHECK_EQUAL(set_events(&rig, &events), 0);
	kvm_set_rip(&rig, CODE);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE + 2);
	kvm_close(&rig);
}

/* KVM_SMI: the handler at SMBASE + 8000H (SDM 3C:31.3.1); KVM_RUN_X86_SMM tells. */
static void test_smi(void)
{
	struct kvm_vcpu_events events;
	struct kvm_rig rig;

	open_with(&rig, false, 2);
	kvm_code(&rig, 0x38000, 0xf4);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SMI, NULL), 0);
	CHECK_EQUAL(events_of(&rig).smi.pending, 1);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(rig.run->flags, KVM_RUN_X86_SMM);
	events = events_of(&rig);
	CHECK_EQUAL(events.smi.smm, 1);
	CHECK_EQUAL(events.smi.pending, 0);
	CHECK_EQUAL(events.smi.smm_inside_nmi, 0);
	/* What was masked outside comes back with RSM (SDM 3C:31.8). */
	events.smi.smm_inside_nmi = 1;
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(events_of(&rig).smi.smm_inside_nmi, 1);
	kvm_code(&rig, 0x38001, 0x0f, 0xaa); /* RSM */
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	events = events_of(&rig);
	CHECK_EQUAL(events.smi.smm, 0);
	CHECK_EQUAL(events.nmi.masked, 1);
	kvm_close(&rig);
}

/* smi.pending set by user space is an SMI. */
static void test_smi_by_events(void)
{
	const struct kvm_vcpu_events events = {.flags = KVM_VCPUEVENT_VALID_SMM, .smi.pending = 1};
	struct kvm_rig rig;

	open_with(&rig, false, 2);
	kvm_code(&rig, 0x38000, 0xf4);
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(rig.run->flags, KVM_RUN_X86_SMM);
	kvm_close(&rig);
}

/* interrupt.injected: an interrupt that has been acknowledged, whoever has the chips. */
static void test_injected_interrupt(void)
{
	const struct kvm_vcpu_events events = {.interrupt = {.injected = 1, .nr = 0x30}};
	struct kvm_rig rig;

	for (unsigned int irqchip = 0; irqchip < 2; irqchip++) {
		open_with(&rig, irqchip, 0x30);
		kvm_code(&rig, CODE, 0xfb, 0x90, 0x90, 0xf4);
		rig.engine->ext->vcpu_limit(rig.engine, rig.vcpu, 2);
		CHECK_EQUAL(kvm_run(&rig), LS_EXIT_BOUND);
		rig.engine->ext->vcpu_limit(rig.engine, rig.vcpu, LS_NEVER);
		CHECK_EQUAL(set_events(&rig, &events), 0);
		CHECK_EQUAL(events_of(&rig).interrupt.injected, 1);
		CHECK_EQUAL(events_of(&rig).interrupt.nr, 0x30);
		CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
		CHECK_EQUAL(kvm_regs(&rig).rip, HANDLER + 1);
		CHECK_EQUAL(events_of(&rig).interrupt.injected, 0);
		kvm_close(&rig);
	}
}

/* triple_fault.pending: set, the vCPU leaves with KVM_EXIT_SHUTDOWN. */
static void test_triple_fault(void)
{
	struct kvm_vcpu_events events = {.flags = KVM_VCPUEVENT_VALID_TRIPLE_FAULT,
					 .triple_fault.pending = 1};
	struct kvm_rig rig;

	open_with(&rig, false, 2);
	CHECK_EQUAL(enable(&rig, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1), 0);
	CHECK_EQUAL(events_of(&rig).triple_fault.pending, 0);
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(events_of(&rig).triple_fault.pending, 1);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_SHUTDOWN);
	events.triple_fault.pending = 0;
	CHECK_EQUAL(set_events(&rig, &events), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(enable(&rig, 0xffff, 1), -EINVAL);
	kvm_close(&rig);
}

static int mp_state(struct kvm_rig *rig, uint32_t value)
{
	const struct kvm_mp_state state = {value};

	return kvm_vcpu_call(rig, KVM_SET_MP_STATE, &state);
}

static uint32_t mp_state_of(struct kvm_rig *rig)
{
	struct kvm_mp_state state;

	CHECK_EQUAL(kvm_vcpu_call(rig, KVM_GET_MP_STATE, &state), 0);
	return state.mp_state;
}

/* api.rst, KVM_SET_MP_STATE: without an in-kernel irqchip only RUNNABLE; else each state comes back
 * as it was set, and SIPI_RECEIVED starts the vCPU at its vector's page. */
static void test_mp_state(void)
{
	static const uint32_t states[] = {KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED,
					  KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_HALTED,
					  KVM_MP_STATE_SIPI_RECEIVED};
	const struct kvm_vcpu_events vector = {.flags = KVM_VCPUEVENT_VALID_SIPI_VECTOR,
					       .sipi_vector = 3};
	struct kvm_rig rig;

	open_with(&rig, false, 2);
	CHECK_EQUAL(mp_state(&rig, KVM_MP_STATE_HALTED), -EINVAL);
	CHECK_EQUAL(mp_state(&rig, KVM_MP_STATE_RUNNABLE), 0);
	kvm_close(&rig);
	open_with(&rig, true, 2);
	CHECK_EQUAL(mp_state(&rig, KVM_MP_STATE_STOPPED), -EINVAL);
	for (unsigned int n = 0; n < 5; n++) {
		CHECK_EQUAL(mp_state(&rig, states[n]), 0);
		CHECK_EQUAL(mp_state_of(&rig), states[n]);
	}
	kvm_code(&rig, 0x3000, 0xf4);
	CHECK_EQUAL(set_events(&rig, &vector), 0);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rip, 1);
	CHECK_EQUAL(mp_state_of(&rig), KVM_MP_STATE_HALTED);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"injected exception", test_injected_exception},
	{"pending exception", test_pending_exception},
	{"payload unknown to user space", test_payload_unknown_to_user},
	{"refused", test_refused},
	{"shadow", test_shadow},
	{"KVM_NMI", test_nmi},
	{"KVM_SMI", test_smi},
	{"SMI by events", test_smi_by_events},
	{"injected interrupt", test_injected_interrupt},
	{"triple fault", test_triple_fault},
	{"MP state", test_mp_state},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.vcpu_events", tests)
