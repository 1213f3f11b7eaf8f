/* SPDX-License-Identifier: Apache-2.0 */
/* The dumps of kvm_intel (kvm_intel.dump_invalid_vmcs=1) and of Xen (its key 'v'), which resemble
 * each other: dump_labels.def. */
#include <string.h>

#include "sim/cpu/dump_text.h"
#include "sim/vmx-model/dump.h"

enum section { SECTION_NONE, SECTION_GUEST, SECTION_HOST, SECTION_CONTROL };

static const struct label {
	u8 section;
	u16 field;
	const char *prefix, *label;
} labels[] = {
#define LABEL(section_, prefix_, label_, field_)                                                   \
	{.section = SECTION_##section_, .field = VMCS_##field_, .prefix = prefix_, .label = label_},
#include "sim/vmx-model/dump_labels.def"
#undef LABEL
};

static bool starts(const char *line, const char *prefix)
{
	return !strncmp(line, prefix, strlen(prefix));
}

/* --- a line without what loggers put before it --- */

static const char *skip_tag(const char *line)
{
	static const char *const tags[] = {"(XEN)", "kvm_intel:", "KVM:"};
	const char *end;

	for (unsigned int i = 0; i < ARRAY_SIZE(tags); i++)
		if (starts(line, tags[i]))
			return line + strlen(tags[i]);
	if (*line == '[' && (end = strchr(line, ']')))
		return end + 1;
	return line;
}

static const char *strip(const char *line)
{
	const char *kernel = strstr(line, "kernel: "), *before;

	line = dump_skip_blanks(kernel ? kernel + strlen("kernel: ") : line);
	do {
		before = line;
		line = dump_skip_blanks(skip_tag(line));
	} while (line != before);
	return line;
}

/* --- values --- */

/* What follows "label =" or "label(…) =", with the label as a word of its own; NULL if there is
 * nothing of the kind. */
static const char *find_label(const char *line, const char *label)
{
	size_t length = strlen(label);

	for (const char *at = strstr(line, label); at; at = strstr(at + 1, label)) {
		const char *after = at + length;

		if (at != line && at[-1] != ' ')
			continue;
		if (*after == '(' && !(after = strchr(after, ')')))
			return NULL;
		after = dump_skip_blanks(after + (*after == ')'));
		if (*after == '=')
			return after + 1;
	}
	return NULL;
}

static void read_label(struct vmx_inputs *inputs, const struct label *label, const char *line)
{
	const char *text;
	u64 value;

	if (label->prefix && !starts(line, label->prefix))
		return;
	text = find_label(line, label->label);
	if (!text || !dump_number(&text, 16, &value))
		return;
	vmx_inputs_set(inputs, label->field, value);
	/* CS:RIP=0010:ffffffff81a00000 */
	if (*text == ':' && (text++, dump_number(&text, 16, &value)))
		vmx_inputs_set(inputs,
			       label->field == VMCS_GUEST_SYSENTER_CS ? VMCS_GUEST_SYSENTER_EIP
								      : VMCS_HOST_SYSENTER_EIP,
			       value);
}

/* --- segments: "CS:   sel=0x0010, attr=0x0a09b, limit=0xffffffff, base=0x0000000000000000" of KVM,
 * "CS: 0010 0a09b ffffffff 0000000000000000" of Xen --- */

static bool segment_value(const char **text, const char *label, u64 *value)
{
	const char *found = find_label(*text, label);

	if (strchr(*text, '='))
		return found && dump_number(&found, 16, value);
	return dump_number(text, 16, value);
}

static void read_segment(struct vmx_inputs *inputs, unsigned int number, const char *text)
{
	static const char *const names[] = {"sel", "attr", "limit", "base"};
	static const u16 fields[] = {VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_ES_RIGHTS,
				     VMCS_GUEST_ES_LIMIT, VMCS_GUEST_ES_BASE};
	u64 value;

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		if (segment_value(&text, names[i], &value))
			vmx_inputs_set(inputs, fields[i] + number, value);
}

static void read_table(struct vmx_inputs *inputs, u16 limit, u16 base, const char *text)
{
	u64 value;

	if (segment_value(&text, "limit", &value))
		vmx_inputs_set(inputs, limit, value);
	if (segment_value(&text, "base", &value))
		vmx_inputs_set(inputs, base, value);
}

static void read_segments(struct vmx_inputs *inputs, const char *line)
{
	static const char *const names[] = {
		"ES:", "CS:", "SS:", "DS:", "FS:", "GS:", "LDTR:", "TR:"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (starts(line, names[i]))
			read_segment(inputs, i, line + strlen(names[i]));
	if (starts(line, "GDTR:"))
		read_table(inputs, VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_GDTR_BASE, line + 5);
	if (starts(line, "IDTR:"))
		read_table(inputs, VMCS_GUEST_IDTR_LIMIT, VMCS_GUEST_IDTR_BASE, line + 5);
}

/* --- the whole --- */

static enum section heading(const char *line, enum section section)
{
	if (!starts(line, "***"))
		return section;
	if (strstr(line, "Guest State"))
		return SECTION_GUEST;
	if (strstr(line, "Host State"))
		return SECTION_HOST;
	return strstr(line, "Control State") ? SECTION_CONTROL : SECTION_NONE;
}

static void read_line(struct vmx_inputs *inputs, enum section section, const char *line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(labels); i++)
		if (labels[i].section == section)
			read_label(inputs, &labels[i], line);
	if (section == SECTION_GUEST)
		read_segments(inputs, line);
}

size_t vmcs_dump_read_text(struct vmx_inputs *inputs, const char *data, size_t size)
{
	const char *at = data, *end = data + size, *next;
	enum section section = SECTION_NONE;
	char line[DUMP_LINE];
	bool found = false;

	for (; at < end; at = next) {
		enum section now;

		next = dump_next_line(at, end, line);
		now = heading(strip(line), section);
		if (now == SECTION_GUEST && starts(strip(line), "***")) {
			if (found) /* the next vCPU's */
				break;
			found = true;
		}
		section = now;
		read_line(inputs, section, strip(line));
	}
	return found ? (size_t)(at - data) : 0;
}
