/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User-mode cases of `lockstep diff --suite`: sequences at level 3, in 64-bit or in compatibility
 * mode, that every engine can run, also one that has no other level. A case begins with the
 * registers that machine/boot_user.c gives it, checks nothing, and ends with its first exception,
 * at the latest a UD2 that stands behind it; everything is compared then, and by step behind each
 * instruction. What the manuals leave undefined it must not keep: neither in a register nor in
 * flags, which the frame of the exception holds. One file per theme, whose name is THEME.
 */
#ifndef USER_H
#define USER_H

/* Its name is the symbol that it begins at; the tool reads the section .suite. */
#define CASE(name, purpose, code)                                                                  \
	__asm__(".pushsection .suite, \"\", @progbits\n.asciz \"" THEME "\\t" #name                \
		"\\t1\\t" purpose "\"\n.popsection\n.text\n.balign 16\n.type " #name               \
		", @function\n" #name ":\n" code "\nud2\n.size " #name ", . - " #name)

/* Ends the case unless the processor has the feature: a bit of EBX or ECX of a leaf. Nothing else
 * of CPUID's answer is left. */
#define NEEDS(leaf, reg, bit)                                                                      \
	"mov $" #leaf ", %eax; xor %ecx, %ecx; cpuid; bt $" #bit ", %" #reg                        \
	"; mov $0x89abcdef, %eax; mov $0x7c3d5e1f, %ebx; mov $0x13579bdf, %ecx; mov $0x2468ace0, " \
	"%edx; jc 9f; ud2; 9:\n"
#define NEEDS_SSE4_2    NEEDS(1, ecx, 20)
#define NEEDS_MOVBE     NEEDS(1, ecx, 22)
#define NEEDS_AES       NEEDS(1, ecx, 25)
#define NEEDS_PCLMULQDQ NEEDS(1, ecx, 1)
#define NEEDS_FMA       NEEDS(1, ecx, 12)
#define NEEDS_F16C      NEEDS(1, ecx, 29)
#define NEEDS_AVX       NEEDS(1, ecx, 28)
#define NEEDS_FSGSBASE  NEEDS(7, ebx, 0)
#define NEEDS_BMI1      NEEDS(7, ebx, 3)
#define NEEDS_AVX2      NEEDS(7, ebx, 5)
#define NEEDS_BMI2      NEEDS(7, ebx, 8)
#define NEEDS_ADX       NEEDS(7, ebx, 19)
#define NEEDS_SHA       NEEDS(7, ebx, 29)

/* The arithmetic flags but AF, a byte each, to memory + @at. */
#define STORE_FLAGS(at)                                                                            \
	"setc memory + " #at "; seto memory + " #at " + 1; sets memory + " #at                     \
	" + 2; setz memory + " #at " + 3; setp memory + " #at " + 4;"
/* Leaves none undefined. */
#define DEFINE_FLAGS "cmp %esp, %esp;"

/*
 * What a case finds (user.ld, numbers.c):
 *   memory     2 pages to read and write, nothing before and behind
 *   readonly   a page to read, with the numbers below; nothing before and behind
 *   text_edge  2 bytes of NOP before a page that is not there
 *   supervisor a page of level 0
 */

#endif
