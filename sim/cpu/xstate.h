/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended processor state as memory images: the table of xstate.def with, for every component,
 * how it is saved, loaded, reset and recognised as being in its initial configuration. Used by
 * the FXSAVE and XSAVE families, XGETBV, CPUID leaf 0DH and the KVM structs.
 */
#ifndef LOCKSTEP_SIM_CPU_XSTATE_H
#define LOCKSTEP_SIM_CPU_XSTATE_H

#include <linux/kvm.h>

#include "sim/cpu/cpu.h"

enum xstate_bit {
#define XSTATE(bit, identifier, ...) XSTATE_##identifier = 1 << (bit),
#include "sim/cpu/xstate.def"
#undef XSTATE
};

enum {
	XSTATE_LEGACY_SIZE = 512,
	XSTATE_HEADER_SIZE = 64,
	XSTATE_EXTENDED = XSTATE_LEGACY_SIZE + XSTATE_HEADER_SIZE,
	XSTATE_AREA_MAX = 4096,

	/* the legacy region (SDM 1:10.5.1, table 10-2) */
	FXSAVE_MXCSR = 24,
	FXSAVE_ST = 32,
	FXSAVE_XMM = 160,
	FXSAVE_END = 416, /* what lies behind is the software's */
};

#define MXCSR_INIT      0x1f80u
#define XCOMP_COMPACTED BIT(63)

/* What an image looks like besides its components. */
enum xstate_form {
	XSTATE_REX_W = 1,      /* FIP and FDP have 64 bits, no selectors */
	XSTATE_16_VECTORS = 2, /* 64-bit mode: vector registers 8 to 15 belong to it */
	XSTATE_POINTERS = 4,   /* the x87 pointers whatever the model does with them */
};

struct xstate_component {
	const char *name;
	u8 bit;
	bool supervisor, aligned;
	u16 size, offset;
	enum cpu_feature gate;
	const char *manual;
	void (*save)(const struct cpu *cpu, u8 *to, unsigned int form);
	void (*load)(struct cpu *cpu, const u8 *from, unsigned int form);
	void (*reset)(struct cpu *cpu, unsigned int form);
	bool (*in_use)(const struct cpu *cpu, unsigned int form);
	/* False: loading the image is #GP(0). NULL: every image is good. */
	bool (*valid)(const struct cpu *cpu, const u8 *from);
};

#define XSTATE_COMPONENTS 6
extern const struct xstate_component xstate_components[XSTATE_COMPONENTS];

/* XINUSE (SDM 1:13.6): the components that are not in their initial configuration. */
u64 xstate_in_use(const struct cpu *cpu);
/* Bytes of an XSAVE area with @components: CPUID 0DH's sizes. */
u32 xstate_size_standard(u64 components);
u32 xstate_size_compacted(u64 components);
/* Offset of component @index of the table in a compacted area that has @components. */
u32 xstate_offset_compacted(u64 components, unsigned int index);
/* Writable bits of MXCSR, which FXSAVE shows as MXCSR_MASK (SDM 1:11.6.6, APM 2:11.3.2). */
u32 mxcsr_mask(const struct cpu *cpu);

/* KVM_GET_XSAVE and KVM_SET_XSAVE: the standard format, user components only. @xsave has 4096
 * bytes. Restoring returns -EINVAL for an image that XRSTOR would refuse, and changes nothing. */
void xstate_save_kvm(const struct cpu *cpu, struct kvm_xsave *xsave);
int xstate_restore_kvm(struct cpu *cpu, const struct kvm_xsave *xsave);
/* KVM_GET_FPU and KVM_SET_FPU. */
void xstate_save_kvm_fpu(const struct cpu *cpu, struct kvm_fpu *fpu);
int xstate_restore_kvm_fpu(struct cpu *cpu, const struct kvm_fpu *fpu);

#endif
