/* SPDX-License-Identifier: Apache-2.0 */
/* User-mode code by itself: a note says so, tools/suite/user/user.ld gives it pages. It ends by UD2. */
	.section .note.lockstep, "a", @note
	.long	9, 0, 1
	.asciz	"Lockstep"
	.balign 4

	.text
	.globl	_start
_start:
	mov	$0x11, %eax
	add	$0x10, %eax
	mov	%rax, number
	ud2

	.type	again, @function
again:
	pushf
	pop	number
	ud2

	.data
number:	.quad	0
