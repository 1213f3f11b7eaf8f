/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that cases read, and the note by which a loader knows user-mode code (machine/load.h). */
__asm__(".section .note.lockstep, \"a\", @note\n"
	".long 9, 0, 1\n.asciz \"Lockstep\"\n.balign 4\n");

/* Vectors of 32 bytes, and numbers at the borders of their formats. */
__asm__(".section .rodata\n.balign 32\n"
	".globl bytes, other, singles, others, doubles, odd_singles, big, third, sevens, indices\n"
	"bytes: .byte 0x00, 0x01, 0x7f, 0x80, 0x81, 0xff, 0x55, 0xaa, 8, 9, 10, 11, 12, 13, 14, "
	"15\n"
	"	.byte 0xfe, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 1, 3, 5, 7, 11, 13, 17, 19\n"
	"other: .byte 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0x80\n"
	"	.byte 0xff, 0xff, 0x7f, 0x80, 0, 0, 0x80, 0x7f, 2, 4, 6, 8, 10, 12, 14, 16\n"
	"singles: .float 1.5, -2.25, 1024, -0.5, 3, 7, -1, 0.125\n"
	"others: .float 0.5, 4, -8, 2, 0.25, -1.75, 16, 100\n"
	"doubles: .double 1.5, -2.25, 1024, -0.5\n"
	"odd_singles: .long 0x00000001, 0x7f800000, 0x7fc12345, 0x80000000\n" /* denormal, infinity,
										 NaN, -0 */
	"	.long 0x7fa00000, 0xff800000, 0x007fffff, 0x7f7fffff\n"       /* SNaN, -infinity */
	"big: .double 1e300\n"
	"third: .double 0.333333333333333333\n"
	".balign 32\n"
	"sevens: .long 7, 7, 7, 7, 7, 7, 7, 7\n"
	"indices: .long 3, 0, 7, 1, 2, 5, 4, 6\n");
