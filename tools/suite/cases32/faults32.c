/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions in protected mode: SDM 3A chapter 6. */
#define THEME "faults32"
#include "suite.h"

CASE(p32_divide, "DIV by zero is #DE")
{
	TRY("xor %edx, %edx; mov $7, %eax; xor %ecx, %ecx; div %ecx");
}

CASE(p32_undefined, "UD2 and register forms of memory operands are #UD")
{
	TRY("ud2");
	TRY(".byte 0x8d, 0xc0");
	TRY(".byte 0x62, 0xc0");
	TRY(".byte 0xc4, 0xc0");
	TRY(".byte 0x0f, 0xff, 0xc0");
}

CASE(p32_gates, "gates: absent, wrong type, beyond the limit")
{
	idt[0x60].type = 0x0e;
	TRY("int $0x60");
	idt[0x60].type = 0x80;
	TRY("int $0x60");
	idt[0x60].type = 0x8e;
	idt_load(0x60 * 8 + 6);
	TRY("int $0x60");
}

CASE(p32_gate_16, "a 16-bit gate pushes 16-bit words")
{
	extern const char gate16_entry[];

	__asm__(".pushsection .text; gate16_entry: mov (%esp), %eax; mov 4(%esp), %edx; add $6, "
		"%esp; int $0x61; .popsection");
	gate_set(0x60, (word)gate16_entry & 0xffff, 0x86);
	gdt[SEL_FREE / 8] = descriptor((u32)gate16_entry & 0xffff0000, 0xfffff, 0x9b, 0xc);
	idt[0x60].selector = SEL_FREE;
	TRY("int $0x60");
}

CASE(p32_double_fault, "a fault in the delivery of #GP is #DF")
{
	idt[13].type = 0x0e;
	TRY("mov $0x200, %eax; mov %eax, %fs");
	gate_reset(13);
}

CASE(p32_triple_fault, "and one in that of #DF shuts the processor down")
{
	idt[13].type = 0x0e;
	idt[8].type = 0x0e;
	TRY("mov $0x200, %eax; mov %eax, %fs");
}

CASE(p32_privileged, "privileged instructions at level 3")
{
	TRY_USER("hlt");
	TRY_USER("mov %cr0, %eax");
	TRY_USER("lidt scratch");
	TRY_USER("cli");
	TRY_USER("in $0x80, %al");
}

CASE(p32_segments, "loads of DS: beyond the table, absent, system, execute-only")
{
	gdt[SEL_FREE / 8] = descriptor(0, 0xfffff, 0x12, 0xc);
	gdt[SEL_FREE / 8 + 1] = descriptor(0, 0xfffff, 0x98, 0xc);
	TRY("mov $0x200, %eax; mov %eax, %fs");
	TRY("mov $0x50, %eax; mov %eax, %fs");
	TRY("mov $0x58, %eax; mov %eax, %fs");
	TRY("mov $0x40, %eax; mov %eax, %fs");
}
