/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a step ends: behind one instruction, by KVM_SET_GUEST_DEBUG, or before an OUT that stands
 * in an instruction's place.
 */
#include <string.h>

#include "machine/memory.h"
#include "tools/diff/side/internal.h"

#define DR6_TRAPS UINT64_C(0x200f) /* BD, B3 to B0 */
#define DR7_GD    UINT64_C(0x2000)
#define PAGE      4096u
#define VECTOR_DB 1
#define STOP_PORT 0xee /* nobody's */
#define GUESTDBG  (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)

static int set_debug(struct side *side, uint32_t control)
{
	struct kvm_guest_debug debug = {.control = control};

	return ls_ioctl_ptr(machine_engine(side->machine), machine_vcpu(side->machine, 0),
			    KVM_SET_GUEST_DEBUG, &debug);
}

void side_stop_at(struct side *side, uint64_t linear, uint64_t physical)
{
	static const uint8_t out[] = {0xe6, STOP_PORT}; /* OUT imm8, AL */
	uint8_t *bytes = (linear & (PAGE - 1)) + sizeof(out) > PAGE
				 ? NULL
				 : machine_memory_ptr(side->machine, physical, sizeof(out));

	if (!bytes || side->plants == PLANTS)
		return;
	memcpy(side->planted[side->plants].was, bytes, sizeof(out));
	memcpy(bytes, out, sizeof(out));
	side->planted[side->plants++].bytes = bytes;
}

void side_run_on(struct side *side)
{
	set_debug(side, 0);
}

/* The OUT has been done: back before it. */
static void step_back(struct side *side, struct machine_exit *exit)
{
	struct ls_engine *engine = machine_engine(side->machine);
	int vcpu = machine_vcpu(side->machine, 0);
	struct kvm_regs regs;

	*exit = (struct machine_exit){.reason = KVM_EXIT_DEBUG, .count = VECTOR_DB};
	ls_ioctl_ptr(engine, vcpu, KVM_GET_REGS, &regs);
	regs.rip -= sizeof(side->planted[0].was);
	ls_ioctl_ptr(engine, vcpu, KVM_SET_REGS, &regs);
	set_debug(side, GUESTDBG);
}

bool side_pull_out(struct side *side, struct machine_exit *exit)
{
	bool stopped = side->plants && exit->reason == KVM_EXIT_IO && exit->address == STOP_PORT;

	while (side->plants) { /* they may overlap */
		side->plants--;
		memcpy(side->planted[side->plants].bytes, side->planted[side->plants].was,
		       sizeof(side->planted[0].was));
	}
	if (stopped)
		step_back(side, exit);
	return stopped;
}

int side_give_debug(struct side *side, uint64_t dr6)
{
	struct ls_engine *engine = machine_engine(side->machine);
	int vcpu = machine_vcpu(side->machine, 0), ret;
	struct kvm_debugregs registers;

	ret = ls_ioctl_ptr(engine, vcpu, KVM_GET_DEBUGREGS, &registers);
	if (ret < 0)
		return ret;
	registers.dr6 = (registers.dr6 & ~(DR6_TRAPS & 0xf)) | dr6;
	registers.dr7 &= ~DR7_GD; /* SDM 3B:18.2.4 */
	ret = ls_ioctl_ptr(engine, vcpu, KVM_SET_DEBUGREGS, &registers);
	return ret < 0 ? ret : set_debug(side, GUESTDBG | KVM_GUESTDBG_INJECT_DB);
}
