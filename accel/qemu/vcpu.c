/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/qemu/vcpu.h"

#include <errno.h>
#include <string.h>

#include "accel/qemu/load.h"
#include "accel/qemu/registers.h"
#include "accel/qemu/walk.h"
#include "accel/single.h"

#define LONGEST 15

/* --- what stands at RIP --- */

struct instruction {
	enum { STEP, PORT_IN, PORT_OUT, CPUID } kind;
	unsigned int length, size; /* size: of the port's data */
	uint16_t port;
};

static struct walk_memory memory_of(const struct qemu_vcpu *vcpu)
{
	return (struct walk_memory){vcpu->memory, vcpu->memory_size};
}

void qemu_vcpu_translate(const struct qemu_vcpu *vcpu, struct kvm_translation *at)
{
	const struct walk_memory memory = memory_of(vcpu);
	uint64_t gpa = 0;

	at->valid = qemu_walk(&memory, &vcpu->sregs, at->linear_address, &gpa);
	at->physical_address = gpa;
}

/* The chips that KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2 put into the engine are QEMU's own: 8259s,
 * 8254, system control port B. */
static bool port_is_inside(uint16_t port)
{
	return (port & 0xff7e) == 0x20 || (port & 0xfffe) == 0x4d0 || (port & 0xfffc) == 0x40 ||
	       port == 0x61;
}

/* Those that leave the processor, without prefixes but 66H. */
static struct instruction decode(const struct qemu_vcpu *vcpu)
{
	const struct walk_memory memory = memory_of(vcpu);
	bool wide = vcpu->sregs.cs.l || vcpu->sregs.cs.db;
	struct instruction step = {STEP, 0, 0, 0}, found;
	uint8_t bytes[LONGEST] = {0}, opcode;
	unsigned int n = 0;

	qemu_walk_read(&memory, &vcpu->sregs, vcpu->sregs.cs.base + vcpu->regs.rip, bytes, LONGEST);
	if (bytes[n] == 0x66) {
		wide = !wide;
		n++;
	}
	opcode = bytes[n++];
	if (opcode == 0x0f && bytes[n] == 0xa2)
		return (struct instruction){CPUID, n + 1, 0, 0};
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

static void finish_port_read(struct qemu_vcpu *vcpu)
{
	uint64_t value = 0;

	if (!vcpu->port_read)
		return;
	vcpu->port_read = false;
	memcpy(&value, (uint8_t *)vcpu->run + SINGLE_RUN_DATA, vcpu->run->io.size);
	put_low(&vcpu->regs.rax, value, vcpu->run->io.size);
	vcpu->regs_changed = true;
}

/* Nothing is at that port in QEMU: an IN has read ones, which are put back. */
static void leave_for_port(struct qemu_vcpu *vcpu, const struct instruction *instruction,
			   uint64_t rax)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = instruction->kind == PORT_IN ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = (uint8_t)instruction->size;
	run->io.port = instruction->port;
	run->io.count = 1;
	run->io.data_offset = SINGLE_RUN_DATA;
	memcpy((uint8_t *)run + SINGLE_RUN_DATA, &rax, instruction->size);
	vcpu->port_read = instruction->kind == PORT_IN;
	vcpu->port_done = true;
	vcpu->regs.rax = rax;
	vcpu->regs_changed = true;
}

#define CR4_OSXSAVE   (1u << 18)
#define CR4_PKE       (1u << 22)
#define LEAF1_OSXSAVE (1u << 27) /* ECX */
#define LEAF7_OSPKE   (1u << 4)  /* ECX */

static void set_bit(__u32 *reg, uint32_t bit, bool on)
{
	*reg = on ? *reg | bit : *reg & ~bit;
}

/* What follows from CR4 (SDM 2A CPUID); which size of an XSAVE area leaf 0DH tells would follow
 * from XCR0. */
