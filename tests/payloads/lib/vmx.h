/* SPDX-License-Identifier: Apache-2.0 */
/* VMX for payloads: a VMCS that makes a guest of the payload's own world, to be changed from there.
 */
#ifndef PAYLOAD_VMX_H
#define PAYLOAD_VMX_H

#include "payload.h"

/* Encodings (SDM 3D appendix B) and bits that the payloads use. */
enum vmcs_encoding {
	VPID = 0x0000,
	POSTED_VECTOR = 0x0002,
	LAST_PID_POINTER = 0x0008,
	GUEST_ES = 0x0800,
	GUEST_CS = 0x0802,
	GUEST_SS = 0x0804,
	GUEST_LDTR = 0x080c,
	GUEST_TR = 0x080e,
	INTERRUPT_STATUS = 0x0810,
	HOST_ES = 0x0c00,
	HOST_CS = 0x0c02,
	HOST_SS = 0x0c04,
	HOST_TR = 0x0c0c,
	IO_BITMAP_A = 0x2000,
	IO_BITMAP_B = 0x2002,
	MSR_BITMAP = 0x2004,
	EXIT_MSR_STORE = 0x2006,
	EXIT_MSR_LOAD = 0x2008,
	ENTRY_MSR_LOAD = 0x200a,
	TSC_OFFSET = 0x2010,
	VIRTUAL_APIC = 0x2012,
	APIC_ACCESS = 0x2014,
	POSTED_DESCRIPTOR = 0x2016,
	EPTP = 0x201a,
	EOI_EXIT_0 = 0x201c,
	VMREAD_BITMAP = 0x2026,
	VMWRITE_BITMAP = 0x2028,
	TERTIARY = 0x2034,
	PID_POINTER_TABLE = 0x2042,
	GUEST_PHYSICAL = 0x2400,
	LINK_POINTER = 0x2800,
	GUEST_DEBUGCTL = 0x2802,
	PIN = 0x4000,
	PRIMARY = 0x4002,
	EXCEPTION_BITMAP = 0x4004,
	PAGE_FAULT_MASK = 0x4006,
	PAGE_FAULT_MATCH = 0x4008,
	CR3_TARGET_COUNT = 0x400a,
	EXIT_CONTROLS = 0x400c,
	EXIT_MSR_STORE_COUNT = 0x400e,
	EXIT_MSR_LOAD_COUNT = 0x4010,
	ENTRY_CONTROLS = 0x4012,
	ENTRY_MSR_LOAD_COUNT = 0x4014,
	ENTRY_INFO = 0x4016,
	ENTRY_ERROR = 0x4018,
	ENTRY_LENGTH = 0x401a,
	TPR_THRESHOLD = 0x401c,
	SECONDARY = 0x401e,
	INSTRUCTION_TIMEOUT = 0x4024,
	INSTRUCTION_ERROR = 0x4400,
	EXIT_REASON = 0x4402,
	EXIT_INFO = 0x4404,
	EXIT_ERROR = 0x4406,
	VECTORING_INFO = 0x4408,
	VECTORING_ERROR = 0x440a,
	EXIT_LENGTH = 0x440c,
	EXIT_INSTRUCTION = 0x440e,
	GUEST_ES_LIMIT = 0x4800,
	GUEST_GDTR_LIMIT = 0x4810,
	GUEST_IDTR_LIMIT = 0x4812,
	GUEST_ES_RIGHTS = 0x4814,
	GUEST_CS_RIGHTS = 0x4816,
	GUEST_LDTR_RIGHTS = 0x4820,
	GUEST_TR_RIGHTS = 0x4822,
	INTERRUPTIBILITY = 0x4824,
	ACTIVITY = 0x4826,
	PREEMPTION_TIMER = 0x482e,
	CR0_MASK = 0x6000,
	CR4_MASK = 0x6002,
	CR0_SHADOW = 0x6004,
	CR4_SHADOW = 0x6006,
	QUALIFICATION = 0x6400,
	GUEST_LINEAR = 0x640a,
	GUEST_CR0 = 0x6800,
	GUEST_CR3 = 0x6802,
	GUEST_CR4 = 0x6804,
	GUEST_ES_BASE = 0x6806,
	GUEST_TR_BASE = 0x6814,
	GUEST_GDTR_BASE = 0x6816,
	GUEST_IDTR_BASE = 0x6818,
	GUEST_DR7 = 0x681a,
	GUEST_RSP = 0x681c,
	GUEST_RIP = 0x681e,
	GUEST_RFLAGS = 0x6820,
	PENDING_DEBUG = 0x6822,
	HOST_CR0 = 0x6c00,
	HOST_CR3 = 0x6c02,
	HOST_CR4 = 0x6c04,
	HOST_TR_BASE = 0x6c0a,
	HOST_GDTR_BASE = 0x6c0c,
	HOST_IDTR_BASE = 0x6c0e,
	HOST_SYSENTER_EIP = 0x6c12,
	HOST_RSP = 0x6c14,
	HOST_RIP = 0x6c16,
};

