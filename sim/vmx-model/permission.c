/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps; those of I/O ports and MSRs (SDM 3C:25.6.4, 25.6.9, 26.1.3). */
#include "sim/vmx-model/vmx.h"

bool vmx_bit_at(struct cpu *cpu, u64 bitmap, u32 n)
{
	return mem_load_physical(cpu, bitmap + n / 8, 1) >> n % 8 & 1;
}

/* An access that wraps around the 64 KiB of ports exits. */
bool vmx_port_exits(struct cpu *cpu, u16 port, unsigned int size)
{
	const u64 *value = vmx_of(cpu)->value;

	if (!VMX_PRIMARY(cpu, IO_BITMAPS))
		return VMX_PRIMARY(cpu, UNCONDITIONAL_IO);
	if ((u32)port + size > 0x10000)
		return true;
	for (u32 n = port; n < (u32)port + size; n++)
		if (vmx_bit_at(cpu, value[n & 0x8000 ? VMCS_IO_BITMAP_B : VMCS_IO_BITMAP_A],
			       n & 0x7fff))
			return true;
	return false;
}

#define MSRS_LOW  0x2000u
#define MSRS_HIGH 0xc0000000u

bool vmx_msr_exits(struct cpu *cpu, u32 number, bool write)
{
	u64 bitmap = vmx_of(cpu)->value[VMCS_MSR_BITMAP] + (write ? 2048 : 0);

	if (!VMX_PRIMARY(cpu, MSR_BITMAPS))
		return true;
	if (number < MSRS_LOW)
		return vmx_bit_at(cpu, bitmap, number);
	if (number - MSRS_HIGH < MSRS_LOW)
		return vmx_bit_at(cpu, bitmap + 1024, number - MSRS_HIGH);
	return true;
}
