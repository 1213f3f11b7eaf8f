/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual-machine control block: its fields by name, and bits of them (APM 2 appendix B). */
#ifndef LOCKSTEP_SIM_SVM_MODEL_VMCB_H
#define LOCKSTEP_SIM_SVM_MODEL_VMCB_H

#include "mmu/types.h"

enum vmcb_field {
#define VMCB(identifier, offset, size, group, clean, name) VMCB_##identifier,
#include "sim/svm-model/vmcb_fields.def"
#undef VMCB
	VMCB_FIELD_COUNT
};

enum vmcb_group {
	VMCB_GROUP_NONE,
	VMCB_GROUP_CONTROL,
	VMCB_GROUP_EXIT,
	VMCB_GROUP_BOTH,
	VMCB_GROUP_STATE,
	VMCB_GROUP_LOAD,
	VMCB_GROUP_NESTED,
	VMCB_GROUP_CET,
	VMCB_GROUP_LBR,
	VMCB_GROUP_SPEC,
};

struct vmcb_field_row {
	u16 offset;
	u8 size, group;
	const char *identifier, *name;
};

extern const struct vmcb_field_row vmcb_fields[VMCB_FIELD_COUNT];

/* A segment's four fields stand together. */
enum { VMCB_SELECTOR, VMCB_ATTRIB, VMCB_LIMIT, VMCB_BASE };

/* V_INTR */
#define V_TPR           UINT64_C(0xff)
#define V_IRQ           BIT(8)
#define V_GIF           BIT(9)
#define V_NMI           BIT(11)
#define V_NMI_MASK      BIT(12)
#define V_PRIORITY(v)   ((v) >> 16 & 0xf)
#define V_IGN_TPR       BIT(20)
#define V_INTR_MASKING  BIT(24)
#define V_GIF_ENABLE    BIT(25)
#define V_NMI_ENABLE    BIT(26)
#define V_X2AVIC_ENABLE BIT(30)
#define V_AVIC_ENABLE   BIT(31)
#define V_VECTOR(v)     ((u8)((v) >> 32))

/* INTERRUPT_STATE */
#define INTERRUPT_SHADOW     BIT(0)
#define GUEST_INTERRUPT_MASK BIT(1)

/* NP_CONTROL, VIRT_EXT */
#define NP_ENABLE       BIT(0)
#define NP_GMET         BIT(3)
#define VIRT_LBR        BIT(0)
#define VIRT_VMLOADSAVE BIT(1)

/* The pointers of AVIC, and what stands below that of the physical APIC ID table (APM 2:15.29.4.2).
 */
#define AVIC_ADDRESS(field)   ((field) & ~PAGE_OFFSET_MASK)
#define AVIC_MAX_INDEX(field) ((field)&PAGE_OFFSET_MASK)

/* EVENTINJ and EXITINTINFO (APM 2:15.20, figure 15-5; 15.7.2, figure 15-1) */
#define INJ_VECTOR(e)   ((u8)(e))
#define INJ_TYPE(e)     ((e) >> 8 & 7)
#define INJ_TYPE_SHIFT  8
#define INJ_ERROR_VALID BIT(11)
#define INJ_VALID       BIT(31)
#define INJ_ERROR(e)    ((u32)((e) >> 32))
#define INJ_ERROR_SHIFT 32
enum { INJ_INTR = 0, INJ_NMI = 2, INJ_EXCEPTION = 3, INJ_SOFTWARE = 4 };

/* TLB_CONTROL (APM 2:15.16.1, table 15-9) */
enum { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_ASID = 3, TLB_FLUSH_ASID_LOCAL = 7 };

/* Fields from and to the page at @page (NULL: no memory there, reads as all ones). */
void vmcb_fetch(u64 *value, const u8 *page);      /* what VMRUN looks at */
void vmcb_fetch_load(u64 *value, const u8 *page); /* what VMLOAD looks at */
void vmcb_fetch_all(u64 *value, const u8 *page);  /* everything, for `explain` */
void vmcb_store_all(const u64 *value, u8 *page);
void vmcb_store_load(const u64 *value, u8 *page);  /* VMSAVE */
void vmcb_store_exit(const u64 *value, u8 *page);  /* EXIT and BOTH */
void vmcb_store_state(const u64 *value, u8 *page); /* STATE */
void vmcb_store_field(const u64 *value, u8 *page, enum vmcb_field field);

#endif
