/* SPDX-License-Identifier: Apache-2.0 */
/* ls_extension.explain: which checks a dump of a control block fails. */
#include <stdlib.h>

#include "sim/cpu/model.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/explain.h"
#include "sim/svm-model/dump.h"
#include "sim/vmx-model/dump.h"
#include "sim/vmx-model/explain.h"

#define LEAVES 128

/* --- the processor that is asked about --- */

static void free_processor(struct cpu *cpu)
{
	if (cpu)
		free(cpu->cpuid);
	free(cpu);
}

/* A processor that never runs: it knows its CPUID leaves and what follows from them. */
static struct cpu *make_processor(const char *spec, struct ls_error *err)
{
	struct cpu *cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
	struct model model;

	if (!cpu) {
		ls_error_set(err, -ENOMEM, "no memory for the processor %s", spec);
		return NULL;
	}
	__builtin_memset(cpu, 0, sizeof(*cpu));
	cpu->cpuid = calloc(1, sizeof(*cpu->cpuid) + LEAVES * sizeof(cpu->cpuid->entries[0]));
	if (cpu->cpuid) {
		cpu->cpuid->nent = LEAVES;
		if (!model_resolve(&model, spec, err) &&
		    !cpu_model_build(spec, 0, 1, TSC_KHZ_MIN, cpu->cpuid, err)) {
			cpuid_adopt(cpu);
			vmx_capability(model.feature, ~cpu->cr4_reserved, &cpu->msr[MSR_VMX_BASIC]);
			return cpu;
		}
	} else {
		ls_error_set(err, -ENOMEM, "no memory for the processor %s", spec);
	}
	free_processor(cpu);
	return NULL;
}

/* --- VMX --- */

static bool explain_vmcs(const struct vmcs_dump_format *format, struct vmx_inputs *inputs,
			 const struct cpu *cpu, const char *data, size_t size, FILE *to)
{
	unsigned int number = 0;
	size_t used;

	for (; size; data += used, size -= used) {
		vmx_inputs_open_dump(inputs, cpu);
		used = format->read(inputs, data, size);
		if (!used)
			break;
		if (number++)
			fputs("\n", to);
		fprintf(to, "# %s, number %u\n", format->name, number);
		vmx_explain_dump(inputs, to);
	}
	return number;
}

static bool explain_vmx(const struct cpu *cpu, const char *data, size_t size, FILE *to)
{
	struct vmx_inputs *inputs = malloc(sizeof(*inputs));
	bool found = false;

	for (unsigned int i = 0; inputs && !found && i < vmcs_dump_format_count; i++)
		found = explain_vmcs(&vmcs_dump_formats[i], inputs, cpu, data, size, to);
	free(inputs);
	return found;
}

/* --- SVM --- */

static bool explain_vmcb(const struct vmcb_dump_format *format, struct svm_inputs *inputs,
			 u64 *value, const struct cpu *cpu, const char *data, size_t size, FILE *to)
{
	unsigned int number = 0;
	size_t used;

	for (; size; data += used, size -= used) {
		svm_inputs_open_dump(inputs, cpu, value);
		used = format->read(inputs, data, size);
		if (!used)
			break;
		if (number++)
			fputs("\n", to);
		fprintf(to, "# %s, number %u\n", format->name, number);
		svm_explain_dump(inputs, to);
	}
	return number;
}

static bool explain_svm(const struct cpu *cpu, const char *data, size_t size, FILE *to)
{
	u64 value[SVM_INPUT_COUNT];
	struct svm_inputs inputs;
	bool found = false;

	for (unsigned int i = 0; !found && i < vmcb_dump_format_count; i++)
		found = explain_vmcb(&vmcb_dump_formats[i], &inputs, value, cpu, data, size, to);
	return found;
}

/* --- whatever it is --- */

static const struct explainer {
	enum cpu_feature feature;
	bool (*explain)(const struct cpu *cpu, const char *data, size_t size, FILE *to);
} explainers[] = {
	{FEATURE_VMX, explain_vmx},
	{FEATURE_SVM, explain_svm},
};

/* On the processor @cpu, or (NULL) on any. */
static int explain_for(const struct cpu *cpu, const char *spec, const char *data, size_t size,
		       FILE *to, struct ls_error *err)
{
	bool able = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(explainers); i++) {
		if (cpu && !cpu_has(cpu, explainers[i].feature))
			continue;
		able = true;
		if (explainers[i].explain(cpu, data, size, to))
			return 0;
	}
	if (!able)
		return ls_error_set(err, -EINVAL,
				    "CPU '%s' has neither VMX nor SVM: leave --cpu out for a "
				    "processor with all of it",
				    spec);
	return ls_error_set(
		err, -EINVAL,
		"no dump in it that is known%s: kvm_intel's, Xen's or HAXM's of a VMCS, "
		"a region in KVM's layout, kvm_amd's of a VMCB, or a VMCB",
		spec ? " for this CPU" : "");
}

static int explain(const char *spec, const char *data, size_t size, FILE *to, struct ls_error *err)
{
	struct cpu *cpu = spec ? make_processor(spec, err) : NULL;
	int ret;

	if (spec && !cpu)
		return err ? err->code : -EINVAL;
	ret = explain_for(cpu, spec, data, size, to, err);
	free_processor(cpu);
	return ret;
}

char *sim_explain(struct ls_engine *engine, const char *spec, const char *data, size_t size,
		  struct ls_error *err)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int ret;

	(void)engine;
	if (!to) {
		ls_error_set(err, -ENOMEM, "no memory for an explanation");
		return NULL;
	}
	ret = explain(spec, data, size, to, err);
	fclose(to);
	if (!ret)
		return text;
	free(text);
	return NULL;
}
