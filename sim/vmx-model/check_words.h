/* SPDX-License-Identifier: Apache-2.0 */
/* The words in which rows of checks_*.def are written. All read their inputs by check_input. */
#ifndef LOCKSTEP_SIM_VMX_MODEL_CHECK_WORDS_H
#define LOCKSTEP_SIM_VMX_MODEL_CHECK_WORDS_H

#include "mmu/control_registers.h"
#include "sim/cpu/cpu.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/vmx_controls.h"
#include "sim/vmx-model/checks.h"
#include "sim/vmx-model/fields.h"

/* checks_pass.c has another, which notes nothing. */
#ifndef CHECK_INPUT
#define CHECK_INPUT check_input
#endif

#define F(field)        CHECK_INPUT(in, VMCS_##field)
#define IN(input)       CHECK_INPUT(in, INPUT_##input)
#define CAPABILITY(msr) CHECK_INPUT(in, INPUT_CAPABILITY + VMX_##msr)

#define PIN(control)     ((F(PIN_CONTROLS) & PIN_##control) != 0)
#define PRIMARY(control) ((F(PRIMARY_CONTROLS) & PRIMARY_##control) != 0)
/* Not activated, the controls of a further field are all 0 (SDM 3C:25.6.2). */
#define SECONDARY(control) (PRIMARY(SECONDARY) && (F(SECONDARY_CONTROLS) & SECONDARY_##control))
#define TERTIARY(control)  (PRIMARY(TERTIARY) && (F(TERTIARY_CONTROLS) & TERTIARY_##control))
#define EXIT(control)      ((F(EXIT_CONTROLS) & EXIT_##control) != 0)
#define ENTRY(control)     ((F(ENTRY_CONTROLS) & ENTRY_##control) != 0)
#define FUNCTION(control)                                                                          \
	(SECONDARY(VM_FUNCTIONS) && (F(VM_FUNCTION_CONTROLS) & FUNCTION_##control))

/* The TRUE MSR speaks where there is one (SDM 3D:A.2). */
#define ALLOWED(field, msr)                                                                        \
	within(F(field),                                                                           \
	       CAPABILITY(BASIC) & BASIC_TRUE_CONTROLS ? CAPABILITY(TRUE_##msr) : CAPABILITY(msr))
#define FIXED(value, cr, unchecked)                                                                \
	fixed(value, CAPABILITY(cr##_FIXED0), CAPABILITY(cr##_FIXED1), unchecked)
#define PAGE(address)      physical(in, address, 4096)
#define CANONICAL(address) canonical(address, IN(LINEAR_BITS))
#define MSR_AREA_END(area) physical(in, F(area##_ADDRESS) + F(area##_COUNT) * 16 - 1, 1)

#define INJECTS            ((F(ENTRY_INTERRUPTION_INFO) & INFO_VALID) != 0)
#define INJECTED_TYPE      INFO_TYPE(F(ENTRY_INTERRUPTION_INFO))
#define INJECTED_VECTOR    INFO_VECTOR(F(ENTRY_INTERRUPTION_INFO))
#define INJECTS_ERROR_CODE ((F(ENTRY_INTERRUPTION_INFO) & INFO_ERROR_CODE) != 0)
#define INJECTED_SOFTWARE                                                                          \
	(INJECTED_TYPE == TYPE_SOFTWARE || INJECTED_TYPE == TYPE_PRIVILEGED_SOFTWARE_EXCEPTION ||  \
	 INJECTED_TYPE == TYPE_SOFTWARE_EXCEPTION)
#define MTF_OFFERED ((CAPABILITY(PROCBASED) >> 32 & PRIMARY_MONITOR_TRAP_FLAG) != 0)

/* CR0.PE, which only an unrestricted guest may have 0 (SDM 3C:27.2.1.3). */
#define GUEST_PROTECTED (!SECONDARY(UNRESTRICTED_GUEST) || (F(GUEST_CR0) & CR0_PE))
#define GUEST_V86       ((F(GUEST_RFLAGS) & FLAG_VM) != 0)
#define GUEST_64BIT     (ENTRY(IA32E_MODE_GUEST) && (F(GUEST_CS_RIGHTS) & SEG_L))
#define GUEST_PAE       ((F(GUEST_CR0) & CR0_PG) && (F(GUEST_CR4) & CR4_PAE) && !ENTRY(IA32E_MODE_GUEST))
#define USABLE(segment) (!(F(GUEST_##segment##_RIGHTS) & SEG_UNUSABLE))
#define TYPE(segment)   (F(GUEST_##segment##_RIGHTS) & SEG_TYPE)
#define DPL(segment)    ((F(GUEST_##segment##_RIGHTS) & SEG_DPL) >> SEG_DPL_SHIFT)
#define RPL(segment)    (F(GUEST_##segment##_SELECTOR) & 3)
#define RIGHTS_RESERVED UINT64_C(0xfffe0f00)

#define BLOCKED_OR_HALTED                                                                          \
	((F(GUEST_INTERRUPTIBILITY) & (BY_STI | BY_MOV_SS)) || F(GUEST_ACTIVITY) == HLT)
#define STEPS  ((F(GUEST_RFLAGS) & FLAG_TF) && !(F(GUEST_DEBUGCTL) & DEBUGCTL_BTF))
#define LINKED (F(VMCS_LINK_POINTER) != VMCS_NONE)

/* @capability: bits that must be 1 below, that may be 1 above. */
ALWAYS_INLINE bool within(u64 value, u64 capability)
{
	return !((u32)capability & ~value) && !(value & ~(capability >> 32));
}

ALWAYS_INLINE bool fixed(u64 value, u64 fixed0, u64 fixed1, u64 unchecked)
{
	return !((fixed0 & ~value) & ~unchecked) && !((value & ~fixed1) & ~unchecked);
}

/* Bits 63 to @width - 1 are the same. */
ALWAYS_INLINE bool canonical(u64 address, u64 width)
{
	return (u64)((s64)(address << (64 - width)) >> (64 - width)) == address;
}

ALWAYS_INLINE bool same(u64 a, u64 b)
{
	return !a == !b;
}

/* @alignment: a power of 2. */
ALWAYS_INLINE bool physical(struct check_inputs *in, u64 address, u64 alignment)
{
	return !(address & (alignment - 1)) && !(address >> IN(PHYSICAL_BITS));
}

bool pat_valid(u64 pat);
bool vector_has_error_code(u64 vector);
bool granularity_valid(struct check_inputs *in, enum vmcs_field limit, enum vmcs_field rights);
bool s_cet_valid(struct check_inputs *in, u64 value);
bool eptp_memory_type(struct check_inputs *in);
bool eptp_walk_length(struct check_inputs *in);
bool injected_vector_valid(struct check_inputs *in);
bool cs_dpl_valid(struct check_inputs *in);
bool wakes_from_activity(struct check_inputs *in);
bool pdpte_valid(struct check_inputs *in, u64 pdpte);

#endif
