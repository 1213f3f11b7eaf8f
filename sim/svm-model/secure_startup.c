/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SKINIT (APM 2:15.27, APM 3). The loader's image goes to a TPM, and devices are kept from its
 * block by the I/O hub's exclusion vector; neither answers the processor, and this one has none of
 * them: it begins the loader as if they were there.
 */
#include "sim/cpu/descriptor.h"
#include "sim/svm-model/svm.h"

#define BLOCK_SIZE UINT32_C(0x10000)

/* The same for all processors of a secure startup. */
static void begin(struct cpu *cpu)
{
	cpu->msr[MSR_VM_CR] |= VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M;
	svm_of(cpu)->gif = false;
	svm_update_arbitration(cpu);
}

/* Of the data segments those of real mode stay. */
static void enter_flat_mode(struct cpu *cpu)
{
	cpu->cr0 |= CR0_PE;
	segment_commit_flat(cpu, SEG_CS, 8, RIGHTS_FLAT_CODE | SEG_DB);
	segment_commit_flat(cpu, SEG_SS, 0x10, RIGHTS_FLAT_DATA);
}

u64 svm_skinit(struct cpu *cpu)
{
	u32 block = (u32)cpu->reg[REG_RAX] & ~(BLOCK_SIZE - 1);
	u64 vm_cr = cpu->msr[MSR_VM_CR];

	cpu_reset(cpu, true);
	cpu->msr[MSR_VM_CR] = vm_cr; /* SVMDIS, too, stays (15.30.1) */
	enter_flat_mode(cpu);
	cpu->reg[REG_RAX] = block;
	cpu->reg[REG_RSP] = (u32)(block + BLOCK_SIZE);
	if (cpu->platform && cpu->platform->secure_startup)
		cpu->platform->secure_startup(cpu);
	begin(cpu);
	cpu->no_step = true;
	cpu_update_mode(cpu);
	return (u32)(block + (u32)mem_load_physical(cpu, block, 2));
}

void svm_startup(struct cpu *cpu)
{
	if (!__atomic_exchange_n(&cpu->secure_startup, false, __ATOMIC_ACQUIRE))
		return;
	begin(cpu);
}
