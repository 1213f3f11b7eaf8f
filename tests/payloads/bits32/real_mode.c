/* SPDX-License-Identifier: Apache-2.0 */
/* Real mode: SDM 3A:20.1, 9.9 (mode switches). Snippets run at REAL_SEGMENT:0x100 and come back by
 * reaching their end, or by an interrupt whose vector the kit catches. */
#include "payload.h"

#define REAL_BASE    0x10000u
#define REAL_SEGMENT 0x1000
#define DATA_BASE    0x20000u
#define DATA_SEGMENT 0x2000
#define STACK_TOP16  0x8000
#define SNIPPET      0x100
#define STUBS        0x1000
#define SEL_CODE16   SEL_FREE
#define SEL_DATA16   (SEL_FREE + 8)

/* What the 16-bit side leaves in its data segment. */
static volatile struct result {
	u16 vector, sp, stack[6];
	u16 ax, bx, cx, dx, flags;
} *const result = (void *)DATA_BASE;

extern const char kit16[], kit16_end[], kit16_done[], kit16_trap[];
u32 kit_esp;
u16 real_idt_limit = 0x3ff;
struct __attribute__((packed)) {
	u16 limit;
	u32 base;
} real_idt, protected_idt;

/* kit16 is copied to REAL_BASE and assembled as if it lay at offset 0 there. */
__asm__(".code16\n"
	"kit16: mov %cr0, %eax; and $~1, %al; mov %eax, %cr0\n"
	"ljmp $0x1000, $(1f - kit16)\n"
	"1: mov $0x2000, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov $0x8000, %sp\n"
	"xor %ax, %ax; xor %bx, %bx; xor %cx, %cx; xor %dx, %dx; push $0x0002; popf\n"
	".byte 0xe9; .word 0x100 - (. + 2 - kit16)\n" /* jmp to the snippet */
	"kit16_trap: push %ds; push %ax; mov $0x2000, %ax; mov %ax, %ds; pop 16; pop %ax\n"
	"pop 0; mov %sp, 2; pop 4; pop 6; pop 8; pop 10; mov 16, %ax\n"
	"kit16_done: push %ax; mov $0x2000, %ax; mov %ax, %ds; pop 16\n"
	"mov %bx, 18; mov %cx, 20; mov %dx, 22; pushf; pop 24\n"
	"mov %cr0, %eax; or $1, %al; mov %eax, %cr0\n"
	"ljmpl $0x08, $real_back\n"
	"kit16_end:\n"
	".code32\n"
	"real_go: pusha; mov %esp, kit_esp; lidt real_idt\n"
	"mov $0x58, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs; mov %eax, "
	"%ss\n"
	"ljmp $0x50, $0\n"
	"real_back: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs\n"
	"mov %eax, %ss; mov kit_esp, %esp; lidt protected_idt; popa; ret");
void real_go(void);

static void copy(u32 to, const void *from, u32 size)
{
	for (u32 i = 0; i < size; i++)
		((volatile u8 *)to)[i] = ((const u8 *)from)[i];
}

/* Stubs of 8 bytes: push the vector, jump to kit16_trap. */
static void make_stubs(void)
{
	for (u32 v = 0; v < 256; v++) {
		volatile u8 *stub = (u8 *)REAL_BASE + STUBS + 8 * v;
		u16 distance = (u16)((kit16_trap - kit16) - (STUBS + 8 * v + 6));

		stub[0] = 0x68;
		*(volatile u16 *)(stub + 1) = (u16)v;
		stub[3] = 0xe9;
		*(volatile u16 *)(stub + 4) = distance;
		((volatile u32 *)0)[v] = REAL_SEGMENT << 16 | (STUBS + 8 * v);
	}
}

static void run(const void *code, u32 size)
{
	u16 distance = (u16)((kit16_done - kit16) - (SNIPPET + size + 3));
	volatile u8 *end = (u8 *)REAL_BASE + SNIPPET + size;

	copy(REAL_BASE + SNIPPET, code, size);
	end[0] = 0xe9;
	end[1] = (u8)distance;
	end[2] = (u8)(distance >> 8);
	*result = (struct result){.vector = 0xffff};
	real_idt.limit = real_idt_limit;
	real_go();
}

