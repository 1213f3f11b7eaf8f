/* SPDX-License-Identifier: Apache-2.0 */
/* What every payload has: output, checks, traps that are expected, and the end. */
#include "payload.h"

#define SERIAL     0x3f8
#define EXIT_PORT  0xf4
#define OFF_PORT   0x8900 /* Bochs' */
#define STUB_BYTES 32

static u32 checks, failures;
static const char *rule = "";
static bool sections; /* are shown */

/* The compiler calls these two by itself. */
void *memset(void *to, int value, size_t size);
void *memset(void *to, int value, size_t size)
{
	u8 *bytes = to;

	while (size--)
		*(volatile u8 *)bytes++ = (u8)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t size);
void *memcpy(void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}

/* --- the command line --- */

/* Multiboot 3.3: flags bit 2 announces it at 16. */
const char *option(const char *name)
{
	const u32 *information = (const u32 *)(word)multiboot_information;
	const char *at, *n, *value;

	if (!(information[0] & 4))
		return NULL;
	for (at = (const char *)(word)information[4]; *at; at++) {
		for (n = name, value = at; *n && *n == *value; n++)
			value++;
		if (!*n && *value == '=')
			return value + 1;
	}
	return NULL;
}

/* --- output --- */

void print(const char *text)
{
	while (*text) {
		while (!(inb(SERIAL + 5) & 0x20))
			;
		outb(SERIAL, (u8)*text++);
	}
}

void drain(void)
{
	while (!(inb(SERIAL + 5) & 0x40))
		;
}

void print_hex(u64 value)
{
	char text[19] = "0x";
	int shift = 60, n = 2;

	while (shift && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		text[n++] = "0123456789abcdef"[value >> shift & 15];
	text[n] = 0;
	print(text);
}

_Noreturn void finish(u8 code)
{
	outb(EXIT_PORT, code);
	drain();
	for (const char *letter = "Shutdown"; *letter; letter++)
		outb(OFF_PORT, (u8)*letter);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void section(const char *name)
{
	rule = name;
	if (!sections)
		return;
	print("# ");
	print(name);
	print("\n");
}

void check_at(bool ok, const char *what, u64 found, u64 wanted)
{
	checks++;
	if (ok)
		return;
	failures++;
	print("FAIL ");
	print(rule);
	print(": ");
	print(what);
	print(" (");
	print_hex(found);
	print(", wanted ");
	print_hex(wanted);
	print(")\n");
}

void skip(const char *feature)
{
	print("SKIPPED: the processor has no ");
	print(feature);
	print("\n");
	finish(2);
}

/* start.S comes here when the payload returns. */
void payload_done(void);
void payload_done(void)
{
	print(failures || !checks ? "FAILED " : "PASSED ");
	print_hex(checks - failures);
	print(" of ");
	print_hex(checks);
	print(" checks\n");
	finish(failures || !checks);
}

/* --- descriptors --- */

u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
	if (flags & 8)
		limit >>= 12;
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)flags << 52 | (u64)(base >> 24) << 56;
}

#ifdef __x86_64__
#define CODE_FLAGS FLAGS_64
#else
#define CODE_FLAGS FLAGS_32
#endif

u64 gdt[GDT_ENTRIES] __attribute__((aligned(16))) = {
	[SEL_CODE0 / 8] = 0x000f9b000000ffff | (u64)CODE_FLAGS << 52,
	[SEL_DATA0 / 8] = 0x00cf93000000ffff,
	[SEL_CODE3_32 / 8] = 0x00cffb000000ffff,
	[SEL_DATA3 / 8] = 0x00cff3000000ffff,
	[SEL_CODE3 / 8] = 0x000ffb000000ffff | (u64)CODE_FLAGS << 52,
	[SEL_DATA3_B / 8] = 0x00cff3000000ffff,
	[SEL_CODE0_32 / 8] = 0x00cf9b000000ffff,
};

struct tss tss __attribute__((aligned(16)));
u8 kernel_stack[8192] __attribute__((aligned(64)));
u8 user_stack[8192] __attribute__((aligned(64)));
u8 other_stack[8192] __attribute__((aligned(64)));

extern char trap_stubs[];

