/* SPDX-License-Identifier: Apache-2.0 */
/* The dump of kvm_amd (kvm_amd.dump_invalid_vmcb=1): dump_labels.def. */
#include <string.h>

#include "sim/cpu/dump_text.h"
#include "sim/svm-model/dump.h"

static const struct label {
	const char *label;
	u8 base, shift;
	u16 field;
} labels[] = {
#define LABEL(label_, base_, shift_, field_)                                                       \
	{.label = label_, .base = base_, .shift = shift_, .field = VMCB_##field_},
#include "sim/svm-model/dump_labels.def"
#undef LABEL
};

/* What follows the label, which is a word of its own; NULL if it is not there. */
static const char *find(const char *line, const char *label)
{
	for (const char *at = strstr(line, label); at; at = strstr(at + 1, label))
		if (at == line || at[-1] == ' ')
			return at + strlen(label);
	return NULL;
}

/* A part of a field: the others stay. */
static void set_part(struct svm_inputs *inputs, const struct label *label, u64 value)
{
	u64 whole = inputs->in.value[label->field];

	svm_inputs_set(inputs, label->field, whole | value << label->shift);
}

static void read_label(struct svm_inputs *inputs, const struct label *label, const char *line)
{
	const char *text = find(line, label->label);
	u64 value;

	if (!text || !dump_number(&text, label->base, &value))
		return;
	set_part(inputs, label, value);
	if (label->field == VMCB_INTERCEPTS_3 && dump_number(&text, 16, &value))
		svm_inputs_set(inputs, VMCB_INTERCEPTS_4, value);
}

/* "cs:   s: 0010 a: 0a9b l: ffffffff b: 0000000000000000" */
static void read_segment(struct svm_inputs *inputs, const char *text, const u16 field[4])
{
	static const char *const names[] = {"s:", "a:", "l:", "b:"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		const char *found = find(text, names[i]);
		u64 value;

		if (found && field[i] && dump_number(&found, 16, &value))
			svm_inputs_set(inputs, field[i], value);
	}
}

static void read_segments(struct svm_inputs *inputs, const char *line)
{
#define SEGMENT(label, name)                                                                       \
	{                                                                                          \
		label,                                                                             \
		{                                                                                  \
			VMCB_##name##_SELECTOR, VMCB_##name##_ATTRIB, VMCB_##name##_LIMIT,         \
				VMCB_##name##_BASE                                                 \
		}                                                                                  \
	}
	static const struct {
		const char *label;
		u16 field[4];
	} rows[] = {SEGMENT("es:", ES),
		    SEGMENT("cs:", CS),
		    SEGMENT("ss:", SS),
		    SEGMENT("ds:", DS),
		    SEGMENT("fs:", FS),
		    SEGMENT("gs:", GS),
		    SEGMENT("ldtr:", LDTR),
		    SEGMENT("tr:", TR),
		    {"gdtr:", {0, 0, VMCB_GDTR_LIMIT, VMCB_GDTR_BASE}},
		    {"idtr:", {0, 0, VMCB_IDTR_LIMIT, VMCB_IDTR_BASE}}};
#undef SEGMENT

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text = find(line, rows[i].label);

		if (text && find(text, "a:"))
			read_segment(inputs, text, rows[i].field);
	}
}

static void read_line(struct svm_inputs *inputs, const char *line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(labels); i++)
		read_label(inputs, &labels[i], line);
	read_segments(inputs, line);
}

size_t vmcb_dump_read_text(struct svm_inputs *inputs, const char *data, size_t size)
{
	const char *at = data, *end = data + size, *next;
	char line[DUMP_LINE];
	bool found = false;

	for (; at < end; at = next) {
		next = dump_next_line(at, end, line);
		if (strstr(line, "VMCB Control Area:")) {
			if (found) /* the next vCPU's */
				break;
			found = true;
		}
		if (found)
			read_line(inputs, line);
	}
	return found ? (size_t)(at - data) : 0;
}
