/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Near branches go where translation and memory say now, whatever the same branch found before:
 * after INVLPG, MOV to CR3 and writes to code (SDM 3A:4.10.4.1, 3A:8.1.3), and returns go to what
 * is on the stack, whatever was called.
 */
#include "payload.h"

extern u64 page_directories[];

/* A window of 4 KiB pages at 2 GiB, for linear addresses whose translation changes. */
#define WINDOW    0x80000000ul
#define FAR_PAGE  (WINDOW + 0x5000)
#define PAGE_BITS 7 /* present, writable, user */

static u64 table[512] __attribute__((aligned(4096)));
static u8 code[3][4096] __attribute__((aligned(4096)));

static void map(u64 linear, const void *page)
{
	table[linear >> 12 & 511] = (u64)page | PAGE_BITS;
}

static void invlpg(u64 linear)
{
	__asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

static void reload_cr3(u64 linear)
{
	(void)linear;
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

/* mov $value, %eax; ret */
static void emit_function(u8 *at, u32 value)
{
	at[0] = 0xb8;
	__builtin_memcpy(at + 1, &value, 4);
	at[5] = 0xc3;
}

static void emit_relative(u8 *at, u64 own_address, u64 target)
{
	int32_t displacement = (int32_t)(target - (own_address + 4));

	__builtin_memcpy(at, &displacement, 4);
}

static void set_up(void)
{
	page_directories[WINDOW >> 21] = (u64)table | PAGE_BITS;
	reload_cr3(0);
	map(WINDOW, code[0]);
	emit_function(code[1], 1);
	emit_function(code[2], 2);
}

static u32 call_at(u64 address)
{
	u32 result;

	__asm__ volatile("call *%1"
			 : "=a"(result)
			 : "r"(address)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

/* The branch at WINDOW goes to FAR_PAGE, which is one page, then another, then rewritten. */
static void check_target_changes(void (*flush)(u64 linear))
{
	map(FAR_PAGE, code[1]);
	flush(FAR_PAGE);
	CHECK_EQUAL(call_at(WINDOW), 1);
	CHECK_EQUAL(call_at(WINDOW), 1);
	map(FAR_PAGE, code[2]);
	flush(FAR_PAGE);
	CHECK_EQUAL(call_at(WINDOW), 2);
	CHECK_EQUAL(call_at(WINDOW), 2);
	emit_function(code[2], 3);
	CHECK_EQUAL(call_at(WINDOW), 3);
	emit_function(code[2], 2);
	CHECK_EQUAL(call_at(WINDOW), 2);
}

static void check_branch(void)
{
	check_target_changes(invlpg);
	check_target_changes(reload_cr3);
}

static void relative_branches(void)
{
	section("CALL rel32 to another page");
	code[0][0] = 0xe8;
	emit_relative(code[0] + 1, WINDOW + 1, FAR_PAGE);
	code[0][5] = 0xc3;
	check_branch();

	section("JMP rel32 to another page");
	code[0][0] = 0xe9;
	check_branch();

	section("Jcc rel32 to another page");
	__builtin_memcpy(code[0], "\x31\xc0\x0f\x84", 4); /* xor %eax, %eax; jz */
	emit_relative(code[0] + 4, WINDOW + 4, FAR_PAGE);
	check_branch();
}

static void indirect_branches(void)
{
	u64 target = FAR_PAGE;

	section("CALL reg");
	__builtin_memcpy(code[0], "\x48\xb8", 2); /* mov $target, %rax */
	__builtin_memcpy(code[0] + 2, &target, 8);
	__builtin_memcpy(code[0] + 10, "\xff\xd0\xc3", 3);
	check_branch();

	section("JMP reg");
	__builtin_memcpy(code[0] + 10, "\xff\xe0", 2);
	check_branch();

	section("CALL mem");
	__builtin_memcpy(code[0], "\xff\x15\x0a\x00\x00\x00\xc3", 7); /* call *10(%rip) */
	__builtin_memcpy(code[0] + 16, &target, 8);
	check_branch();

	section("JMP mem");
	__builtin_memcpy(code[0], "\xff\x25\x0a\x00\x00\x00", 6);
	check_branch();
}

/* Code runs off the end of one page into the next. */
static void next_page(void)
{
	section("falling through into the next page");
	map(FAR_PAGE - 0x1000, code[0]);
	__builtin_memset(code[0] + 4000, 0x90, 96);
	__builtin_memcpy(code[0], "\xe9\x9b\x0f\x00\x00", 5); /* jmp to offset 4000 */
	for (unsigned int n = 1; n <= 2; n++) {
		map(FAR_PAGE, code[n]);
		invlpg(FAR_PAGE);
		CHECK_EQUAL(call_at(FAR_PAGE - 0x1000), n);
		CHECK_EQUAL(call_at(FAR_PAGE - 0x1000), n);
	}
}

/* Called from FAR_PAGE: puts another page under the code it will return to. */
static void swap_caller(void)
{
	map(FAR_PAGE, code[2]);
	invlpg(FAR_PAGE);
}

static void returns(void)
{
	u64 target = (u64)swap_caller;
	u32 result;

	section("RET to a page that was changed meanwhile");
	for (unsigned int n = 1; n <= 2; n++) {
		/* mov $swap_caller, %rax; call *%rax; mov $n, %eax; ret */
		__builtin_memcpy(code[n], "\x48\xb8", 2);
		__builtin_memcpy(code[n] + 2, &target, 8);
		__builtin_memcpy(code[n] + 10, "\xff\xd0", 2);
		emit_function(code[n] + 12, n);
	}
	for (unsigned int n = 0; n < 3; n++) {
		map(FAR_PAGE, code[1]);
		invlpg(FAR_PAGE);
		CHECK_EQUAL(call_at(FAR_PAGE), 2);
	}

	section("RET to an address that nobody called from");
	for (unsigned int n = 0; n < 3; n++) {
		__asm__ volatile("call 1f\n\t"
				 "mov $1, %%eax\n\t"
				 "jmp 3f\n"
				 "1:\tlea 2f(%%rip), %%rax\n\t"
				 "mov %%rax, (%%rsp)\n\t"
				 "ret\n"
				 "2:\tmov $2, %%eax\n"
				 "3:"
				 : "=a"(result)
				 :
				 : "memory");
		CHECK_EQUAL(result, 2);
	}
}

__attribute__((noinline)) static u64 depth(u64 levels)
{
	u64 below = levels ? depth(levels - 1) : 0;

	__asm__ volatile("" : "+r"(below)); /* no tail call, no loop */
	return below + levels;
}

static void deep_returns(void)
{
	section("returns of calls nested deeper than any return stack");
	CHECK_EQUAL(depth(1000), 1000 * 1001 / 2);
	CHECK_EQUAL(depth(17), 17 * 18 / 2);
}

static void two_targets(void)
{
	section("one CALL, two targets in turn");
	emit_function(code[1], 1);
	emit_function(code[2], 2);
	map(FAR_PAGE, code[1]);
	map(FAR_PAGE + 0x1000, code[2]);
	reload_cr3(0);
	for (unsigned int n = 0; n < 8; n++)
		CHECK_EQUAL(call_at(FAR_PAGE + (n & 1) * 0x1000), 1 + (n & 1));
}

/* Two functions on lines of one page: patching one leaves the other, and the way to both. */
static void patches(void)
{
	section("code patched within the page of its caller");
	emit_function(code[0] + 0x80, 1);
	emit_function(code[0] + 0xc0, 100);
	code[0][0] = 0xe8;
	emit_relative(code[0] + 1, WINDOW + 1, WINDOW + 0x80);
	__builtin_memcpy(code[0] + 5, "\x50", 1); /* push %rax */
	code[0][6] = 0xe8;
	emit_relative(code[0] + 7, WINDOW + 7, WINDOW + 0xc0);
	__builtin_memcpy(code[0] + 11, "\x59\x01\xc8\xc3", 4); /* pop %rcx; add %ecx, %eax; ret */
	for (u32 n = 0; n < 6; n++) {
		CHECK_EQUAL(call_at(WINDOW), 101 + n);
		CHECK_EQUAL(call_at(WINDOW), 101 + n);
		emit_function(code[0] + 0x80, 2 + n);
	}
	for (u32 n = 0; n < 6; n++) {
		emit_function(code[0] + 0xc0, 200 + n);
		CHECK_EQUAL(call_at(WINDOW), 207 + n);
	}
}

void payload(void)
{
	set_up();
	relative_branches();
	indirect_branches();
	next_page();
	returns();
	deep_returns();
	two_targets();
	patches();
}
