/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/reset_state.h"

void reset_state(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	static const struct kvm_segment data = {.limit = 0xffff, .type = 3, .present = 1, .s = 1};

	*regs = (struct kvm_regs){.rip = 0xfff0, .rflags = 2};
	*sregs = (struct kvm_sregs){.ds = data,
				    .es = data,
				    .fs = data,
				    .gs = data,
				    .ss = data,
				    .cr0 = 0x60000010,
				    .gdt = {.limit = 0xffff},
				    .idt = {.limit = 0xffff},
				    .apic_base = 0xfee00900,
				    .cs = {.base = 0xffff0000,
					   .limit = 0xffff,
					   .selector = 0xf000,
					   .type = 0xb,
					   .present = 1,
					   .s = 1},
				    .tr = {.limit = 0xffff, .type = 0xb, .present = 1},
				    .ldt = {.limit = 0xffff, .type = 2, .present = 1}};
}
