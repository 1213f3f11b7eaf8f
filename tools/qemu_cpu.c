/* SPDX-License-Identifier: Apache-2.0 */
/* From QEMU's -cpu to the engine's CPU spec. */
#include <string.h>

#include "tools/log.h"
#include "tools/qemu_front.h"

#include <lockstep/extension.h>

struct qemu_cpu {
	const char *name, *base, *tweaks;
};

static const struct qemu_cpu cpus[] = {
#define QEMU_CPU(name, base, tweaks) {name, base, tweaks},
#include "tools/qemu_cpus.def"
#undef QEMU_CPU
};

/* The guest of a QEMU on KVM finds KVM's hypercalls, unless it is given kvm=off. */
#define KVM_FACE "kvm-pv-ipi"

/* QEMU's properties that say something about its own host or KVM, and nothing about the CPU
 * that the guest sees here. */
static const char *const ignored[] = {
	"host-phys-bits", "host-phys-bits-limit", "migratable", "check",
	"enforce",        "host-cache-info",      "l3-cache",
};

static const struct qemu_cpu *qemu_cpu_find(const char *name)
{
	g_autofree char *plain = g_strdup(name);
	size_t i;
	char *suffix;

	/* "EPYC-v2" is a revision, "-noTSX" and "-IBRS" are variants we don't tell apart. */
	static const char *const suffixes[] = {"-v", "-noTSX", "-IBRS", "-IBPB"};

	for (i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		suffix = strstr(plain, suffixes[i]);
		if (suffix && suffix != plain)
			*suffix = '\0';
	}
	if (g_str_has_suffix(plain, "-x86_64-cpu"))
		plain[strlen(plain) - strlen("-x86_64-cpu")] = '\0';
	for (i = 0; i < G_N_ELEMENTS(cpus); i++) {
		if (!strcmp(cpus[i].name, plain))
			return &cpus[i];
	}
	return NULL;
}

/* Whether the engine would make this CPU; it alone knows its features and their values. */
static int qemu_try(struct ls_engine *engine, const char *spec, struct ls_error *err)
{
	const unsigned int room = 256;
	g_autofree struct kvm_cpuid2 *cpuid =
		g_malloc0(sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));

	cpuid->nent = room;
	if (!engine->ext->cpu_model)
		return 0;
	return engine->ext->cpu_model(engine, spec, 0, 1, cpuid, err);
}

/* Appends ",@text" if the engine takes it. */
static int qemu_append(GString *spec, struct ls_engine *engine, const char *text,
		       struct ls_error *err)
{
	gsize before = spec->len;
	int rc;

	g_string_append_printf(spec, ",%s", text);
	rc = qemu_try(engine, spec->str, err);
	if (rc)
		g_string_truncate(spec, before);
	return rc;
}

static bool qemu_is_ignored(const char *key)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(ignored); i++) {
		if (!strcmp(key, ignored[i]))
			return true;
	}
	return g_str_has_prefix(key, "hv-") || g_str_has_prefix(key, "kvm-");
}

/* A feature that the engine doesn't have cannot be taken away. If it is asked for, that is said as
 * QEMU's TCG does: with the word "warning", which kvm-unit-tests lets pass. */
static void qemu_append_feature(GString *spec, struct ls_engine *engine, const char *text,
				bool asked)
{
	if (qemu_append(spec, engine, text, NULL) && *text == '+' && asked)
		log_warning("the CPU model has no feature '%s'", text + 1);
}

static int qemu_append_property(GString *spec, struct ls_engine *engine,
				const struct qemu_property *property, bool asked,
				struct ls_error *err)
{
	g_autofree char *text = NULL;
	struct ls_error why = {0};
	int rc;

	if (*property->key == '+' || *property->key == '-') {
		qemu_append_feature(spec, engine, property->key, asked);
		return 0;
	}
	text = g_strdup_printf("%s=%s", strcmp(property->key, "kvm") ? property->key : KVM_FACE,
			       property->value);
	rc = qemu_append(spec, engine, text, &why);
	if (rc == -ENOENT && qemu_is_ignored(property->key))
		return 0;
	if (rc == -ENOENT)
		return ls_error_set(err, rc, "-cpu: property '%s' not found", property->key);
	return rc ? ls_error_set(err, rc, "-cpu: %s", why.text) : 0;
}

static int qemu_append_properties(GString *spec, struct ls_engine *engine,
				  const GPtrArray *properties, bool asked, struct ls_error *err)
{
	guint i = asked ? 1 : 0; /* the name comes first */

	for (; i < properties->len; i++) {
		int rc = qemu_append_property(spec, engine, g_ptr_array_index(properties, i), asked,
					      err);

		if (rc)
			return rc;
	}
	return 0;
}

/* VMX is Intel's and SVM is AMD's: who asks for one has chosen the vendor. */
static const char *qemu_base(const struct qemu_cpu *cpu, const GPtrArray *properties)
{
	const char *base = cpu->base;
	guint i;

	for (i = 1; i < properties->len; i++) {
		const struct qemu_property *property = g_ptr_array_index(properties, i);

		if (!strcmp(property->key, "+vmx"))
			base = "intel";
		else if (!strcmp(property->key, "+svm"))
			base = "amd";
	}
	return base;
}

static int qemu_build_spec(GString *spec, struct ls_engine *engine, const char *text,
			   struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(text);
	g_autoptr(GPtrArray) tweaks = NULL;
	const struct qemu_property *name;
	const struct qemu_cpu *cpu;
	int rc;

	if (!properties->len)
		return ls_error_set(err, -EINVAL, "-cpu: say a CPU model; -cpu '?' lists them");
	name = g_ptr_array_index(properties, 0);
	cpu = qemu_cpu_find(name->key);
	if (!cpu)
		return ls_error_set(err, -EINVAL,
				    "unable to find CPU model '%s'; -cpu '?' lists them",
				    name->key);
	g_string_append(spec, qemu_base(cpu, properties));
	tweaks = qemu_properties(cpu->tweaks);
	qemu_append(spec, engine, "+" KVM_FACE, NULL);
	rc = qemu_append_properties(spec, engine, tweaks, false, err);
	return rc ? rc : qemu_append_properties(spec, engine, properties, true, err);
}

char *qemu_cpu_spec(const struct ls_engine_ops *ops, const char *text, struct ls_error *err)
{
	struct ls_engine *engine = ops->open(err);
	GString *spec;
	int rc;

	if (!engine)
		return NULL;
	spec = g_string_new(NULL);
	rc = qemu_build_spec(spec, engine, text, err);
	ops->close(engine, LS_SYSTEM);
	return g_string_free(spec, rc != 0);
}
