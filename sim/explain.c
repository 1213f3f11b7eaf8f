/* SPDX-License-Identifier: Apache-2.0 */
/* ls_extension.explain and dump_explain: which checks a dump of a control block fails. */
#include <stdlib.h>

#include "sim/cpu/model.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vmx_capability.h"
#include "sim/dump.h"
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

/* --- one dump --- */

struct explanation {
	const struct cpu *cpu; /* NULL: any */
	FILE *to;
	unsigned int number; /* of dumps so far */
	struct ls_error *err;
};

static int vmcb_find(u32 offset)
{
	for (int f = 0; f < VMCB_FIELD_COUNT; f++)
		if (vmcb_fields[f].offset == offset)
			return f;
	return -1;
}

/* Which field of the model's the dump's is; or -EINVAL. */
static int find_field(const struct explanation *explanation, const struct ls_dump *dump,
		      unsigned int i)
{
	u32 number = dump->fields[i].field;
	int field = dump->svm ? vmcb_find(number) : vmcs_find(number);

	return field < 0 ? ls_error_set(explanation->err, -EINVAL,
					"there is a field 0x%x in the dump that no %s has", number,
					dump->svm ? "VMCB" : "VMCS")
			 : field;
}

static int explain_vmcs(const struct explanation *explanation, const struct ls_dump *dump)
{
	struct vmx_inputs *inputs = malloc(sizeof(*inputs));
	int field = 0;

	if (!inputs)
		return ls_error_set(explanation->err, -ENOMEM, "no memory for a dump");
	vmx_inputs_open_dump(inputs, explanation->cpu);
	for (unsigned int i = 0; i < dump->count && field >= 0; i++) {
		field = find_field(explanation, dump, i);
		if (field >= 0)
			vmx_inputs_set(inputs, (unsigned int)field, dump->fields[i].value);
	}
	if (field >= 0)
		vmx_explain_dump(inputs, explanation->to);
	free(inputs);
	return field < 0 ? field : 0;
}

static int explain_vmcb(const struct explanation *explanation, const struct ls_dump *dump)
{
	u64 value[SVM_INPUT_COUNT];
	struct svm_inputs inputs;

	svm_inputs_open_dump(&inputs, explanation->cpu, value);
	for (unsigned int i = 0; i < dump->count; i++) {
		int field = find_field(explanation, dump, i);

		if (field < 0)
			return field;
		svm_inputs_set(&inputs, (unsigned int)field, dump->fields[i].value);
	}
	svm_explain_dump(&inputs, explanation->to);
	return 0;
}

static int explain_dump(struct explanation *explanation, const struct ls_dump *dump)
{
	if (explanation->number++)
		fputs("\n", explanation->to);
	fprintf(explanation->to, "# %s, number %u\n", dump->format, explanation->number);
	return dump->svm ? explain_vmcb(explanation, dump) : explain_vmcs(explanation, dump);
}

/* --- whatever it is --- */

static bool is_able(const struct cpu *cpu, enum dump_kind kind)
{
	return !cpu || cpu_has(cpu, kind == DUMP_VMCB ? FEATURE_SVM : FEATURE_VMX);
}

static int nothing_known(const struct cpu *cpu, const char *spec, struct ls_error *err)
{
	if (!is_able(cpu, DUMP_VMCS) && !is_able(cpu, DUMP_VMCB))
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

static bool read_any(const struct cpu *cpu, const char *data, size_t size, dump_found_fn *found,
		     void *opaque)
{
	return (is_able(cpu, DUMP_VMCS) && dump_read(DUMP_VMCS, data, size, found, opaque)) ||
	       (is_able(cpu, DUMP_VMCB) && dump_read(DUMP_VMCB, data, size, found, opaque));
}

int sim_dump_read(struct ls_engine *engine, const char *data, size_t size, dump_found_fn *found,
		  void *opaque, struct ls_error *err)
{
	(void)engine;
	return read_any(NULL, data, size, found, opaque) ? 0 : nothing_known(NULL, NULL, err);
}

static void found_dump(void *opaque, const struct ls_dump *dump)
{
	explain_dump(opaque, dump);
}

static int explain_text(struct explanation *explanation, const char *spec, const char *data,
			size_t size)
{
	return read_any(explanation->cpu, data, size, found_dump, explanation)
		       ? 0
		       : nothing_known(explanation->cpu, spec, explanation->err);
}

static int explain_dumps(struct explanation *explanation, const char *spec,
			 const struct ls_dump *const *dumps, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++)
		if (is_able(explanation->cpu, dumps[i]->svm ? DUMP_VMCB : DUMP_VMCS))
			ret = explain_dump(explanation, dumps[i]);
	return ret || explanation->number ? ret
					  : nothing_known(explanation->cpu, spec, explanation->err);
}

/* --- both ways in --- */

/* What is explained: text or bytes if @data is there, else @dumps. */
struct question {
	const char *spec, *data;
	size_t size; /* of the data, or dumps */
	const struct ls_dump *const *dumps;
};

static int answer(const struct question *question, FILE *to, struct ls_error *err)
{
	struct cpu *cpu = question->spec ? make_processor(question->spec, err) : NULL;
	struct explanation explanation = {.cpu = cpu, .to = to, .err = err};
	int ret;

	if (question->spec && !cpu)
		return err ? err->code : -EINVAL;
	ret = question->data
		      ? explain_text(&explanation, question->spec, question->data, question->size)
		      : explain_dumps(&explanation, question->spec, question->dumps,
				      question->size);
	free_processor(cpu);
	return ret;
}

static char *explain(const struct question *question, struct ls_error *err)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	int ret;

	if (!to) {
		ls_error_set(err, -ENOMEM, "no memory for an explanation");
		return NULL;
	}
	ret = answer(question, to, err);
	fclose(to);
	if (!ret)
		return text;
	free(text);
	return NULL;
}

char *sim_explain(struct ls_engine *engine, const char *spec, const char *data, size_t size,
		  struct ls_error *err)
{
	(void)engine;
	return explain(&(struct question){.spec = spec, .data = data, .size = size}, err);
}

char *sim_dump_explain(struct ls_engine *engine, const char *spec,
		       const struct ls_dump *const *dumps, size_t count, struct ls_error *err)
{
	(void)engine;
	return explain(&(struct question){.spec = spec, .dumps = dumps, .size = count}, err);
}
