/* SPDX-License-Identifier: Apache-2.0 */
/* Segment registers, LDTR, TR, far transfers and call gates in 64-bit mode: SDM 3A:3.4, 3.5, 5.8.
 */
#include "payload.h"

#define SEL_OTHER SEL_FREE
#define SEL_LDT   (SEL_FREE + 16) /* 16 bytes */
#define SEL_GATE  (SEL_FREE + 32) /* 16 bytes */
#define SEL_TSS2  (SEL_FREE + 48) /* 16 bytes */
#define BEYOND    (GDT_ENTRIES * 8)

static u32 selector;
static u64 ldt[4];

static void load_ds(void)
{
	__asm__ volatile("mov %0, %%ds" : : "m"(selector));
}

static void load_fs(void)
{
	__asm__ volatile("mov %0, %%fs" : : "r"(selector));
}

static void load_ss(void)
{
	__asm__ volatile("mov %0, %%ss" : : "r"(selector));
}

static void load_cs(void)
{
	__asm__ volatile(".byte 0x8e, 0xc8"); /* mov cs, ax */
}

static void load_sixth(void)
{
	__asm__ volatile(".byte 0x8e, 0xf0");
}

static void store_sixth(void)
{
	__asm__ volatile(".byte 0x8c, 0xf0");
}

static void load_lss(void)
{
	struct __attribute__((packed)) {
		u32 offset;
		u16 selector;
	} pointer = {0x1234, (u16)selector};

	__asm__ volatile("mov %%rsp, %%rbx; lss %0, %%eax; mov %%rbx, %%rsp"
			 :
			 : "m"(pointer)
			 : "rax", "rbx");
}

static void set_selector(u32 value)
{
	selector = value;
}

#define LOAD(body, value, vector, error)                                                           \
	do {                                                                                       \
		set_selector(value);                                                               \
		EXPECT_TRAP(body, vector, error);                                                  \
	} while (0)
#define LOADS(body, value)                                                                         \
	do {                                                                                       \
		set_selector(value);                                                               \
		EXPECT_NO_TRAP(body);                                                              \
	} while (0)

static void data_segments(void)
{
	section("SDM 3A:5.6 data segments: null, limit, type, presence");
	LOADS(load_ds, 0);
	LOADS(load_ds, 3);
	LOADS(load_ds, SEL_DATA0);
	LOADS(load_ds, SEL_DATA3 | 3);
	LOADS(load_ds, SEL_CODE0);
	LOAD(load_ds, BEYOND, 13, BEYOND);
	LOAD(load_ds, BEYOND | 3, 13, BEYOND);
	LOAD(load_ds, SEL_DATA0 | 4, 13, SEL_DATA0 | 4); /* no LDT */
	LOAD(load_ds, SEL_TSS, 13, SEL_TSS);
	LOAD(load_ds, SEL_DATA0 | 3, 13, SEL_DATA0);                    /* RPL above DPL */
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, 0x99, FLAGS_64); /* execute-only */
	LOAD(load_ds, SEL_OTHER, 13, SEL_OTHER);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, 0x9f, FLAGS_64); /* conforming */
	LOADS(load_ds, SEL_OTHER | 3);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, 0x13, FLAGS_32);
	LOAD(load_ds, SEL_OTHER, 11, SEL_OTHER);
	section("SDM 3A:3.4.5.1 the accessed bit; 3A:3.4.4 FS takes the descriptor's base");
	gdt[SEL_OTHER / 8] = descriptor(0x12345678, 0xffffffff, 0x92, FLAGS_32);
	LOADS(load_fs, SEL_OTHER);
	CHECK_EQUAL(gdt[SEL_OTHER / 8] >> 40 & 0xff, 0x93);
	CHECK_EQUAL(rdmsr(0xc0000100), 0x12345678);
}

static void stack_segment(void)
{
	section("SDM 3A:5.7 SS: RPL, DPL, type, presence; null in 64-bit mode below level 3");
	LOADS(load_ss, 0);
	LOADS(load_ss, SEL_DATA0);
	LOAD(load_ss, 3, 13, 0);
	LOAD(load_ss, SEL_DATA0 | 3, 13, SEL_DATA0);
	LOAD(load_ss, SEL_DATA3 | 3, 13, SEL_DATA3);
	LOAD(load_ss, SEL_DATA3, 13, SEL_DATA3);
	LOAD(load_ss, SEL_CODE0, 13, SEL_CODE0);
	LOAD(load_ss, BEYOND, 13, BEYOND);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, 0x91, FLAGS_32); /* read-only */
	LOAD(load_ss, SEL_OTHER, 13, SEL_OTHER);
	gdt[SEL_OTHER / 8] = descriptor(0, 0xffffffff, 0x13, FLAGS_32);
	LOAD(load_ss, SEL_OTHER, 12, SEL_OTHER);
	LOAD(load_lss, SEL_OTHER, 12, SEL_OTHER);
	LOADS(load_lss, SEL_DATA0);
	section("SDM 2B MOV: CS and the two numbers without register, #UD");
	EXPECT_TRAP(load_cs, 6, NO_ERROR);
	EXPECT_TRAP(load_sixth, 6, NO_ERROR);
	EXPECT_TRAP(store_sixth, 6, NO_ERROR);
}

