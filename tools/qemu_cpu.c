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

/* QEMU's properties that say something about its own host or KVM, and nothing about the CPU
 * that the guest sees here. */
static const char *const ignored[] = {
	"host-phys-bits",
	"host-phys-bits-limit",
	"migratable",
	"check",
	"enforce",
	"kvm",
	"host-cache-info",
	"l3-cache",
	"pmu",
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

/* QEMU takes tsc-deadline and tsc_deadline, sse4.1 and sse4-1 for the same. */
static bool qemu_same_feature(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if (*a != *b && !(strchr("-_.", *a) && strchr("-_.", *b)))
			return false;
	}
	return *a == *b;
}

/* The engine's own spelling of a feature's name, NULL if it doesn't know it. */
static const char *qemu_feature(struct ls_engine *engine, const char *name)
{
	const struct ls_table *table = NULL;
	const char *cell;
	unsigned int column;
	size_t row;

	if (engine->ext->table)
		table = engine->ext->table(engine, "features");
	if (!table)
		return NULL;
	for (column = 0; column < table->columns && strcmp(table->titles[column], "name");)
		column++;
	for (row = 0; column < table->columns && row < table->rows; row++) {
		cell = table->cell(engine, row, column);
		if (qemu_same_feature(cell, name))
			return cell;
	}
	return NULL;
}

/* Appends the tweaks that the engine understands. What it doesn't have cannot be taken away;
 * what is asked for and missing is said, as QEMU does: with the word "warning", which
 * kvm-unit-tests lets pass. */
static void qemu_append_feature(GString *spec, struct ls_engine *engine, const char *name, bool on,
				bool asked)
{
	const char *feature = qemu_feature(engine, name);

	if (feature)
		g_string_append_printf(spec, ",%c%s", on ? '+' : '-', feature);
	else if (on && asked)
		log_warning("the CPU model has no feature '%s'", name);
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

static int qemu_append_property(GString *spec, struct ls_engine *engine,
				const struct qemu_property *property, bool asked,
				struct ls_error *err)
{
	const char *key = property->key;

	if (*key == '+' || *key == '-') {
		qemu_append_feature(spec, engine, key + 1, *key == '+', asked);
	} else if (!strcmp(key, "vendor") || !strcmp(key, "phys-bits") || !strcmp(key, "family") ||
		   !strcmp(key, "model") || !strcmp(key, "stepping") || !strcmp(key, "model-id")) {
		g_string_append_printf(spec, ",%s=%s", key, property->value);
	} else if (qemu_feature(engine, key)) {
		qemu_append_feature(spec, engine, key, qemu_truth(property->value), asked);
	} else if (!qemu_is_ignored(key)) {
		return ls_error_set(err, -EINVAL, "-cpu: property '%s' not found", key);
	}
	return 0;
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
