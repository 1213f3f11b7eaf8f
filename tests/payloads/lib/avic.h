/* SPDX-License-Identifier: Apache-2.0 */
/* A guest with AVIC for payloads: its page, its tables, and two interrupts that tell of themselves.
 */
#ifndef PAYLOAD_AVIC_H
#define PAYLOAD_AVIC_H

#include "svm.h"

#define AVIC   (1ull << 31)
#define X2AVIC (1ull << 30)

#define DOORBELL 0xc001011b

#define EXIT_INCOMPLETE 0x401
#define EXIT_NOACCEL    0x402
#define WRITE           (1ull << 32) /* EXITINFO1 of EXIT_NOACCEL */

/* EXITINFO2[63:32] of EXIT_INCOMPLETE (table 15-27). */
enum { INVALID_TYPE, NOT_RUNNING, INVALID_TARGET, INVALID_BACKING_PAGE, INVALID_VECTOR };

/* ICR, and the shorthands in it. */
#define LOGICAL 0x800u
#define SELF    (1u << 18)
#define ALL     (2u << 18)
#define OTHERS  (3u << 18)

#define VALID   (1ull << 63)
#define RUNNING (1ull << 62)

/* The first two exit by VMMCALL with RBP telling which it was; QUIET ends itself and goes on. */
#define VECTOR 0x75
#define LOWER  0x41
#define QUIET  0x91

#define RCX 1
#define RDX 2
#define RBX 3
#define RBP 5
#define RSI 6
#define RDI 7

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Where the guest sees its APIC, and where that is. */
extern u8 guest_apic[4096], backing_page[4096];
extern u64 physical_table[512];
extern u32 logical_table[1024];

#define A(offset) (*(volatile u32 *)(backing_page + (offset)))
#define ISR       0x100
#define TMR       0x180
#define IRR       0x200

static inline volatile u32 *vector_word(u32 bank, u8 vector)
{
	return &A(bank + vector / 32 * 16);
}

static inline void set_vector(u32 bank, u8 vector)
{
	*vector_word(bank, vector) |= 1u << vector % 32;
}

static inline bool has_vector(u32 bank, u8 vector)
{
	return *vector_word(bank, vector) >> vector % 32 & 1;
}

/* Guests: what they do, between two labels, then VMMCALL. */
#define GUEST(name, code)                                                                          \
	extern char name[], name##_behind[];                                                       \
	__asm__(".text\n" #name ":\n\t" code "\n" #name "_behind:\n\tvmmcall\n")
extern char nothing[];

/* Turns SVM on. False: the processor is without that feature. */
bool avic_begin(u32 feature);
/* xAVIC, RFLAGS.IF set, an empty page; the guest's APIC ID is 0, and in the tables it runs here. */
void avic_prepare(char *code);
/* Of the nested tables, for that page of 4 KiB. */
u64 *nested_entry(const void *page);

void expect_exit(u64 code, char *rip);
void expect_noaccel(u64 info, char *rip);
/* That interrupt came, at that RIP. */
void expect_interrupt(u8 vector, char *interrupted);

#endif