extern const char user_ds[], user_lldt[];
__asm__("user_ds: mov %ax, %ds; ud2\n user_lldt: lldt %ax; ud2");
static void from_user_ds(void)
{
	__asm__ volatile("" : : "a"(selector));
	enter_user(user_ds, 0);
}

static void load_ldtr(void)
{
	__asm__ volatile("lldt %w0" : : "r"(selector));
}

static void load_tr(void)
{
	__asm__ volatile("ltr %w0" : : "r"(selector));
}

static void from_user_lldt(void)
{
	enter_user(user_lldt, 0);
}

static void system_segments(void)
{
	section("SDM 2A LLDT: null, TI, limit, type, presence, base, CPL");
	gdt[SEL_LDT / 8] = descriptor((u32)(word)ldt, sizeof(ldt) - 1, 0x82, 0);
	gdt[SEL_LDT / 8 + 1] = 0;
	LOADS(load_ldtr, 0);
	LOADS(load_ldtr, SEL_LDT);
	LOAD(load_ldtr, SEL_LDT | 4, 13, SEL_LDT | 4);
	LOAD(load_ldtr, BEYOND, 13, BEYOND);
	LOAD(load_ldtr, BEYOND - 8, 13, BEYOND - 8); /* its upper half is beyond */
	LOAD(load_ldtr, SEL_DATA0, 13, SEL_DATA0);
	LOAD(load_ldtr, SEL_TSS, 13, SEL_TSS);
	gdt[SEL_LDT / 8] = descriptor((u32)(word)ldt, sizeof(ldt) - 1, 0x02, 0);
	LOAD(load_ldtr, SEL_LDT, 11, SEL_LDT);
	gdt[SEL_LDT / 8] = descriptor((u32)(word)ldt, sizeof(ldt) - 1, 0x82, 0);
	gdt[SEL_LDT / 8 + 1] = 0x01000000; /* not canonical with 57 bits either */
	LOAD(load_ldtr, SEL_LDT, 13, SEL_LDT);
	gdt[SEL_LDT / 8 + 1] = 0;
	EXPECT_TRAP(from_user_lldt, 13, 0);
	section("SDM 3A:3.5.1 descriptors from the LDT, and its limit");
	LOADS(load_ldtr, SEL_LDT);
	ldt[0] = ldt[3] = descriptor(0, 0xffffffff, ACCESS_DATA0, FLAGS_32);
	LOADS(load_ds, 3 * 8 + 4);
	LOAD(load_ds, 4 * 8 + 4, 13, 4 * 8 + 4);
	LOADS(load_ds, 4); /* entry 0 of an LDT is no null selector */
	section("SDM 2A LTR: null, TI, type, busy, presence, base");
	gdt[SEL_TSS2 / 8] = descriptor((u32)(word)&tss, sizeof(tss) - 1, 0x89, 0);
	gdt[SEL_TSS2 / 8 + 1] = 0;
	LOAD(load_tr, 0, 13, 0);
	LOAD(load_tr, SEL_TSS, 13, SEL_TSS); /* busy */
	LOAD(load_tr, SEL_LDT, 13, SEL_LDT);
	LOAD(load_tr, SEL_TSS2 | 4, 13, SEL_TSS2 | 4);
	gdt[SEL_TSS2 / 8] &= ~(UINT64_C(0x80) << 40);
	LOAD(load_tr, SEL_TSS2, 11, SEL_TSS2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)(word)&tss, sizeof(tss) - 1, 0x81, 0); /* 16-bit */
	LOAD(load_tr, SEL_TSS2, 13, SEL_TSS2);
	gdt[SEL_TSS2 / 8] = descriptor((u32)(word)&tss, sizeof(tss) - 1, 0x89, 0);
	gdt[SEL_TSS2 / 8 + 1] = 0x01000000;
	LOAD(load_tr, SEL_TSS2, 13, SEL_TSS2);
	CHECK_EQUAL(gdt[SEL_TSS2 / 8] >> 40 & 0xff, 0x89);
	gdt[SEL_TSS2 / 8 + 1] = 0;
	LOADS(load_tr, SEL_TSS2);
	CHECK_EQUAL(gdt[SEL_TSS2 / 8] >> 40 & 0xff, 0x8b);
	section("SDM 3A:5.6 level 3 may not load level-0 data");
	set_selector(SEL_DATA0);
	EXPECT_TRAP(from_user_ds, 13, SEL_DATA0);
	CHECK_EQUAL(trap.cs & 3, 3);
	set_selector(SEL_DATA3);
	EXPECT_TRAP(from_user_ds, 6, NO_ERROR);
}

