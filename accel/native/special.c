/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions that are not the host's to execute: found, and done. */
#include <cpuid.h>
#include <string.h>

#include "accel/native/vcpu.h"

#define VECTOR_UD     6
#define VECTOR_GP     13
#define INT80_ERROR   (0x80 * 8 + 2) /* of a gate that level 3 may not call (SDM 3A:6.13) */
#define EFER_SCE      UINT64_C(1)
#define CR4_OSXSAVE   UINT64_C(0x40000)
#define LEAF1_OSXSAVE (1u << 27)

static const struct {
	uint8_t bytes[3], length;
	enum native_special kind;
} specials[] = {
	{{0x0f, 0xa2}, 2, SPECIAL_CPUID},   {{0x0f, 0x01, 0xd0}, 3, SPECIAL_XGETBV},
	{{0x0f, 0x05}, 2, SPECIAL_SYSCALL}, {{0x0f, 0x34}, 2, SPECIAL_SYSENTER},
	{{0xcd, 0x80}, 2, SPECIAL_INT80},   {{0x9c}, 1, SPECIAL_PUSHF},
	{{0x9d}, 1, SPECIAL_POPF},          {{0xcf}, 1, SPECIAL_POPF},
};
#define SPECIALS (sizeof(specials) / sizeof(specials[0]))

/* Segments and sizes; LOCK is none of these, with it they are undefined. */
static bool is_prefix(uint8_t byte, bool code64)
{
	return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3", byte, 10) ||
	       (code64 && (byte & 0xf0) == 0x40);
}

struct native_instruction native_special_find(const uint8_t *bytes, unsigned int count, bool code64)
{
	unsigned int n = 0;

	while (n < count && is_prefix(bytes[n], code64))
		n++;
	for (size_t i = 0; i < SPECIALS; i++) {
		if (n + specials[i].length <= count &&
		    !memcmp(bytes + n, specials[i].bytes, specials[i].length))
			return (struct native_instruction){specials[i].kind,
							   n + specials[i].length};
	}
	return (struct native_instruction){SPECIAL_NONE, 0};
}

bool native_special_among(const uint8_t *bytes, uint64_t count)
{
	for (uint64_t at = 0; at + 1 < count; at++)
		for (size_t i = 0; i < SPECIALS; i++)
			if (specials[i].length > 1 && !memcmp(bytes + at, specials[i].bytes, 2))
				return true;
	return false;
}

/* SDM 2A CPUID: OSXSAVE shows CR4's bit. */
static void do_cpuid(struct native_vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->regs.rax;
	struct kvm_cpuid_entry2 entry =
		cpuid_leaves_find(vcpu->cpuid, vcpu->cpuid_count, leaf, (uint32_t)vcpu->regs.rcx);

	if (leaf == 1) {
		entry.ecx &= ~LEAF1_OSXSAVE;
		entry.ecx |= vcpu->sregs.cr4 & CR4_OSXSAVE ? LEAF1_OSXSAVE : 0;
	}
	vcpu->regs.rax = entry.eax;
	vcpu->regs.rbx = entry.ebx;
	vcpu->regs.rcx = entry.ecx;
	vcpu->regs.rdx = entry.edx;
}

/* APM 3 SYSENTER: undefined in long mode. SDM 2B: #GP(0) while IA32_SYSENTER_CS is null, as at
 * reset; there is no call by which it could be anything else here. */
static unsigned int sysenter_vector(const struct native_vcpu *vcpu)
{
	return cpuid_leaves_find(vcpu->cpuid, vcpu->cpuid_count, 0, 0).ebx == signature_AMD_ebx
		       ? VECTOR_UD
		       : VECTOR_GP;
}

int native_special_do(struct native_vcpu *vcpu, const struct native_instruction *instruction)
{
	int rc = 0;

	switch (instruction->kind) {
	case SPECIAL_CPUID:
		do_cpuid(vcpu);
		break;
	case SPECIAL_XGETBV:
		vcpu->regs.rax = (uint32_t)vcpu->xcr0;
		vcpu->regs.rdx = vcpu->xcr0 >> 32;
		break;
	case SPECIAL_SYSCALL: /* SDM 2B: #UD without EFER.SCE; with it there is level 0 to run */
		rc = vcpu->sregs.efer & EFER_SCE ? -ENOTSUP : native_deliver(vcpu, VECTOR_UD, 0);
		return rc ? rc : 1;
	case SPECIAL_SYSENTER:
		rc = native_deliver(vcpu, sysenter_vector(vcpu), 0);
		return rc ? rc : 1;
	case SPECIAL_INT80:
		rc = native_deliver(vcpu, VECTOR_GP, INT80_ERROR);
		return rc ? rc : 1;
	default:
		return -ENOTSUP;
	}
	vcpu->regs.rip += instruction->length;
	vcpu->regs_changed = true;
	return 0;
}
