/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/vcpu.h"

#include <errno.h>
#include <string.h>

#include "accel/qemu/registers.h"
#include "accel/single.h"

#define CR0_PE     1
#define RFLAGS_VM  0x20000
#define LONGEST    15
#define FIRST_PAGE 0x1000

/* --- what stands at RIP --- */

struct instruction {
	enum { STEP, PORT_IN, PORT_OUT, HALT, CPUID } kind;
	unsigned int length, size; /* size: of the port's data */
	uint16_t port;
};

static unsigned int hex_bytes(const char *text, uint8_t *bytes, unsigned int room)
{
	unsigned int n = 0, value;

	while (n < room && sscanf(text + 2 * n, "%2x", &value) == 1)
		bytes[n++] = (uint8_t)value;
	return n;
}

/* By the processor's own translation; an instruction at the end of what is mapped is shorter. */
static unsigned int fetch(struct qemu_vcpu *vcpu, uint8_t bytes[LONGEST])
{
	uint64_t at = vcpu->sregs.cs.base + vcpu->regs.rip;
	unsigned int room = LONGEST, left = FIRST_PAGE - (at & (FIRST_PAGE - 1));
	char request[64], answer[GDB_ROOM];

	for (; room; room = room > left ? left : 0) {
		snprintf(request, sizeof(request), "m%llx,%x", (unsigned long long)at, room);
		if (!qemu_gdb(&vcpu->process, request, answer) && answer[0] != 'E')
			return hex_bytes(answer, bytes, room);
	}
	return 0;
}

/* The chips that KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2 put into the engine are QEMU's own: 8259s,
 * 8254, system control port B. */
static bool port_is_inside(uint16_t port)
{
	return (port & 0xff7e) == 0x20 || (port & 0xfffe) == 0x4d0 || (port & 0xfffc) == 0x40 ||
	       port == 0x61;
}

/* Those that leave the processor, without prefixes but 66H; only where it may execute them. */
static struct instruction decode(const struct qemu_vcpu *vcpu, const uint8_t *bytes,
				 unsigned int count)
{
	bool wide = vcpu->sregs.cs.l || vcpu->sregs.cs.db, privileged;
	struct instruction step = {STEP, 0, 0, 0}, found;
	unsigned int n = 0;
	uint8_t opcode;

	privileged = !(vcpu->sregs.cr0 & CR0_PE) ||
		     (!(vcpu->regs.rflags & RFLAGS_VM) && !(vcpu->sregs.cs.selector & 3));
	if (n < count && bytes[n] == 0x66) {
		wide = !wide;
		n++;
	}
	if (n + 1 >= count)
		return step;
	opcode = bytes[n++];
	if (opcode == 0x0f && bytes[n] == 0xa2)
		return (struct instruction){CPUID, n + 1, 0, 0};
	if (!privileged)
		return step;
	if (opcode == 0xf4)
		return (struct instruction){HALT, n, 0, 0};
	if ((opcode & 0xf4) != 0xe4)
		return step;
	/* E4 to E7: port in the byte behind; EC to EF: in DX. Bit 1: OUT; bit 0: not a byte. */
	found = (struct instruction){
		.kind = opcode & 2 ? PORT_OUT : PORT_IN,
		.size = opcode & 1 ? (wide ? 4 : 2) : 1,
		.port = opcode & 8 ? (uint16_t)vcpu->regs.rdx : bytes[n],
	};
	found.length = opcode & 8 ? n : n + 1;
	return port_is_inside(found.port) ? step : found;
}

/* --- what KVM does with it --- */

static void put_low(__u64 *reg, uint64_t value, unsigned int size)
{
	uint64_t mask = size == 4 ? ~UINT64_C(0) : (UINT64_C(1) << 8 * size) - 1;

	*reg = (*reg & ~mask) | (value & mask);
}

static void advance(struct qemu_vcpu *vcpu, unsigned int length)
{
	vcpu->regs.rip += length;
	vcpu->regs_changed = true;
}

static void finish_port_read(struct qemu_vcpu *vcpu)
{
	uint64_t value = 0;

	if (!vcpu->port_read)
		return;
	vcpu->port_read = false;
	memcpy(&value, (uint8_t *)vcpu->run + SINGLE_RUN_DATA, vcpu->run->io.size);
	put_low(&vcpu->regs.rax, value, vcpu->run->io.size);
	advance(vcpu, vcpu->length);
}

static void leave_for_port(struct qemu_vcpu *vcpu, const struct instruction *instruction)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = instruction->kind == PORT_IN ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = (uint8_t)instruction->size;
	run->io.port = instruction->port;
	run->io.count = 1;
	run->io.data_offset = SINGLE_RUN_DATA;
	memcpy((uint8_t *)run + SINGLE_RUN_DATA, &vcpu->regs.rax, instruction->size);
	vcpu->length = instruction->length;
	vcpu->port_read = instruction->kind == PORT_IN;
	vcpu->port_done = true;
	if (!vcpu->port_read)
		advance(vcpu, instruction->length);
}

