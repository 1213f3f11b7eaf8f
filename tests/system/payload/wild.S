/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps to where nothing is: the reads there give all ones, FF FF is #UD, and there is no IDT. */
#include "multiboot.inc"
	lidt empty
	mov $0xd8000000, %eax
	jmp *%eax
empty:
	.word 0
	.long 0
