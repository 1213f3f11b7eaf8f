/* SPDX-License-Identifier: Apache-2.0 */
/* An exception's delivery by the guest's IDT, up to the handler's first instruction. */
#include <string.h>

#include "accel/native/pages.h"
#include "accel/native/vcpu.h"
#include "accel/segment.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4

/* Vectors whose frame has an error code (SDM 3A, table 6-1). */
#define WITH_ERROR (1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21)
#define TRAPS      (1u << VECTOR_DB | 1u << VECTOR_BP | 1u << VECTOR_OF)

#define RFLAGS_TF UINT64_C(0x100)
#define RFLAGS_IF UINT64_C(0x200)
#define RFLAGS_NT UINT64_C(0x4000)
#define RFLAGS_RF UINT64_C(0x10000)

#define GATE_INTERRUPT 0xe
#define GATE_TRAP      0xf
#define TSS_RSP0       4
#define TSS_IST1       36

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

static bool read_linear(const struct native_vcpu *vcpu, uint64_t linear, void *to, size_t size)
{
	const uint8_t *from = native_page_bytes(vcpu->memory, &vcpu->sregs, linear);

	if (!from || (linear & 4095) + size > 4096)
		return false;
	memcpy(to, from, size);
	return true;
}

struct kvm_segment native_segment(const struct native_vcpu *vcpu, uint16_t selector)
{
	const struct kvm_segment null = {.selector = selector, .unusable = 1};
	uint64_t at = selector & ~7u, row;
	uint32_t limit;

	if (!(selector & ~3u) || selector & 4 || at + 7 > vcpu->sregs.gdt.limit ||
	    !read_linear(vcpu, vcpu->sregs.gdt.base + at, &row, sizeof(row)))
		return null;
	limit = (uint32_t)((row & 0xffff) | (row >> 32 & 0xf0000));
	if (row >> 55 & 1)
		limit = limit << 12 | 0xfff;
	return segment_make(selector, (row >> 16 & 0xffffff) | (row >> 56) << 24, limit,
			    (uint32_t)(row >> 32));
}

static bool find_gate(const struct native_vcpu *vcpu, unsigned int vector, struct gate *gate)
{
	unsigned int type;

	if (vector * sizeof(*gate) + sizeof(*gate) - 1 > vcpu->sregs.idt.limit ||
	    !read_linear(vcpu, vcpu->sregs.idt.base + vector * sizeof(*gate), gate, sizeof(*gate)))
		return false;
	type = gate->type & 15;
	return gate->type & 0x80 && (type == GATE_INTERRUPT || type == GATE_TRAP);
}

static bool find_stack(const struct native_vcpu *vcpu, const struct gate *gate, uint64_t *rsp)
{
	unsigned int ist = gate->ist & 7;
	bool found =
		read_linear(vcpu, vcpu->sregs.tr.base + (ist ? TSS_IST1 + 8 * (ist - 1) : TSS_RSP0),
			    rsp, sizeof(*rsp));

	*rsp &= ~UINT64_C(15); /* SDM 3A:6.14.2 */
	return found;
}

static bool push(const struct native_vcpu *vcpu, uint64_t *rsp, uint64_t value)
{
	uint8_t *to = native_page_bytes(vcpu->memory, &vcpu->sregs, *rsp - 8);

	if (!to)
		return false;
	*rsp -= 8;
	memcpy(to, &value, sizeof(value));
	return true;
}

/* SDM 3B:18.3.1.1: a fault stores RF. */
static bool push_frame(const struct native_vcpu *vcpu, unsigned int vector, uint64_t error,
		       uint64_t *rsp)
{
	const uint64_t frame[] = {vcpu->sregs.ss.selector, vcpu->regs.rsp,
				  vcpu->regs.rflags | (TRAPS >> vector & 1 ? 0 : RFLAGS_RF),
				  vcpu->sregs.cs.selector, vcpu->regs.rip};

	for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++)
		if (!push(vcpu, rsp, frame[i]))
			return false;
	return !(WITH_ERROR >> vector & 1) || push(vcpu, rsp, error);
}

int native_deliver(struct native_vcpu *vcpu, unsigned int vector, uint64_t error)
{
	struct gate gate;
	uint64_t rsp;

	if (vector > 31 || !find_gate(vcpu, vector, &gate) || !find_stack(vcpu, &gate, &rsp) ||
	    !push_frame(vcpu, vector, error, &rsp))
		return -ENOTSUP;
	vcpu->regs.rsp = rsp;
	vcpu->regs.rip = gate.offset_low | (uint64_t)gate.offset_middle << 16 |
			 (uint64_t)gate.offset_high << 32;
	vcpu->regs.rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF);
	if ((gate.type & 15) == GATE_INTERRUPT)
		vcpu->regs.rflags &= ~RFLAGS_IF;
	vcpu->sregs.cs = native_segment(vcpu, gate.selector & ~3u);
	vcpu->sregs.ss = native_segment(vcpu, 0);
	vcpu->regs_changed = true;
	return 0;
}