static void do_cpuid(struct qemu_vcpu *vcpu, unsigned int length)
{
	struct kvm_cpuid_entry2 entry = cpuid_leaves_find(
		vcpu->cpuid, vcpu->cpuid_count, (uint32_t)vcpu->regs.rax, (uint32_t)vcpu->regs.rcx);

	vcpu->regs.rax = entry.eax;
	vcpu->regs.rbx = entry.ebx;
	vcpu->regs.rcx = entry.ecx;
	vcpu->regs.rdx = entry.edx;
	advance(vcpu, length);
}

/* --- going on --- */

static int tell_registers(struct qemu_vcpu *vcpu)
{
	int rc = 0;

	if (vcpu->sregs_changed)
		rc = vcpu->steps ? -ENOTSUP
				 : qemu_load_sregs(&vcpu->process, vcpu->memory, &vcpu->sregs);
	if (!rc && (vcpu->regs_changed || vcpu->sregs_changed))
		rc = qemu_write_regs(&vcpu->process, &vcpu->regs);
	vcpu->regs_changed = vcpu->sregs_changed = false;
	return rc;
}

static int step(struct qemu_vcpu *vcpu)
{
	char answer[GDB_ROOM];
	bool hidden = false;
	int rc = tell_registers(vcpu);

	vcpu->steps++;
	if (!rc)
		rc = qemu_gdb(&vcpu->process, "s", answer);
	if (!rc)
		rc = qemu_read_quickly(&vcpu->process, &vcpu->regs, &vcpu->sregs, &hidden);
	vcpu->hidden_stale = true; /* LGDT and the like leave no trace in what was read */
	return rc || !hidden ? rc : qemu_vcpu_refresh(vcpu);
}

int qemu_vcpu_refresh(struct qemu_vcpu *vcpu)
{
	uint64_t cr8 = vcpu->sregs.cr8; /* the monitor does not show it */
	struct kvm_regs regs;
	int rc;

	if (!vcpu->hidden_stale)
		return 0;
	vcpu->hidden_stale = false;
	rc = qemu_read_registers(&vcpu->process, &regs, &vcpu->sregs);
	vcpu->sregs.cr8 = cr8;
	return rc;
}

static void leave(struct qemu_vcpu *vcpu, uint32_t reason)
{
	vcpu->run->exit_reason = reason;
	vcpu->run->if_flag = vcpu->regs.rflags >> 9 & 1;
	vcpu->run->ready_for_interrupt_injection = 0;
}

/* A single-step trap: DR6.BS (SDM 3B:18.2.3). */
static void leave_for_debug(struct qemu_vcpu *vcpu)
{
	leave(vcpu, KVM_EXIT_DEBUG);
	vcpu->run->debug.arch =
		(struct kvm_debug_exit_arch){.exception = 1,
					     .pc = vcpu->sregs.cs.base + vcpu->regs.rip,
					     .dr6 = 0xffff4ff0,
					     .dr7 = 0x400};
}

/* True if KVM_RUN returns, with what is in *rc. */
static bool go_on(struct qemu_vcpu *vcpu, int *rc)
{
	uint8_t bytes[LONGEST] = {0};
	struct instruction instruction;

	*rc = tell_registers(vcpu);
	if (*rc)
		return true;
	instruction = decode(vcpu, bytes, fetch(vcpu, bytes));
	switch (instruction.kind) {
	case PORT_IN:
	case PORT_OUT:
		leave_for_port(vcpu, &instruction);
		return true;
	case HALT:
		advance(vcpu, instruction.length);
		leave(vcpu, KVM_EXIT_HLT);
		return true;
	case CPUID:
		do_cpuid(vcpu, instruction.length);
		break;
	default:
		*rc = step(vcpu);
	}
	if (*rc == -EPIPE) { /* with -no-reboot QEMU ends at a triple fault */
		*rc = 0;
		leave(vcpu, KVM_EXIT_SHUTDOWN);
		return true;
	}
	return *rc != 0;
}

int qemu_vcpu_run(struct qemu_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int rc = 0;

	finish_port_read(vcpu);
	if (vcpu->single_step && vcpu->port_done) { /* as KVM: the access was the step */
		vcpu->port_done = false;
		leave_for_debug(vcpu);
		return 0;
	}
	vcpu->port_done = false;
	for (;;) {
		if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST) ||
		    atomic_exchange(&vcpu->kicked, false))
			return -EINTR;
		if (go_on(vcpu, &rc))
			return rc;
		if (vcpu->single_step) {
			leave(vcpu, KVM_EXIT_DEBUG);
			run->debug.arch = (struct kvm_debug_exit_arch){.exception = 1,
								       .pc = vcpu->sregs.cs.base +
									     vcpu->regs.rip,
								       .dr6 = 0xffff4ff0,
								       .dr7 = 0x400};
			return 0;
		}
	}
}