struct __attribute__((packed)) {
	u32 offset;
	u16 selector;
} far_pointer;
word gate_frame[4], gate_rsp;
u32 gate_cs, gate_ss;
extern const char gate_target[], user_call[], user_after[], code32[];
__asm__("gate_target: mov %cs, gate_cs; mov %ss, gate_ss; mov %rsp, gate_rsp\n"
	"mov (%rsp), %rax; mov %rax, gate_frame; mov 8(%rsp), %rax; mov %rax, gate_frame + 8\n"
	"mov 16(%rsp), %rax; mov %rax, gate_frame + 16; mov 24(%rsp), %rax\n"
	"mov %rax, gate_frame + 24; lretq\n"
	"user_call: lcall *far_pointer\n user_after: mov %rsp, %rbx; ud2\n"
	".code32\n code32: int $0x61; ud2\n .code64");

static void set_gate(const void *target, u16 code, u8 access)
{
	u64 address = (u64)target;

	gdt[SEL_GATE / 8] = (address & 0xffff) | (u64)code << 16 | (u64)access << 40 |
			    (address >> 16 & 0xffff) << 48;
	gdt[SEL_GATE / 8 + 1] = address >> 32;
}

static void call_from_user(void)
{
	enter_user(user_call, 0);
}

static void far_call(void)
{
	__asm__ volatile("lcall *far_pointer" : : : "rax", "memory");
}

static void far_jump(void)
{
	__asm__ volatile("ljmp *far_pointer");
}

static void call_gates(void)
{
	far_pointer.selector = SEL_GATE | 3;
	section("SDM 3A:5.8.3.1 a 64-bit call gate from level 3: RSP0, null SS, 8-byte frame, RET");
	set_gate(gate_target, SEL_CODE0, 0xec);
	EXPECT_TRAP(call_from_user, 6, NO_ERROR);
	CHECK_EQUAL(gate_cs, SEL_CODE0);
	CHECK_EQUAL(gate_ss, 0);
	CHECK_EQUAL(gate_rsp, STACK_TOP(kernel_stack) - 32);
	CHECK_EQUAL(gate_frame[0], (word)user_after);
	CHECK_EQUAL(gate_frame[1], SEL_CODE3 | 3);
	CHECK_EQUAL(gate_frame[2], STACK_TOP(user_stack));
	CHECK_EQUAL(gate_frame[3], SEL_DATA3 | 3);
	CHECK_EQUAL(trap.ip, (word)user_after + 3);
	CHECK_EQUAL(trap.bx, STACK_TOP(user_stack));
	CHECK_EQUAL(trap.cs, SEL_CODE3 | 3);
	CHECK_EQUAL(trap.ss, SEL_DATA3 | 3);
	section("SDM 3A:5.8.3.1 the same level: no stack switch");
	EXPECT_NO_TRAP(far_call);
	CHECK_EQUAL(gate_ss, SEL_DATA0);
	section("SDM 2A CALL: the gate's DPL, presence, upper type; the code's L bit");
	set_gate(gate_target, SEL_CODE0, 0x8c);
	EXPECT_TRAP(call_from_user, 13, SEL_GATE);
	set_gate(gate_target, SEL_CODE0, 0x6c);
	EXPECT_TRAP(call_from_user, 11, SEL_GATE);
	set_gate(gate_target, SEL_CODE0_32, 0xec);
	EXPECT_TRAP(call_from_user, 13, SEL_CODE0_32);
	set_gate(gate_target, SEL_CODE0, 0xec);
	gdt[SEL_GATE / 8 + 1] |= UINT64_C(0x100) << 32;
	EXPECT_TRAP(call_from_user, 13, SEL_GATE);
	set_gate((void *)UINT64_C(0x800000000000), SEL_CODE0, 0xec);
	EXPECT_TRAP(call_from_user, 13, 0);
	CHECK_EQUAL(trap.cs & 3, 3);
	section("SDM 2A JMP, CALL: long mode has no task gates, TSSs or 16-bit gates");
	for (u8 type = 0; type < 16; type++) {
		set_gate(gate_target, SEL_CODE0, 0xe0 | type);
		if (type != 12)
			EXPECT_TRAP(far_jump, 13, SEL_GATE);
	}
	section("SDM 2A JMP to compatibility mode");
	far_pointer.selector = SEL_CODE0_32;
	far_pointer.offset = (u32)(word)code32;
	EXPECT_TRAP(far_jump, 0x61, NO_ERROR);
	CHECK_EQUAL(trap.cs, SEL_CODE0_32);
	CHECK_EQUAL(trap.ip, (word)code32 + 2);
}

void payload(void)
{
	data_segments();
	stack_segment();
	system_segments();
	call_gates();
}
