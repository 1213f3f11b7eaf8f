/* SPDX-License-Identifier: Apache-2.0 */
/* The images of the suite, so that an installed command, and one in the lab, has them. */
#define IMAGE(bits)                                                                                \
	__asm__(".section .rodata\n.globl suite" #bits "_start, suite" #bits "_end\n.balign 16\n"  \
		"suite" #bits "_start: .incbin \"" SUITE_FOLDER "/suite" #bits                     \
		".elf\"\nsuite" #bits "_end: .previous")

IMAGE(64);
IMAGE(32);