/* 16-bit assembly, and how it is run. */
#define SNIP(name, text)                                                                           \
	__asm__(".code16\n" #name ": " text "\n" #name "_end:\n.code32");                          \
	extern const char name[], name##_end[]
#define RUN(name) run(name, (u32)(name##_end - name))

SNIP(plain, "mov $0x1234, %bx; mov %cs, %ax; mov %ss, %dx");
SNIP(software, "sti; stc; mov $7, %bx; int $0x60");
SNIP(returning, "push $0x0003; push %cs; push $0x120; iret; mov $1, %bx; .fill 64, 1, 0x90");
SNIP(far_transfers, "push %cs; push $0x150; lret; .fill 0x40, 1, 0xf4; .fill 32, 1, 0x90;"
		    "mov $5, %bx; mov %sp, %cx");
SNIP(word_at_end, "mov 0xffff, %ax");
SNIP(divide, "mov $9, %bx; div %dl");
SNIP(undefined, "mov $9, %bx; ud2");
SNIP(system_call, "syscall");
SNIP(fast_call, "sysenter");
SNIP(access_rights, "lar %ax, %bx");
SNIP(task_register, "str %ax");
SNIP(prefixes, "mov $0x12345678, %eax; mov %eax, 0x40; mov $0x40, %ebx; mov 2(%ebx), %cx; shr $16, "
	       "%eax; mov %ax, %dx");
SNIP(long_address, "mov $0x10000, %ebx; mov (%ebx), %ax");
SNIP(far_call, "lcall $0x1000, $0x110; mov %sp, %dx; mov $3, %cx; jmp 1f; nop; nop; nop; nop;"
	       "pop %ax; pop %bx; push %bx; push %ax; lret; 1:");
SNIP(flags32, "pushfl; pop %eax; mov %ax, %bx; shr $16, %eax");
SNIP(beyond_ivt, "int $0x60");

static void events(void)
{
	section("SDM 3A:20.1.4 INT n: FLAGS, CS, IP pushed; IF and TF cleared");
	RUN(software);
	CHECK_EQUAL(result->vector, 0x60);
	CHECK_EQUAL(result->sp, STACK_TOP16 - 6);
	CHECK_EQUAL(result->stack[0], SNIPPET + 7);
	CHECK_EQUAL(result->stack[1], REAL_SEGMENT);
	CHECK_EQUAL(result->stack[2], 0x203);
	CHECK_EQUAL(result->flags & 0x300, 0);
	section("SDM 3A:20.1.4 exceptions push no error code");
	RUN(word_at_end);
	CHECK_EQUAL(result->vector, 13);
	CHECK_EQUAL(result->sp, STACK_TOP16 - 6);
	CHECK_EQUAL(result->stack[0], SNIPPET);
	RUN(divide);
	CHECK_EQUAL(result->vector, 0);
	CHECK_EQUAL(result->stack[0], SNIPPET + 3);
	RUN(undefined);
	CHECK_EQUAL(result->vector, 6);
	section("SDM 3A:20.1.4 a vector beyond the table's limit: #GP");
	real_idt_limit = 0x60 * 4 + 2;
	RUN(beyond_ivt);
	CHECK_EQUAL(result->vector, 13);
	CHECK_EQUAL(result->stack[0], SNIPPET);
	real_idt_limit = 0x60 * 4 + 3;
	RUN(beyond_ivt);
	CHECK_EQUAL(result->vector, 0x60);
	real_idt_limit = 0x3ff;
	section("SDM 3A:20.1.3 instructions without real mode: #UD; SYSENTER: #GP");
	RUN(access_rights);
	CHECK_EQUAL(result->vector, 6);
	RUN(task_register);
	CHECK_EQUAL(result->vector, 6);
	RUN(system_call);
	CHECK_EQUAL(result->vector, 6);
	RUN(fast_call);
	CHECK_EQUAL(result->vector, 13);
}

static void transfers(void)
{
	section("SDM 3A:9.9 into real mode and back");
	RUN(plain);
	CHECK_EQUAL(result->vector, 0xffff);
	CHECK_EQUAL(result->bx, 0x1234);
	CHECK_EQUAL(result->ax, REAL_SEGMENT);
	CHECK_EQUAL(result->dx, DATA_SEGMENT);
	section("SDM 2A CALL, 2B RET, 2A IRET in real mode");
	RUN(far_transfers);
	CHECK_EQUAL(result->bx, 5);
	CHECK_EQUAL(result->cx, STACK_TOP16);
	RUN(returning);
	CHECK_EQUAL(result->vector, 0xffff);
	CHECK_EQUAL(result->flags & 1, 1);
	CHECK_EQUAL(result->bx, 0);
	RUN(far_call);
	CHECK_EQUAL(result->vector, 0xffff);
	CHECK_EQUAL(result->cx, 3);
	CHECK_EQUAL(result->dx, STACK_TOP16);
	CHECK_EQUAL(result->ax, SNIPPET + 5);
	CHECK_EQUAL(result->bx, REAL_SEGMENT);
	section("SDM 2A:2.1.1 operand- and address-size prefixes");
	RUN(prefixes);
	CHECK_EQUAL(result->cx, 0x1234);
	CHECK_EQUAL(result->dx, 0x1234);
	section("SDM 3A:20.1.1 an offset above the limit: #GP");
	RUN(long_address);
	CHECK_EQUAL(result->vector, 13);
	section("SDM 2B PUSHF: VM and RF read as 0");
	RUN(flags32);
	CHECK_EQUAL(result->ax, 0);
	CHECK_EQUAL(result->bx, 2);
}

void payload(void)
{
	gdt[SEL_CODE16 / 8] = descriptor(REAL_BASE, 0xffff, ACCESS_CODE0, 0);
	gdt[SEL_DATA16 / 8] = descriptor(0, 0xffff, ACCESS_DATA0, 0);
	real_idt.base = 0;
	protected_idt.limit = sizeof(idt) - 1;
	protected_idt.base = (u32)idt;
	copy(REAL_BASE, kit16, (u32)(kit16_end - kit16));
	make_stubs();
	transfers();
	events();
	section("SDM 3A:9.9.2 unreal: limits loaded in protected mode stay");
	gdt[SEL_DATA16 / 8] = descriptor(0, 0xffffffff, ACCESS_DATA0, 8);
	*(volatile u16 *)(DATA_BASE + 0x10000) = 0xbeef;
	RUN(long_address);
	CHECK_EQUAL(result->vector, 0xffff);
	CHECK_EQUAL(result->ax, 0xbeef);
}
