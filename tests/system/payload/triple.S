/* SPDX-License-Identifier: Apache-2.0 */
/* A fault without an IDT, then without a double-fault handler: shutdown, SDM 3A:6.15 (#DF). */
#include "multiboot.inc"
	lidt empty
	ud2
empty:
	.word 0
	.long 0