#define PRIMARY_TERTIARY             (1u << 17)
#define PRIMARY_TPR_SHADOW           (1u << 21)
#define PRIMARY_SECONDARY            (1u << 31)
#define PRIMARY_MSR_BITMAPS          (1u << 28)
#define PRIMARY_INTERRUPT_WINDOW     (1u << 2)
#define SECONDARY_APIC_ACCESS        1u
#define SECONDARY_X2APIC             (1u << 4)
#define SECONDARY_APIC_REGISTER      (1u << 8)
#define SECONDARY_VIRTUAL_INTERRUPTS (1u << 9)
#define SECONDARY_EPT                (1u << 1)

/* Entries of EPT (SDM 3C:29.3.2), and what IA32_VMX_EPT_VPID_CAP offers. */
#define EPT_R                1ull
#define EPT_W                2ull
#define EPT_X                4ull
#define EPT_RWX              7ull
#define EPT_CAP_EXECUTE_ONLY 1ull
#define EPT_CAP_ACCESSED     (1ull << 21)
#define EPT_CAP_EXIT_INFO    (1ull << 22)

/* Outcomes of an instruction of VMX (SDM 3C:31.2). */
enum vmx_outcome { SUCCEED, FAIL_INVALID, FAIL_VALID };

static inline enum vmx_outcome vmx_outcome(u64 flags)
{
	if (flags & 1)
		return FAIL_INVALID;
	return flags & 0x40 ? FAIL_VALID : SUCCEED;
}

#define VMX_OPERATION(name, instruction)                                                           \
	static inline enum vmx_outcome name(u64 address)                                           \
	{                                                                                          \
		u64 flags;                                                                         \
                                                                                                   \
		__asm__ volatile(instruction " %1; pushf; pop %0"                                  \
				 : "=r"(flags)                                                     \
				 : "m"(address)                                                    \
				 : "memory", "cc");                                                \
		return vmx_outcome(flags);                                                         \
	}
VMX_OPERATION(vmxon, "vmxon")
VMX_OPERATION(vmclear, "vmclear")
VMX_OPERATION(vmptrld, "vmptrld")

static inline enum vmx_outcome vmxoff(void)
{
	u64 flags;

	__asm__ volatile("vmxoff; pushf; pop %0" : "=r"(flags) : : "memory", "cc");
	return vmx_outcome(flags);
}

static inline enum vmx_outcome vmwrite(u64 encoding, u64 value)
{
	u64 flags;

	__asm__ volatile("vmwrite %1, %2; pushf; pop %0"
			 : "=r"(flags)
			 : "r"(value), "r"(encoding)
			 : "memory", "cc");
	return vmx_outcome(flags);
}

static inline u64 vmread(u64 encoding)
{
	u64 value = 0;

	__asm__ volatile("vmread %1, %0" : "+r"(value) : "r"(encoding) : "memory", "cc");
	return value;
}

/* Turns VMX on and makes a VMCS current. */
void vmx_begin(void);
/* The current VMCS for a guest that runs @code at level 0 of the payload's world, on other_stack.
 */
void vmx_prepare(void (*code)(void));
/* VMLAUNCH or VMRESUME; the guest keeps its general registers between its runs. */
enum vmx_outcome vmx_launch(void);
enum vmx_outcome vmx_resume(void);
/* Moves the guest behind the instruction that exited, and resumes it. */
enum vmx_outcome vmx_continue(void);
/* Sets what it can of controls, with those that must be 1. */
void vmx_set_pin(u32 bits);
bool vmx_set_tertiary(u64 bits);
/* Pin-based controls for a guest that halts: where the rule that wakes it is broken, the preemption
 * timer ends it. */
void vmx_set_pin_halted(u32 bits);
void vmx_set_primary(u32 bits);
bool vmx_set_secondary(u32 bits);
/* EPT for the current VMCS, with other secondary controls: the first 4 GiB one to one, all allowed.
 * False: not offered. */
bool vmx_set_ept(u32 more);
/* The entry of the 4-KiB page that @address is in; vmx_invept makes what is written there known. */
u64 *vmx_ept_entry(const void *address);
void vmx_invept(void);

/* The first 2 MiB, with the payload in it, in pages of 4 KiB: through larger ones APIC accesses may
 * be left alone (SDM 3C:30.4.5). */
void vmx_map_small_pages(void);

extern u64 vmx_guest_registers[16]; /* in the order of their numbers; RSP is the VMCS's */
extern u8 vmxon_region[4096], vmcs_region[4096];

#endif
