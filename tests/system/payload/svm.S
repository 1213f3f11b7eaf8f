/* SPDX-License-Identifier: Apache-2.0 */
/* A hypervisor on SVM (APM 2:15.5), without paging: its guest leaves by CPUID and by VMMCALL; then a VMRUN that two
 * rules refuse. Ends as exit.S. */
#define EFER         0xc0000080
#define EFER_SVME    0x1000
#define VM_HSAVE_PA  0xc0010117
#define CR0_NW       0x20000000
#define INTERCEPTS_3 0x00c
#define INTERCEPTS_4 0x010
#define ASID         0x058
#define SEGMENTS     0x400
#define VMCB_EFER    0x4d0
#define VMCB_CR0     0x558
#define RFLAGS       0x570
#define RIP          0x578
#define RSP          0x5d8
#include "multiboot.inc"
	mov $EFER, %ecx
	rdmsr
	or $EFER_SVME, %eax
	wrmsr
	mov %eax, vmcb + VMCB_EFER
	mov $VM_HSAVE_PA, %ecx
	mov $save_area, %eax
	xor %edx, %edx
	wrmsr
	movl $1 << 18, vmcb + INTERCEPTS_3
	movl $3, vmcb + INTERCEPTS_4
	movl $7, vmcb + ASID
	mov %cr0, %eax
	mov %eax, vmcb + VMCB_CR0
	movl $2, vmcb + RFLAGS
	movl $guest, vmcb + RIP
	movl $stack, vmcb + RSP
	mov $vmcb, %eax
	.globl host_run
host_run:
	vmrun
	addl $2, vmcb + RIP
	vmrun
	movl $0, vmcb + ASID
	movl $CR0_NW | 0x11, vmcb + VMCB_CR0
	vmrun
	mov $20, %eax
	mov $0xf4, %edx
	outl %eax, %dx
1:	hlt
	jmp 1b

	.globl guest
guest:
	nop
	cpuid
	vmmcall
	.globl guest_end
guest_end:

	.balign 4096, 0
vmcb:
	.fill SEGMENTS
	.word 16, 0xc93 /* ES, CS, SS, DS: flat */
	.long 0xffffffff, 0, 0
	.word 8, 0xc9b
	.long 0xffffffff, 0, 0
	.word 16, 0xc93
	.long 0xffffffff, 0, 0
	.word 16, 0xc93
	.long 0xffffffff, 0, 0
	.balign 4096, 0
save_area:
	.fill 4096
	.fill 256
stack:
