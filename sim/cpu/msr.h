/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of msrs.def, and how registers of each kind are read and written. */
#ifndef LOCKSTEP_SIM_CPU_MSR_H
#define LOCKSTEP_SIM_CPU_MSR_H

#include "sim/cpu/cpu.h"

#define MSR_HIGH UINT64_C(0xffffffff00000000)

/* IA32_FEATURE_CONTROL */
#define FEATURE_CONTROL_LOCK  BIT(0)
#define FEATURE_CONTROL_VMXON BIT(2)

struct msr_row;

/* NULL: never allowed (#GP). False means #GP(0). Reserved bits have been checked; @host: a
 * save or restore through the KVM ABI, which may do what a guest may not. */
struct msr_access {
	bool (*read)(struct cpu *cpu, const struct msr_row *row, u64 *value, bool host);
	bool (*write)(struct cpu *cpu, const struct msr_row *row, u64 value, bool host);
};

struct msr_row {
	u32 number;
	u16 index;  /* enum msr_index */
	u8 vendors; /* enum vendor */
	u16 gate;   /* enum cpu_feature */
	u64 reserved, reset;
	const struct msr_access *access;
	const char *name, *manual;
};

extern const struct msr_row msr_rows[MSR_INDEX_COUNT];

/* 800H to 8FFH, which have no rows (SDM 3A:11.12.1.2). */
ALWAYS_INLINE bool msr_is_x2apic(u32 number)
{
	return number >> 8 == 8;
}

/* NULL if no row has that number, or this processor is without it. */
const struct msr_row *msr_find(const struct cpu *cpu, u32 number);
/* The values that RESET gives; @init: those that INIT gives, which leaves most alone. */
void msr_reset(struct cpu *cpu, bool init);
/* The model has changed (KVM_SET_CPUID2): gives what depends on it its reset value anew. */
void msr_adopt(struct cpu *cpu);
/* KVM_GET_MSR_INDEX_LIST: numbers that can be saved and restored; returns how many. */
unsigned int msr_list(const struct cpu *cpu, u32 *numbers, unsigned int room);
/* ls_extension.cpuid_msrs */
int msr_each(const struct kvm_cpuid2 *cpuid, void (*msr)(void *opaque, u32 number, u64 value),
	     void *opaque);

/* HWCR: SmmLock (APM 2:15.32.1). */
#define HWCR_SMMLOCK BIT(0)

/* VM_CR (APM 2:15.30.1). */
#define VM_CR_DPD      BIT(0)
#define VM_CR_R_INIT   BIT(1)
#define VM_CR_DIS_A20M BIT(2)
#define VM_CR_LOCK     BIT(3)
#define VM_CR_SVMDIS   BIT(4)

#endif
