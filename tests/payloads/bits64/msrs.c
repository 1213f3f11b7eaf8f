/* SPDX-License-Identifier: Apache-2.0 */
/* Prints every MSR that can be read, with its value, and what becomes of some writes: what a guest
 * can learn from MSRs of where it runs. Without those that count (10H, 3BH) and the local APIC's.
 */
#include "payload.h"

#define HWCR   0xc0010015
#define DE_CFG 0xc0011029

static u32 number, low, high;

static void read(void)
{
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
}

static void write(void)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"(low), "d"(high));
}

static void show(void)
{
	if (attempt(read))
		return;
	print_hex(number);
	print(" ");
	print_hex((u64)high << 32 | low);
	print("\n");
}

static void show_all(u32 first, u32 last)
{
	for (number = first; number <= last; number++)
		if (number != 0x10 && number != 0x3b && number >> 8 != 8)
			show();
}

/* Flips a bit, and says what came of it. */
static void flip(u32 msr, u8 bit)
{
	number = msr;
	print(attempt(read) ? "none " : "");
	low ^= bit < 32 ? 1u << bit : 0;
	high ^= bit < 32 ? 0 : 1u << (bit - 32);
	print(attempt(write) ? "refused " : "written ");
	show();
}

void payload(void)
{
	static const u8 bits[] = {0, 1, 2, 3, 18, 24, 33};

	show_all(0, 0x1fff);
	show_all(0x40000000, 0x400001ff);
	show_all(0x4b564d00, 0x4b564dff);
	show_all(0xc0000000, 0xc0001fff);
	show_all(0xc0010000, 0xc0011fff);
	for (u32 n = 0; n < sizeof(bits) && vendor_is_amd(); n++) {
		flip(HWCR, bits[n]);
		flip(DE_CFG, bits[n]);
	}
	CHECK(true);
}
