/* SPDX-License-Identifier: Apache-2.0 */
/* Prints one line on COM1 and spins, deaf to everything: only the host can end it. */
#include "multiboot.inc"
	mov $message, %esi
	mov $0x3f8, %edx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	cli
	jmp 2b
message:
	.asciz "spinning\n"
