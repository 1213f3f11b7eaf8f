/* SPDX-License-Identifier: Apache-2.0 */
/* Which comes first, an instruction's exception or its intercept (APM 2:15.9, table 15-7). */
#include "svm.h"

#define CR(number) (1u << (number))
#define XSETBV     (1u << 13) /* of intercepts4 */
#define GP         (EXIT_EXCP + 13)
#define UD         (EXIT_EXCP + 6)
#define DB         (EXIT_EXCP + 1)
#define ALL        (1u << 13 | 1u << 6 | 1u << 1)

static const struct row {
	const char *rule;
	const char *code; /* in 64-bit mode */
	u64 rax, cr4, dr7;
	bool user;
	u64 exit;
} rows[] = {
	{"MOV CR0 is intercepted", "\x0f\x22\xc0", 0x80000031, 0, 0, false, 0x10},
	{"but PG without PE is #GP before", "\x0f\x22\xc0", 0x80000030, 0, 0, false, GP},
	{"so is NW without CD", "\x0f\x22\xc0", 0xa0000031, 0, 0, false, GP},
	{"MOV CR3: bits beyond the physical address are #GP before", "\x0f\x22\xd8", 1ull << 60, 0,
	 0, false, GP},
	{"MOV CR4: reserved bits are #GP before", "\x0f\x22\xe0", 1ull << 40, 0, 0, false, GP},
	{"MOV CR8: 15 is intercepted", "\x44\x0f\x22\xc0", 15, 0, 0, false, 0x18},
	{"16 is #GP before", "\x44\x0f\x22\xc0", 16, 0, 0, false, GP},
	{"MOV from CR0 without privilege is #GP before", "\x0f\x20\xc0", 0, 0, 0, true, GP},
	{"MOV DR7 is intercepted", "\x0f\x23\xf8", 0x400, 0, 0, false, 0x37},
	{"bits 63:32 are #GP before", "\x0f\x23\xf8", 1ull << 32, 0, 0, false, GP},
	{"DR4 with CR4.DE is #UD before", "\x0f\x21\xe0", 0, 8, 0, false, UD},
	{"general detect is #DB before", "\x0f\x21\xc0", 0, 0, 0x2400, false, DB},
	{"without privilege it is #GP before", "\x0f\x21\xc0", 0, 0, 0, true, GP},
	{"XSETBV's intercept comes before #GP, without privilege, too", "\x0f\x01\xd1", 0, 1u << 18,
	 0, true, 0x8d},
	{"XSETBV is #UD before without CR4.OSXSAVE", "\x0f\x01\xd1", 0, 0, 0, true, UD},
};

static char code[16] __attribute__((aligned(16)));

static void at_cpl3(void)
{
	vmcb.cs.selector = SEL_CODE3 | 3;
	vmcb.cs.attributes = 0xafb;
	vmcb.ss.selector = SEL_DATA3 | 3;
	vmcb.ss.attributes = 0xcf3;
	vmcb.cpl = 3;
}

static void check(const struct row *row)
{
	section(row->rule);
	__builtin_memcpy(code, row->code, 4);
	svm_prepare((void (*)(void))code);
	vmcb.cr_read = vmcb.cr_write = vmcb.dr_read = vmcb.dr_write = 0xffff;
	vmcb.exceptions = ALL;
	vmcb.intercepts4 |= XSETBV;
	vmcb.rax = row->rax;
	vmcb.cr4 |= row->cr4;
	vmcb.dr7 = 0x400 | row->dr7;
	if (row->user)
		at_cpl3();
	CHECK_EQUAL(svm_run(), row->exit);
	CHECK_EQUAL(vmcb.rip, (u64)code);
}

void payload(void)
{
	svm_begin();
	for (unsigned int n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		check(&rows[n]);
}
