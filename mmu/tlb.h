/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software TLB: linear page and context to host pointer. One per vCPU.
 *
 * The low 12 bits of a tag hold a context, so that a hit needs one compare and a change of
 * address space or privilege needs no flush. A context is an address-space number (handed out
 * by the owner for every combination of PCID, VPID, ASID and EPT pointer that is live) and the
 * privilege under which the permissions were checked.
 *
 * An access hits only when its last byte lies in the entry's page: page-crossers miss by
 * themselves. Pages whose writes must be seen (traces were made from them, dirty logging) have
 * no write tag, pages without host memory (MMIO) have no tag at all.
 */
#ifndef LOCKSTEP_MMU_TLB_H
#define LOCKSTEP_MMU_TLB_H

#include "mmu/types.h"

struct slot;

#define TLB_DATA_ENTRIES  1024
#define TLB_CODE_ENTRIES  512
#define TLB_SECOND_SETS   1024
#define TLB_SECOND_WAYS   4
#define TLB_WRITABLE_BITS 4096

/* Privilege half of a context: what SDM 3A:4.6 lets the permissions depend on. */
enum tlb_privilege {
	TLB_SUPERVISOR,    /* CPL < 3, SMAP in force where enabled (EFLAGS.AC = 0) */
	TLB_SUPERVISOR_AC, /* CPL < 3, EFLAGS.AC = 1 */
	TLB_USER,          /* CPL = 3 */
	TLB_PRIVILEGES = 4
};

#define TLB_CONTEXT_BITS             12
#define TLB_ASIDS                    1022 /* address-space numbers 0..1021 */
#define TLB_CONTEXT(asid, privilege) ((u64)(asid) << 2 | (u64)(privilege))
/* Or-ed to a context for linear addresses with bit 63 set: all address spaces share their entries,
 * as kernels map them with global pages. The owner drops those that are not global when the
 * address space changes (tlb_flush_upper). */
#define TLB_CONTEXT_UPPER UINT64_C(0xffc)
/* A lookup with it hits nothing: accesses that have to be checked. No other context has
 * privilege 3. */
#define TLB_CONTEXT_NEVER TLB_CONTEXT(TLB_ASIDS, 3)
/* Its privilege is 3, its asid not NEVER's: equals the tag of no lookup. All bytes are alike. */
#define TLB_TAG_INVALID UINT64_C(0x5757575757575757)

struct tlb_entry {
	u64 read_tag;  /* linear page | context, or TLB_TAG_INVALID */
	u64 write_tag; /* the same, if writes may go straight to memory */
	u64 addend;    /* host address = linear address + addend */
	u64 gpa;       /* guest-physical page */
};

struct tlb_code_entry {
	u64 tag;
	u64 gpa;        /* guest-physical page */
	const u8 *host; /* its bytes; NULL if it is not in a slot */
	u64 reserved;
};

/* The second level: what walks found, for data and code alike, under the privilege of the tag. It
 * knows nothing of host memory, so guarding pages and dirty logs don't concern it. */
struct tlb_second {
	u64 tag; /* of the page; without TLB_CONTEXT_UPPER where the page is not global */
	u64 gpa; /* guest-physical page */
	u32 allowed; /* as struct walk_result's */
	u32 epoch;   /* global pages with bit 63 set: counts while tlb->epoch is the same; else 0 */
};

/* What was found, with leave to write, for pages that never get a write tag: those that no slot holds,
 * and guarded ones. They are few and written often. */
#define TLB_SLOW_ENTRIES 4
struct tlb_slow {
	u64 tag;
	u64 gpa;           /* guest-physical page */
	struct slot *slot; /* NULL: none holds it */
};

struct tlb {
	struct tlb_entry data[TLB_DATA_ENTRIES];
	struct tlb_code_entry code[TLB_CODE_ENTRIES];
	struct tlb_second second[TLB_SECOND_SETS][TLB_SECOND_WAYS];
	struct tlb_slow slow[TLB_SLOW_ENTRIES];
	/* Hashed guest-physical pages that an entry of data may have a write tag for. */
	u64 writable[TLB_WRITABLE_BITS / 64];
	u32 epoch; /* of the global pages in force, from 1 on: the owner's to change */
};

ALWAYS_INLINE struct tlb_entry *tlb_data_slot(struct tlb *tlb, u64 linear)
{
	return &tlb->data[(linear >> PAGE_SHIFT) & (TLB_DATA_ENTRIES - 1)];
}

ALWAYS_INLINE struct tlb_code_entry *tlb_code_slot(struct tlb *tlb, u64 linear)
{
	return &tlb->code[(linear >> PAGE_SHIFT) & (TLB_CODE_ENTRIES - 1)];
}

ALWAYS_INLINE struct tlb_slow *tlb_slow_slot(struct tlb *tlb, u64 linear)
{
	return &tlb->slow[(linear >> PAGE_SHIFT) & (TLB_SLOW_ENTRIES - 1)];
}

/* Where a hit of @entry lies: never NULL, which spares callers a second test. */
ALWAYS_INLINE void *tlb_host(const struct tlb_entry *entry, u64 linear)
{
	u64 host = linear + entry->addend;

	if (!host)
		__builtin_unreachable();
	return (void *)host;
}

/* The tag that a hit of [linear, linear + size) must show. */
ALWAYS_INLINE u64 tlb_tag(u64 linear, unsigned int size, u64 context)
{
	u64 upper = (u64)((s64)linear >> 63) & TLB_CONTEXT_UPPER;

	return ((linear + size - 1) & ~PAGE_OFFSET_MASK) | context | upper;
}

/* NULL: not known. */
const struct tlb_second *tlb_second_find(const struct tlb *tlb, u64 linear, u64 context);
void tlb_second_fill(struct tlb *tlb, u64 linear, u64 context, u64 gpa, u32 allowed, bool global);

/* Gives @entry, whose gpa is set, its write tag. */
void tlb_allow_write(struct tlb *tlb, struct tlb_entry *entry, u64 tag);

void tlb_flush_all(struct tlb *tlb);
/* Drops all translations of addresses with bit 63 set from the first level. */
void tlb_flush_upper(struct tlb *tlb);
/* Drops the translations of one 4 KiB page, for every context. */
void tlb_flush_page(struct tlb *tlb, u64 linear);
/* Takes write permission from every entry that maps the page of @gpa. */
void tlb_protect_gpa(struct tlb *tlb, u64 gpa);

#endif