struct gate gate_make(word target, u16 selector, u8 type)
{
#ifdef __x86_64__
	return (struct gate){.offset_low = (u16)target,
			     .selector = selector,
			     .type = type,
			     .offset_middle = (u16)(target >> 16),
			     .offset_high = (u32)(target >> 32)};
#else
	return (struct gate){.offset_low = (u16)target,
			     .selector = selector,
			     .type = type,
			     .offset_high = (u16)(target >> 16)};
#endif
}

void gate_set(u8 vector, word target, u8 type)
{
	idt[vector] = gate_make(target, SEL_CODE0, type);
}

void gate_reset(u8 vector)
{
	gate_set(vector, (word)trap_stubs + STUB_BYTES * vector, GATE_INTERRUPT);
}

void idt_load(u16 limit)
{
	struct table_pointer pointer = {limit, (word)idt};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* start.S comes here first. */
void payload_setup(void);
void payload_setup(void)
{
	sections = option("SECTIONS"); /* before the payload uses the memory that it lies in */
	/* 115,200 baud, 8 bits; a UART fresh from reset sends 5. */
	outb(SERIAL + 3, 0x83);
	outb(SERIAL, 1);
	outb(SERIAL + 1, 0);
	outb(SERIAL + 3, 0x03);
	/* 8259s masked; no payload wants them unless it says so. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	idt_load(sizeof(idt) - 1);
#ifdef __x86_64__
	tss.rsp[0] = STACK_TOP(kernel_stack);
#else
	tss.esp0 = STACK_TOP(kernel_stack);
	tss.ss0 = SEL_DATA0;
#endif
	tss.io_map = sizeof(tss);
	gdt[SEL_TSS / 8] = descriptor((u32)(word)&tss, sizeof(tss) - 1, 0x89, 0);
	gdt[SEL_TSS / 8 + 1] = 0;
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

/* --- traps --- */

struct trap_frame trap;
word trap_stack, trap_cr2, trap_handler_flags;
u32 trap_count;
bool (*trap_hook)(struct trap_frame *frame);
static bool in_guard;

bool trap_handle(struct trap_frame *frame);
bool trap_handle(struct trap_frame *frame)
{
	word flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	trap = *frame;
	trap_stack = (word)&frame->ip;
	trap_cr2 = READ_REGISTER("cr2");
	trap_handler_flags = flags;
	trap_count++;
	if (trap_hook && trap_hook(frame))
		return true;
	if (in_guard)
		return false;
	print("unexpected trap ");
	print_hex(trap.vector);
	print(" error ");
	print_hex(trap.error);
	print(" at ");
	print_hex(trap.ip);
	print(" cr2 ");
	print_hex(trap_cr2);
	print(" in ");
	print(rule);
	print("\n");
	finish(2);
}

bool attempt(void (*body)(void))
{
	bool trapped, outer = in_guard;

	in_guard = true;
	trapped = guarded(body);
	in_guard = outer;
	return trapped;
}

void expect_trap_at(void (*body)(void), const char *what, u8 vector, word error)
{
	if (!attempt(body)) {
		check_at(false, what, 0xffff, vector);
		return;
	}
	check_at(trap.vector == vector, what, trap.vector, vector);
	check_at(trap.error == error, what, trap.error, error);
}

void expect_no_trap_at(void (*body)(void), const char *what)
{
	bool trapped = attempt(body);

	check_at(!trapped, what, trap.vector, 0xffff);
}

_Noreturn void enter_level(const void *code, word flags, u16 cs, u16 ss, word sp)
{
#ifdef __x86_64__
	__asm__ volatile("push %q0; push %1; push %2; push %q3; push %4; iretq"
			 :
			 : "r"((word)ss), "r"(sp), "r"(flags | 2), "r"((word)cs), "r"(code)
			 : "memory");
#else
	if (cs & 3) /* a null DS else: its level would be too high */
		__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(SEL_DATA3 | 3));
	__asm__ volatile("push %0; push %1; push %2; push %3; push %4; iret"
			 :
			 : "r"((word)ss), "r"(sp), "r"(flags | 2), "r"((word)cs), "r"(code)
			 : "memory");
#endif
	__builtin_unreachable();
}

_Noreturn void enter_user(const void *code, word flags)
{
	enter_level(code, flags, SEL_CODE3 | 3, SEL_DATA3 | 3, STACK_TOP(user_stack));
}
