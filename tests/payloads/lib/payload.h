/* SPDX-License-Identifier: Apache-2.0 */
/* What a payload stands on: output, checks, descriptor tables, traps. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "selectors.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long word; /* 32 or 64 bits */

/* The payload: defined by each. */
void payload(void);
/* Where the loader put the multiboot information (0.6.96, section 3.3). */
extern u32 multiboot_information;
/* What stands behind "@name=" on the command line, or NULL. */
const char *option(const char *name);

/* --- checks: print what failed and go on --- */
void check_at(bool ok, const char *what, u64 found, u64 wanted);
#define CHECK(condition) check_at(condition, #condition, 0, 0)
#define CHECK_EQUAL(found, want)                                                                   \
	do {                                                                                       \
		u64 check_found = (u64)(found), check_want = (u64)(want);                          \
                                                                                                   \
		check_at(check_found == check_want, #found " == " #want, check_found, check_want); \
	} while (0)
void section(const char *rule); /* names the rule that the next checks are about; SECTIONS=1 on the
				 * command line prints each */
void print(const char *text);
void print_hex(u64 value);
void drain(void); /* until all that was printed is sent */
_Noreturn void finish(u8 code);
/* The payload is about something that this processor does not have. */
_Noreturn void skip(const char *feature);

/* --- descriptors --- */
extern u64 gdt[GDT_ENTRIES];
struct __attribute__((packed)) table_pointer {
	u16 limit;
	word base;
};
/* A code, data or system descriptor: access byte and flags nibble (G D L AVL) as in the manual. */
u64 descriptor(u32 base, u32 limit, u8 access, u8 flags);
#define ACCESS_CODE0 0x9b
#define ACCESS_DATA0 0x93
#define ACCESS_CODE3 0xfb
#define ACCESS_DATA3 0xf3
#define FLAGS_32     0xc
#define FLAGS_64     0xa

#ifdef __x86_64__
struct __attribute__((packed)) tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, io_map;
	u8 bits[256];
};
struct __attribute__((packed)) gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};
#else
struct __attribute__((packed)) tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_map;
	u8 bits[32 + 0x2000 + 1];
};
struct __attribute__((packed)) gate {
	u16 offset_low, selector;
	u8 count, type;
	u16 offset_high;
};
#endif
extern struct gate idt[256];
extern struct tss tss;
extern u8 kernel_stack[8192], user_stack[8192], other_stack[8192];
#define STACK_TOP(stack) ((word)(stack) + sizeof(stack) - 64)

#define GATE_INTERRUPT 0x8e
#define GATE_TRAP      0x8f
#define GATE_USER      0x60 /* DPL 3, to be added */
struct gate gate_make(word target, u16 selector, u8 type);
void gate_set(u8 vector, word target, u8 type);
/* The vector's own stub again: an interrupt gate, DPL 0. */
void gate_reset(u8 vector);
void idt_load(u16 limit);

/* --- traps --- */
struct trap_frame {
#ifdef __x86_64__
	u64 r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, sp_unused, bx, dx, cx, ax;
#else
	u32 gs, fs, es, ds, di, si, bp, sp_unused, bx, dx, cx, ax;
#endif
	word vector, error, ip, cs, flags;
	word sp, ss; /* 32 bits: only from another level */
	word v86_es, v86_ds, v86_fs, v86_gs;
};
#define NO_ERROR 0xbad /* what the stub pushes for vectors without error code */
/* The last trap, copied. */
extern struct trap_frame trap;
extern word trap_stack; /* the stack pointer at the handler's entry, above an error code */
extern u32 trap_ss;     /* SS in the handler */
extern word trap_cr2;
extern word trap_handler_flags;
extern u32 trap_count;
/* Called on each trap if set: true resumes by IRET with the frame as changed. */
extern bool (*trap_hook)(struct trap_frame *frame);
/* Runs @body; true if a trap that no hook resumed ended it. */
bool attempt(void (*body)(void));
bool guarded(void (*body)(void)); /* its part in trap.S */
/* Checks: @body traps with this vector and error code. */
void expect_trap_at(void (*body)(void), const char *what, u8 vector, word error);
#define EXPECT_TRAP(body, vector, error) expect_trap_at(body, #body, vector, error)
void expect_no_trap_at(void (*body)(void), const char *what);
#define EXPECT_NO_TRAP(body) expect_no_trap_at(body, #body)
/* Code that ends by UD2 or INT, at level 3 on user_stack; to be called inside a guarded body. */
_Noreturn void enter_user(const void *code, word flags);
_Noreturn void enter_level(const void *code, word flags, u16 cs, u16 ss, word sp);

/* --- instructions --- */
static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 rdmsr(u32 number)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 number, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}

static inline bool vendor_is_amd(void)
{
	u32 out[4];

	cpuid(0, 0, out);
	return out[1] == 0x68747541; /* "Auth" */
}

#define READ_REGISTER(name)                                                                        \
	({                                                                                         \
		word read_register_value;                                                          \
		__asm__ volatile("mov %%" name ", %0" : "=r"(read_register_value) : : "memory");   \
		read_register_value;                                                               \
	})
#define WRITE_REGISTER(name, value)                                                                \
	__asm__ volatile("mov %0, %%" name : : "r"((word)(value)) : "memory")

#endif