static void follow_cr4(struct kvm_cpuid_entry2 *entry, uint32_t leaf, uint32_t subleaf,
		       uint64_t cr4)
{
	if (leaf == 1)
		set_bit(&entry->ecx, LEAF1_OSXSAVE, cr4 & CR4_OSXSAVE);
	if (leaf == 7 && !subleaf)
		set_bit(&entry->ecx, LEAF7_OSPKE, cr4 & CR4_PKE);
}

static void answer_cpuid(struct qemu_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	struct kvm_cpuid_entry2 entry =
		cpuid_leaves_find(vcpu->cpuid, vcpu->cpuid_count, leaf, subleaf);

	follow_cr4(&entry, leaf, subleaf, vcpu->sregs.cr4);

	vcpu->regs.rax = entry.eax;
	vcpu->regs.rbx = entry.ebx;
	vcpu->regs.rcx = entry.ecx;
	vcpu->regs.rdx = entry.edx;
	vcpu->regs_changed = true;
}

/* --- going on --- */

static int start(struct qemu_vcpu *vcpu)
{
	const struct qemu_start start = {&vcpu->sregs, vcpu->regs.rip, vcpu->xcr0};

	return vcpu->steps ? -ENOTSUP : qemu_load_sregs(&vcpu->process, vcpu->memory, &start);
}

static int tell_registers(struct qemu_vcpu *vcpu)
{
	int rc = 0;

	if (vcpu->sregs_changed)
		rc = start(vcpu);
	if (!rc && (vcpu->regs_changed || vcpu->sregs_changed))
		rc = qemu_write_regs(&vcpu->process, &vcpu->regs,
				     vcpu->sregs_changed ? NULL : &vcpu->known);
	vcpu->known = vcpu->regs;
	vcpu->regs_changed = vcpu->sregs_changed = false;
	return rc;
}

void qemu_vcpu_kick(struct qemu_vcpu *vcpu)
{
	atomic_store(&vcpu->kicked, true);
	if (atomic_load(&vcpu->stepping)) /* perhaps over a HLT */
		qemu_process_interrupt(&vcpu->process);
}

static int step(struct qemu_vcpu *vcpu)
{
	char answer[GDB_ROOM];
	bool hidden = false;
	int rc;

	vcpu->steps++;
	atomic_store(&vcpu->stepping, true);
	rc = atomic_load(&vcpu->kicked) ? -EINTR : qemu_gdb(&vcpu->process, "s", answer);
	atomic_store(&vcpu->stepping, false);
	if (!rc)
		rc = qemu_read_quickly(&vcpu->process, &vcpu->regs, &vcpu->sregs, &hidden);
	vcpu->known = vcpu->regs;
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

/* QEMU has executed it: neither faulted, nor was it intercepted in a guest. */
static bool is_done(const struct qemu_vcpu *vcpu, const struct instruction *instruction,
		    const struct kvm_regs *before)
{
	return vcpu->regs.rip == before->rip + instruction->length;
}

/* True if KVM_RUN returns, with what is in *rc. */
static bool go_on(struct qemu_vcpu *vcpu, int *rc)
{
	struct instruction instruction;
	struct kvm_regs before;

	*rc = tell_registers(vcpu);
	if (*rc)
		return true;
	before = vcpu->regs;
	instruction = decode(vcpu);
	*rc = step(vcpu);
	if (*rc == -EPIPE) { /* with -no-reboot QEMU ends at a triple fault */
		*rc = 0;
		leave(vcpu, KVM_EXIT_SHUTDOWN);
		return true;
	}
	if (*rc || instruction.kind == STEP || !is_done(vcpu, &instruction, &before))
		return *rc != 0;
	if (instruction.kind == CPUID) {
		answer_cpuid(vcpu, (uint32_t)before.rax, (uint32_t)before.rcx);
		return false;
	}
	leave_for_port(vcpu, &instruction, before.rax);
	return true;
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
			leave_for_debug(vcpu);
			return 0;
		}
	}
}
