/* SPDX-License-Identifier: Apache-2.0 */
/* Prints on COM1 without end. */
#include "multiboot.inc"
	mov $0x3f8, %edx
	mov $'x', %al
1:	outb %al, %dx
	jmp 1b
