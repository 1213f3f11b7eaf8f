/* SPDX-License-Identifier: Apache-2.0 */
/* Prints one line on COM1 and spins, deaf to everything: only the host can end it. */
#include "multiboot.inc"
	mov $message, %esi
	mov $0x3f8, %edx
1:	lodsb
	test %al, %al
	jz spin
	outb %al, %dx
	jmp 1b
spin:	cli
	jmp spin
message:
	.asciz "spinning\n"
