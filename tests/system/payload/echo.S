/* SPDX-License-Identifier: Apache-2.0 */
/* Prints on COM1 what it reads there, and ends with status 1 at a 'q'. */
#include "multiboot.inc"
1:	mov $0x3fd, %edx
	inb %dx, %al
	test $1, %al /* line status: data ready */
	jz 1b
	mov $0x3f8, %edx
	inb %dx, %al
	outb %al, %dx
	cmp $'q', %al
	jne 1b
	mov $0xf4, %edx
	xor %eax, %eax
	outb %al, %dx
2:	hlt
	jmp 2b
