/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of `lockstep diff --suite`. A case exercises one rule and checks nothing: what it does
 * shows in registers and memory, which are compared wherever it leaves the guest, that is at each
 * show(). One file per theme, whose name is THEME.
 */
#ifndef SUITE_H
#define SUITE_H

#include "payload.h"

struct suite_case {
	const char *name;
	void (*run)(void);
};

/* A case, its one-line purpose, and the body. It is found by name on the command line; the tool
 * reads the section .suite. */
#define CASE(name, purpose) CASE_SMP(name, 1, purpose)
#define CASE_SMP(name_, vcpus, purpose)                                                            \
	static void name_(void);                                                                   \
	static const struct suite_case case_##name_                                                \
		__attribute__((section("suite_cases"), used)) = {#name_, name_};                   \
	__asm__(".pushsection .suite, \"\", @progbits\n.asciz \"" THEME "\\t" #name_ "\\t" #vcpus  \
		"\\t" purpose "\"\n.popsection");                                                  \
	static void name_(void)

/* An exit of the guest, with all its state; no flags but those of a CMP, for the manuals leave some
 * undefined. */
#define SHOW_PORT  0x5a0
#define START_PORT 0x5a4
static inline void show(word value)
{
	__asm__ volatile("cmp %%eax, %%eax; outl %%eax, %%dx"
			 :
			 : "a"(value), "d"(SHOW_PORT)
			 : "memory");
}

/* Runs it and shows how it ended: the vector, or NO_TRAP; error code and CR2. */
#define NO_TRAP 0x100
void try_show(void (*body)(void));
/* The same at level 3. The code ends by an exception. */
void try_user(const void *code, word flags);

/* Instructions of their own, which may spoil any register but the stack pointer; afterwards what
 * they left in RAX, RDX and RFLAGS, if they came to their end. */
#define TRY(code)                   TRY_AT(code, __COUNTER__)
#define TRY_USER(code)              TRY_USER_AT(code, 0, __COUNTER__)
#define TRY_USER_FLAGS(code, flags) TRY_USER_AT(code, flags, __COUNTER__)
#define TRY_AT(code, n)             TRY_LABEL(code, n)
#define TRY_USER_AT(code, flags, n) TRY_USER_LABEL(code, flags, n)
#define TRY_CODE(code, n)                                                                          \
	extern const char try_##n[];                                                               \
	__asm__ volatile(".pushsection .text.try, \"ax\"\ntry_" #n ":\n" code "\n.popsection")
#define TRY_LABEL(code, n)                                                                         \
	do {                                                                                       \
		TRY_CODE(code "\njmp try_done", n);                                                \
		try_show((void (*)(void))try_##n);                                                 \
	} while (0)
#define TRY_USER_LABEL(code, flags, n)                                                             \
	do {                                                                                       \
		TRY_CODE(code "\nud2", n);                                                         \
		try_user(try_##n, flags);                                                          \
	} while (0)

#define FLAG_CF 0x1u
#define FLAG_TF 0x100u
#define FLAG_IF 0x200u
#define FLAG_DF 0x400u
#define FLAG_NT 0x4000u
#define FLAG_RF 0x10000u
#define FLAG_VM 0x20000u
#define FLAG_AC 0x40000u

/* Memory for a case, zeroed. */
extern u8 scratch[4][4096];

#ifdef __x86_64__
/* 512 pages of 4 KiB at WINDOW, absent until window[] says otherwise. */
#define WINDOW 0x40000000ul
extern u64 window[512];
void window_open(u64 rights);
#endif
static inline void flush(void)
{
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
}

#define PTE_P   1ul
#define PTE_W   2ul
#define PTE_U   4ul
#define PTE_PWT 8ul
#define PTE_PCD 16ul
#define PTE_A   32ul
#define PTE_D   64ul
#define PTE_PS  128ul
#define PTE_G   256ul
#define PTE_NX  (1ull << 63)

#endif
