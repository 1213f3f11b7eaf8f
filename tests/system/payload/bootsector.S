/* SPDX-License-Identifier: Apache-2.0 */
/* A boot sector: reads the next sector through INT 13h with an extended read (EDD 3.0, function
 * 42h) and prints it on COM1, then ends the run at the exit port: 5, for status 11. A failing
 * read ends with 6, for status 13. */
	.code16
	.globl _start
_start:
	ljmp $0, $1f
1:	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov $0x7c00, %sp
	mov $packet, %si
	mov $0x42, %ah
	int $0x13
	mov $6, %al
	jc 3f
	mov $0x7e00, %si
	mov $0x3f8, %dx
2:	lodsb
	test %al, %al
	jz 4f
	outb %al, %dx
	jmp 2b
4:	mov $5, %al
3:	mov $0xf4, %dx
	outb %al, %dx
	hlt
	.balign 4
packet:
	.byte 16, 0
	.word 1			/* one sector */
	.word 0x7e00, 0		/* to 0000:7e00 */
	.quad 1			/* from LBA 1 */
	.org 510
	.word 0xaa55
	.asciz "sector one was read\n"
	.org 1024
