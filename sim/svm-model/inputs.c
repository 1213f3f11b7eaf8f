/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sim/svm-model/inputs.h"

void svm_inputs_set(struct svm_inputs *inputs, unsigned int input, u64 value)
{
	inputs->in.value[input] = value;
	inputs->known[input / 64] |= BIT(input % 64);
}

static void set_processor(struct svm_inputs *inputs, const struct cpu *cpu)
{
	svm_inputs_set(inputs, SVM_PHYSICAL_BITS, cpu->physical_bits);
	svm_inputs_set(inputs, SVM_CR4_RESERVED, cpu->cr4_reserved);
	svm_inputs_set(inputs, SVM_EFER_RESERVED, cpu->efer_reserved);
	svm_inputs_set(inputs, SVM_HAS_CET, cpu_has(cpu, FEATURE_CET_SS));
	svm_inputs_set(inputs, SVM_HAS_LAM, cpu_has(cpu, FEATURE_LAM));
	svm_inputs_set(inputs, SVM_HAS_AVIC, cpu_has(cpu, FEATURE_AVIC));
	svm_inputs_set(inputs, SVM_HAS_X2AVIC, cpu_has(cpu, FEATURE_X2AVIC));
	svm_inputs_set(inputs, SVM_HAS_X2AVIC_EXT, cpu_has(cpu, FEATURE_X2AVIC_EXT));
}

/* Bits that any of AMD's processors has (APM 2:3.1.3, 3.1.7, 5.3.2): whatever else is set is wrong
 * on all. */
#define ANY_PHYSICAL_BITS 52
#define ANY_CR4           UINT64_C(0xf71fff)
#define ANY_EFER          UINT64_C(0x36fd01)

static void set_any_processor(struct svm_inputs *inputs)
{
	svm_inputs_set(inputs, SVM_PHYSICAL_BITS, ANY_PHYSICAL_BITS);
	svm_inputs_set(inputs, SVM_CR4_RESERVED, ~ANY_CR4);
	svm_inputs_set(inputs, SVM_EFER_RESERVED, ~ANY_EFER);
	svm_inputs_set(inputs, SVM_HAS_CET, 1);
	svm_inputs_set(inputs, SVM_HAS_LAM, 0);
	svm_inputs_set(inputs, SVM_HAS_AVIC, 1);
	svm_inputs_set(inputs, SVM_HAS_X2AVIC, 1);
	svm_inputs_set(inputs, SVM_HAS_X2AVIC_EXT, 1);
}

/* What no slot holds reads as all ones. */
static bool fetch(struct check_inputs *in, unsigned int input, u64 *value)
{
	struct svm_inputs *inputs = (struct svm_inputs *)in;
	u64 table = in->value[VMCB_CR3] & UINT64_C(0xffffffe0);

	if (!inputs->cpu || input < SVM_MEMORY_PDPTE0 || input > SVM_MEMORY_PDPTE3)
		return false;
	*value = mem_load_physical(inputs->cpu, table + 8 * (input - SVM_MEMORY_PDPTE0), 8);
	return true;
}

void svm_inputs_open(struct svm_inputs *inputs, struct cpu *cpu, u64 *value)
{
	inputs->in = (struct check_inputs){
		.table = &svm_checks, .value = value, .known = inputs->known, .fetch = fetch};
	inputs->cpu = cpu;
	memset(inputs->known, 0xff, sizeof(inputs->known));
	for (unsigned int i = SVM_MEMORY_PDPTE0; i <= SVM_MEMORY_PDPTE3; i++)
		inputs->known[i / 64] &= ~BIT(i % 64);
	set_processor(inputs, cpu);
	svm_inputs_set(inputs, SVM_HOST_CR0, cpu->cr0);
	svm_inputs_set(inputs, SVM_HOST_EFER, cpu->efer);
	svm_inputs_set(inputs, SVM_U_CET, cpu->msr[MSR_U_CET]);
}

void svm_inputs_open_dump(struct svm_inputs *inputs, const struct cpu *cpu, u64 *value)
{
	memset(inputs, 0, sizeof(*inputs));
	memset(value, 0, SVM_INPUT_COUNT * sizeof(*value));
	inputs->in =
		(struct check_inputs){.table = &svm_checks, .value = value, .known = inputs->known};
	if (cpu)
		set_processor(inputs, cpu);
	else
		set_any_processor(inputs);
}
