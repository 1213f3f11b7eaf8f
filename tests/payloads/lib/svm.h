/* SPDX-License-Identifier: Apache-2.0 */
/* SVM for payloads: a VMCB that makes a guest of the payload's own world, to be changed from there.
 */
#ifndef PAYLOAD_SVM_H
#define PAYLOAD_SVM_H

#include "payload.h"

struct svm_segment {
	u16 selector, attributes;
	u32 limit;
	u64 base;
};

/* APM 2 appendix B, tables B-1 and B-2. */
struct svm_vmcb {
	u16 cr_read, cr_write, dr_read, dr_write;
	u32 exceptions, intercepts3, intercepts4, intercepts5;
	u8 reserved18[0x24];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;
	u32 asid;
	u8 tlb_control, reserved5d[3];
	u64 v_intr, interrupt_state;
	u64 exit_code, exit_info1, exit_info2, exit_int_info;
	u64 np_control, avic_bar, ghcb, event_inj, n_cr3, virt_ext, clean, n_rip;
	u8 bytes_fetched, bytes[15];
	u64 avic_backing, reserved_e8, avic_logical, avic_physical;
	u8 reserved100[0x20];
	u16 bus_lock_count;
	u8 reserved122[0x2de];
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved4a0[0x2b], cpl;
	u32 reserved4cc;
	u64 efer;
	u8 reserved4d8[0x70];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved580[0x58];
	u64 rsp, s_cet, ssp, isst, rax;
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved648[0x20];
	u64 g_pat, dbgctl, br_from, br_to, excp_from, excp_to;
	u8 reserved698[0x968];
};
_Static_assert(sizeof(struct svm_vmcb) == 4096, "a VMCB is a page");
_Static_assert(offsetof(struct svm_vmcb, np_control) == 0x90, "APM 2 table B-1");
_Static_assert(offsetof(struct svm_vmcb, bytes_fetched) == 0xd0, "APM 2 table B-1");
_Static_assert(offsetof(struct svm_vmcb, avic_backing) == 0xe0, "APM 2 table B-1");
_Static_assert(offsetof(struct svm_vmcb, cpl) == 0x4cb, "APM 2 table B-2");
_Static_assert(offsetof(struct svm_vmcb, rsp) == 0x5d8, "APM 2 table B-2");
_Static_assert(offsetof(struct svm_vmcb, g_pat) == 0x668, "APM 2 table B-2");

/* intercepts3 */
#define SVM_INTR     (1u << 0)
#define SVM_NMI      (1u << 1)
#define SVM_SMI      (1u << 2)
#define SVM_VINTR    (1u << 4)
#define SVM_CR0_SEL  (1u << 5)
#define SVM_RDTSC    (1u << 14)
#define SVM_CPUID    (1u << 18)
#define SVM_IRET     (1u << 20)
#define SVM_SWINT    (1u << 21)
#define SVM_PAUSE    (1u << 23)
#define SVM_HLT      (1u << 24)
#define SVM_INVLPG   (1u << 25)
#define SVM_IOIO     (1u << 27)
#define SVM_MSR      (1u << 28)
#define SVM_SHUTDOWN (1u << 31)
/* intercepts4 */
#define SVM_VMRUN   (1u << 0)
#define SVM_VMMCALL (1u << 1)
#define SVM_VMLOAD  (1u << 2)
#define SVM_VMSAVE  (1u << 3)
#define SVM_ICEBP   (1u << 8)

enum svm_exit_code {
	EXIT_EXCP = 0x40,
	EXIT_INTR = 0x60,
	EXIT_SMI = 0x62,
	EXIT_VINTR = 0x64,
	EXIT_CPUID = 0x72,
	EXIT_SHUTDOWN = 0x7f,
	EXIT_VMMCALL = 0x81,
	EXIT_VMLOAD = 0x82,
	EXIT_VMSAVE = 0x83,
	EXIT_ICEBP = 0x88,
	EXIT_NPF = 0x400,
};
#define EXIT_INVALID (~0ull)

#define SVM_INJECT       (1ull << 31)
#define SVM_INJECT_ERROR (1ull << 11)
#define SVM_TYPE(type)   ((u64)(type) << 8)

extern u8 svm_host_save[4096]; /* VM_HSAVE_PA */
extern struct svm_vmcb vmcb;
extern u64 svm_guest_registers[16]; /* in the order of their numbers; RAX and RSP are the VMCB's */
extern u8 svm_iopm[3 * 4096], svm_msrpm[2 * 4096];

bool svm_offered(void);
/* CPUID 8000000AH's EDX. */
u32 svm_features(void);
#define SVM_FEATURE_NRIP   (1u << 3)
#define SVM_FEATURE_DECODE (1u << 7)
#define SVM_FEATURE_AVIC   (1u << 13)
#define SVM_FEATURE_VGIF   (1u << 16)
#define SVM_FEATURE_X2AVIC (1u << 18)
#define SVM_FEATURE_IDLE   (1u << 30)
/* Turns SVM on. */
void svm_begin(void);
/* The VMCB for a guest that runs @code at level 0 of the payload's world, on other_stack, and exits
 * by VMMCALL. */
void svm_prepare(void (*code)(void));
/* With nested tables that map the first GiB one to one by 2 MiB pages. */
void svm_prepare_nested(void (*code)(void));
extern u64 svm_nested_pml4[512], svm_nested_pdpt[512], svm_nested_directory[512];
/* VMRUN; returns EXITCODE. GIF stays as the exit leaves it: 0. */
u64 svm_enter(void);
/* The same, then STGI. */
u64 svm_run(void);

static inline void svm_stgi(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

static inline void svm_clgi(void)
{
	__asm__ volatile("clgi" : : : "memory");
}

#endif
