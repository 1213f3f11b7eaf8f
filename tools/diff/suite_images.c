/* SPDX-License-Identifier: Apache-2.0 */
/* The images of the suite, so that an installed command, and one in the lab, has them. */
#define IMAGE(name)                                                                                \
	__asm__(".section .rodata\n.globl " #name "_start, " #name "_end\n.balign 16\n" #name      \
		"_start: .incbin \"" SUITE_FOLDER "/" #name ".elf\"\n" #name "_end: .previous")

IMAGE(suite64);
IMAGE(suite32);
IMAGE(user64);
IMAGE(user32);
