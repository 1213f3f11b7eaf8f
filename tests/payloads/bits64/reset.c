/* SPDX-License-Identifier: Apache-2.0 */
/* What a reset of the machine leaves (SDM 3A:10.1.1, table 10-1; APM 2:14.1): the first time, state
 * is set and the reset register written; the second time, it has to be gone. CMOS memory, which
 * a battery keeps, tells the two apart. */
#include "payload.h"

#define CMOS_FREE     0x40 /* a byte of CMOS memory that nobody uses */
#define MARK          0x5a
#define RESET_PORT    0xcf9
#define CR4_OSFXSR    (1u << 9)
#define CR4_OSXSAVE   (1u << 18)
#define CR4_PKE       (1u << 22)
#define XCR0_X87_AVX  7
#define XCR0_PKRU     (1u << 9)
#define MSR_LSTAR     0xc0000082
#define MSR_TSC_AUX   0xc0000103
#define LAPIC_SPIV    ((volatile u32 *)0xfee000f0)
#define LAPIC_ENABLED 0x1ff

static u64 ymm[4] __attribute__((aligned(32)));

static u8 cmos_read(void)
{
	outb(0x70, CMOS_FREE);
	return inb(0x71);
}

static void cmos_write(u8 value)
{
	outb(0x70, CMOS_FREE);
	outb(0x71, value);
}

static u32 xgetbv(void)
{
	u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void enable_state(void)
{
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | CR4_OSFXSR | CR4_OSXSAVE | CR4_PKE);
}

static void dirty(void)
{
	for (unsigned int i = 0; i < 4; i++)
		ymm[i] = ~0ull;
	__asm__ volatile("xsetbv" : : "a"(XCR0_X87_AVX | XCR0_PKRU), "d"(0), "c"(0));
	__asm__ volatile("vmovdqa %0, %%ymm7" : : "m"(ymm));
	__asm__ volatile("wrpkru" : : "a"(0x55555554), "c"(0), "d"(0));
	__asm__ volatile("fld1");
	WRITE_REGISTER("dr0", 0x1234);
	WRITE_REGISTER("cr2", 0x5678);
	wrmsr(MSR_LSTAR, 0x1000);
	wrmsr(MSR_TSC_AUX, 7);
	*LAPIC_SPIV = LAPIC_ENABLED;
}

static void check_clean(void)
{
	u32 pkru, edx;
	u16 tag;
	struct __attribute__((packed)) {
		u16 control, unused0, status, unused1, tag, unused2[9];
	} environment;

	section("SDM 3A:10.1.1 table 10-1: RESET");
	CHECK_EQUAL(xgetbv(), 1);
	CHECK_EQUAL(READ_REGISTER("dr0"), 0);
	CHECK_EQUAL(READ_REGISTER("cr2"), 0);
	CHECK_EQUAL(rdmsr(MSR_LSTAR), 0);
	CHECK_EQUAL(rdmsr(MSR_TSC_AUX), 0);
	CHECK_EQUAL(*LAPIC_SPIV, 0xff);
	__asm__ volatile("fnstenv %0" : "=m"(environment));
	tag = environment.tag;
	CHECK_EQUAL(tag, 0x5555); /* all zero; FNINIT makes them empty */
	CHECK_EQUAL(environment.control, 0x40);
	__asm__ volatile("rdpkru" : "=a"(pkru), "=d"(edx) : "c"(0));
	CHECK_EQUAL(pkru, 0);
	__asm__ volatile("xsetbv" : : "a"(XCR0_X87_AVX), "d"(0), "c"(0));
	__asm__ volatile("vmovdqa %%ymm7, %0" : "=m"(ymm));
	for (unsigned int i = 0; i < 4; i++)
		CHECK_EQUAL(ymm[i], 0);
}

void payload(void)
{
	enable_state();
	if (cmos_read() != MARK) {
		cmos_write(MARK);
		dirty();
		outb(RESET_PORT, 2);
		outb(RESET_PORT, 6);
		print("FAIL no reset\n");
		return;
	}
	check_clean();
}
