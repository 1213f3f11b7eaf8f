/* SPDX-License-Identifier: Apache-2.0 */
/* The GDT of every payload (lib.c), in the order that SYSCALL and SYSENTER want. */
#ifndef PAYLOAD_SELECTORS_H
#define PAYLOAD_SELECTORS_H

#define GDT_ENTRIES 64

#define SEL_CODE0    0x08 /* 64-bit or 32-bit code, level 0 */
#define SEL_DATA0    0x10
#define SEL_CODE3_32 0x18 /* + 3: SYSRET's and SYSEXIT's 32-bit code */
#define SEL_DATA3    0x20 /* + 3 */
#define SEL_CODE3    0x28 /* + 3: 64-bit (32-bit payloads: 32-bit) code, level 3 */
#define SEL_DATA3_B  0x30 /* + 3: SYSEXIT's 64-bit stack */
#define SEL_CODE0_32 0x38
#define SEL_TSS      0x40 /* 16 bytes in long mode */
#define SEL_FREE     0x50 /* from here on: the payload's own */

#endif
