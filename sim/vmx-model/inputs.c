/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/cpu/cet.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/pmu.h"
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/inputs.h"

#define VTPR_OFFSET        0x80
#define PDPTE_LOW_RESERVED UINT64_C(0x1e6) /* SDM 3A table 4-8 */
#define CR3_LAM            (CR3_LAM_U57 | CR3_LAM_U48)

static void forget(struct vmx_inputs *inputs, unsigned int input)
{
	inputs->known[input / 64] &= ~BIT(input % 64);
}

void vmx_inputs_set(struct vmx_inputs *inputs, unsigned int input, u64 value)
{
	inputs->value[input] = value;
	inputs->known[input / 64] |= BIT(input % 64);
}

/* --- the processor --- */

static u64 beyond(unsigned int bits)
{
	return ~(BIT(bits) - 1);
}

static u64 debugctl_reserved(const struct cpu *cpu)
{
	bool freezes = cpu->pmu.version >= 2 && cpu_has(cpu, FEATURE_PDCM);

	return msr_rows[MSR_DEBUGCTL].reserved |
	       (freezes ? 0 : DEBUGCTL_FREEZE_LBRS | DEBUGCTL_FREEZE_COUNTERS);
}

static void set_processor(struct vmx_inputs *inputs, const struct cpu *cpu)
{
	u64 lam = cpu_has(cpu, FEATURE_LAM) ? CR3_LAM : 0;
	u64 high = beyond(cpu->physical_bits);

	vmx_inputs_set(inputs, INPUT_IN_SMM, cpu->smm);
	vmx_inputs_set(inputs, INPUT_PHYSICAL_BITS, cpu->physical_bits);
	vmx_inputs_set(inputs, INPUT_LINEAR_BITS, cpu->linear_bits);
	vmx_inputs_set(inputs, INPUT_CR3_RESERVED, high & ~lam);
	vmx_inputs_set(inputs, INPUT_EFER_RESERVED, cpu->efer_reserved);
	vmx_inputs_set(inputs, INPUT_DEBUGCTL_RESERVED, debugctl_reserved(cpu));
	vmx_inputs_set(inputs, INPUT_PERF_GLOBAL_RESERVED, ~pmu_global_mask(cpu));
	vmx_inputs_set(inputs, INPUT_S_CET_RESERVED, cet_control_reserved(cpu));
	vmx_inputs_set(inputs, INPUT_PDPTE_RESERVED, high | PDPTE_LOW_RESERVED);
	for (unsigned int i = 0; i < VMX_MSR_COUNT; i++)
		vmx_inputs_set(inputs, INPUT_CAPABILITY + i, cpu->msr[MSR_VMX_BASIC + i]);
}

/* Bits that any processor has (SDM 3A:2.5, 2.2.1; 4:2.1): whatever else is set is wrong on all. */
#define ANY_PHYSICAL_BITS 52
#define ANY_LINEAR_BITS   57
#define ANY_CR4           UINT64_C(0x1bff7fff)
#define ANY_DEBUGCTL      UINT64_C(0xffc7)
#define ANY_PERF_GLOBAL   UINT64_C(0x1ffff0000ffff)
#define ANY_S_CET         UINT64_C(0xfffffffffffffc3f)

static void set_any_processor(struct vmx_inputs *inputs)
{
	u64 capability[VMX_MSR_COUNT], high = beyond(ANY_PHYSICAL_BITS);
	u32 feature[FEATURE_WORDS];

	memset(feature, 0xff, sizeof(feature));
	vmx_capability(feature, ANY_CR4, capability);
	vmx_inputs_set(inputs, INPUT_IN_SMM, 0);
	vmx_inputs_set(inputs, INPUT_PHYSICAL_BITS, ANY_PHYSICAL_BITS);
	vmx_inputs_set(inputs, INPUT_LINEAR_BITS, ANY_LINEAR_BITS);
	vmx_inputs_set(inputs, INPUT_CR3_RESERVED, high & ~CR3_LAM);
	vmx_inputs_set(inputs, INPUT_EFER_RESERVED, ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE));
	vmx_inputs_set(inputs, INPUT_DEBUGCTL_RESERVED, ~ANY_DEBUGCTL);
	vmx_inputs_set(inputs, INPUT_PERF_GLOBAL_RESERVED, ~ANY_PERF_GLOBAL);
	vmx_inputs_set(inputs, INPUT_S_CET_RESERVED, ~ANY_S_CET);
	vmx_inputs_set(inputs, INPUT_PDPTE_RESERVED, high | PDPTE_LOW_RESERVED);
	for (unsigned int i = 0; i < VMX_MSR_COUNT; i++)
		vmx_inputs_set(inputs, INPUT_CAPABILITY + i, capability[i]);
}

/* --- memory --- */

/* What no slot holds reads as all ones. */
static u64 read_memory(struct cpu *cpu, u64 gpa, size_t size)
{
	const u8 *host = slots_host(cpu->slots, gpa);
	u64 value = UINT64_MAX;

	if (host)
		memcpy(&value, host, size);
	return size < 8 ? value & (BIT(8 * size) - 1) : value;
}

static bool fetch(struct check_inputs *in, unsigned int input, u64 *value)
{
	struct vmx_inputs *inputs = (struct vmx_inputs *)in;
	struct cpu *cpu = inputs->cpu;
	u64 table = inputs->value[VMCS_GUEST_CR3] & UINT64_C(0xffffffe0);

	switch (input) {
	case INPUT_LINK_HEADER:
		*value = read_memory(cpu, inputs->value[VMCS_VMCS_LINK_POINTER], 4);
		return true;
	case INPUT_VTPR:
		*value =
			read_memory(cpu, inputs->value[VMCS_VIRTUAL_APIC_ADDRESS] + VTPR_OFFSET, 1);
		return true;
	case INPUT_MEMORY_PDPTE0:
	case INPUT_MEMORY_PDPTE1:
	case INPUT_MEMORY_PDPTE2:
	case INPUT_MEMORY_PDPTE3:
		*value = read_memory(cpu, table + 8 * (input - INPUT_MEMORY_PDPTE0), 8);
		return true;
	default:
		return false;
	}
}

/* --- both --- */

void vmx_inputs_open(struct vmx_inputs *inputs, struct cpu *cpu)
{
	inputs->in = (struct check_inputs){.table = &vmx_checks,
					   .value = inputs->value,
					   .known = inputs->known,
					   .fetch = fetch};
	inputs->cpu = cpu;
	memset(inputs->known, 0xff, sizeof(inputs->known));
	set_processor(inputs, cpu);
	vmx_inputs_set(inputs, INPUT_CPU_LMA, (cpu->efer & EFER_LMA) != 0);
	for (unsigned int i = INPUT_LINK_HEADER; i <= INPUT_MEMORY_PDPTE3; i++)
		forget(inputs, i);
}

void vmx_inputs_open_dump(struct vmx_inputs *inputs, const struct cpu *cpu)
{
	memset(inputs, 0, sizeof(*inputs));
	inputs->in = (struct check_inputs){
		.table = &vmx_checks, .value = inputs->value, .known = inputs->known};
	if (cpu)
		set_processor(inputs, cpu);
	else
		set_any_processor(inputs);
}
