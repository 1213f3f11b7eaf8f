/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/load.h"
#include "tools/log.h"
#include "tools/size.h"
#include "tools/tool.h"
#include "tools/trace_spec.h"
#include "traces/record.h"

#define VCPUS_MOST 255

/* --- options --- */

static int view_number(const char *text, const char *option, uint64_t preset, uint64_t *value,
		       struct ls_error *err)
{
	*value = preset;
	if (text && count_parse(text, value))
		return ls_error_set(err, -EINVAL, "%s %s: say a number", option, text);
	return 0;
}

static int view_options(struct trace_view *view, struct ls_error *err)
{
	int ret = view_number(view->from_text, "--from", 0, &view->from, err);

	if (!ret)
		ret = view_number(view->to_text, "--to", UINT64_MAX, &view->to, err);
	if (!ret)
		ret = view_number(view->vcpu_text, "--vcpu", UINT64_MAX, &view->vcpu, err);
	if (!ret)
		ret = view_number(view->limit_text, "--limit", UINT64_MAX, &view->limit, err);
	if (!ret)
		ret = view_number(view->level_text, "--level", UINT64_MAX, &view->level, err);
	view->events = UINT64_MAX;
	if (!ret && view->events_text) {
		view->events = trace_spec_events(view->events_text, err);
		ret = view->events ? 0 : -EINVAL;
	}
	return ret;
}

static unsigned int view_rights_row(const struct trace_view *view)
{
	const char *name;
	unsigned int n = 0;

	while ((name = trace_reader_text(view->reader, "state", n)) &&
	       strcmp(name, "CS access rights"))
		n++;
	return name ? n : UINT_MAX;
}

/* What nobody can have recorded. */
static int view_check(const struct trace_view *view, const char *path, struct ls_error *err)
{
	unsigned int vcpus = trace_view_vcpus(view);

	if (trace_reader_unfinished(view->reader))
		log_warning("'%s' was not finished; what is whole of it follows", path);
	if (view->vcpu != UINT64_MAX && view->vcpu >= vcpus)
		return ls_error_set(err, -EINVAL, "--vcpu %" PRIu64 ": '%s' has %u, from 0 on",
				    view->vcpu, path, vcpus);
	return 0;
}

int trace_view_open(struct trace_view *view, const char *path, struct ls_error *err)
{
	int ret = view_options(view, err);

	view->bad_options = ret != 0;
	if (!ret && !(view->reader = trace_reader_open(path, err)))
		ret = -EINVAL;
	if (!ret)
		ret = view_check(view, path, err);
	for (char **file = view->symbol_files; file && *file && !ret; file++)
		ret = symbols_load(&view->symbols, *file, err);
	if (!ret)
		view->rights_row = view_rights_row(view);
	view->only = UINT64_MAX;
	view->left = view->limit;
	if (view->long_work)
		progress_begin(&view->progress);
	return ret;
}

int trace_view_status(const struct trace_view *view, const struct ls_error *err)
{
	if (!err->code)
		return TOOL_EXIT_OK;
	log_failure("%s", err->text);
	return view->bad_options ? TOOL_EXIT_USAGE : TOOL_EXIT_FAILURE;
}

unsigned int trace_view_vcpus(const struct trace_view *view)
{
	const char *text = trace_reader_text(view->reader, "vcpus", 0);
	uint64_t count = 0;

	return text && !number_parse(text, VCPUS_MOST, &count) && count ? (unsigned int)count : 1;
}

void trace_view_close(struct trace_view *view)
{
	char *const texts[] = {view->from_text, view->to_text,    view->events_text,
			       view->vcpu_text, view->limit_text, view->level_text};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_strfreev(view->symbol_files);
	symbols_free(&view->symbols);
	trace_cursor_close(view->cursor);
	trace_reader_close(view->reader);
}

/* --- names --- */

const char *trace_view_symbol(const struct trace_view *view, uint64_t address, char *text,
			      size_t size)
{
	uint64_t offset;
	const struct symbol *symbol = symbols_find(&view->symbols, address, &offset);

	*text = '\0';
	if (symbol && offset)
		snprintf(text, size, "%s+0x%" PRIx64, symbol->name, offset);
	else if (symbol)
		snprintf(text, size, "%s", symbol->name);
	return text;
}

/* Rows of several elements are listed as "YMM0-15". */
const char *trace_view_state(const struct trace_view *view, uint64_t key, char *text, size_t size)
{
	const char *name = trace_reader_text(view->reader, "state", (unsigned int)key & 0xffff);
	unsigned int element = (unsigned int)(key >> 16) & 0xffff, part = (unsigned int)(key >> 32);
	const char *dash = name ? strrchr(name, '-') : NULL;
	bool several = dash && dash > name && dash[-1] == '0';

	if (!name)
		snprintf(text, size, "state %u", (unsigned int)key & 0xffff);
	else if (!several)
		snprintf(text, size, "%s", name);
	else if (part)
		snprintf(text, size, "%.*s%u[%u]", (int)(dash - name - 1), name, element, part);
	else
		snprintf(text, size, "%.*s%u", (int)(dash - name - 1), name, element);
	return text;
}

const char *trace_view_control(const struct trace_view *view, uint64_t vendor, uint64_t field)
{
	g_autofree char *key = g_strdup_printf("%" PRIu64 " 0x%" PRIx64 " ", vendor, field);
	const char *row;

	for (unsigned int n = 0; (row = trace_reader_text(view->reader, "control", n)); n++)
		if (g_str_has_prefix(row, key))
			return row + strlen(key);
	return NULL;
}

/* --- records --- */

#define RIGHTS_L  0x2000u /* SDM 3C:24.4.1, table 24-2 */
#define RIGHTS_DB 0x4000u

/* How the vCPU decodes, by what the record says of CS. */
static void view_follow(struct trace_view *view, const uint64_t *record, unsigned int rights_row)
{
	struct trace_instruction insn;

	if (LS_TRACE_EVENT(record[0]) != TRACE_INSTRUCTION)
		return;
	trace_instruction_parse(record, &insn);
	for (unsigned int i = 0; i < insn.states; i++) {
		uint64_t rights = insn.state[2 * i + 1];

		if (insn.state[2 * i] == rights_row)
			view->code_bits = rights & RIGHTS_L ? 64 : rights & RIGHTS_DB ? 32 : 16;
	}
}

/* VM entries and exits belong to both sides. */
static bool view_wants_level(const struct trace_view *view, const uint64_t *record)
{
	const struct trace_fields_VM_ENTRY *switched = (const void *)(record + 2);

	switch (LS_TRACE_EVENT(record[0])) {
	case TRACE_VM_ENTRY: /* vendor and level are the first fields of both */
	case TRACE_VM_EXIT:
		return switched->level == view->level || switched->level == view->level + 1;
	default:
		return (LS_TRACE_FLAGS(record[0]) & LS_TRACE_GUEST ? 2 : 1) == view->level;
	}
}

static bool view_wants(const struct trace_view *view, const uint64_t *record)
{
	bool snapshot = LS_TRACE_EVENT(record[0]) == TRACE_INSTRUCTION &&
			(LS_TRACE_FLAGS(record[0]) & LS_TRACE_SNAPSHOT);

	return record[1] >= view->from && record[1] < view->to && (!snapshot || view->snapshots) &&
	       (view->events >> LS_TRACE_EVENT(record[0]) & 1) &&
	       (view->level == UINT64_MAX || view_wants_level(view, record));
}

static bool view_wants_chunk(const struct trace_view *view, const struct chunk_head *head)
{
	return (view->vcpu == UINT64_MAX || head->vcpu == view->vcpu) &&
	       (view->only == UINT64_MAX || head->vcpu == view->only) && head->last >= view->from &&
	       head->first < view->to && (head->events & view->events);
}

void trace_view_rewind_to(struct trace_view *view, unsigned int vcpu, uint64_t count)
{
	view->chunk = trace_reader_seek(view->reader, 0, vcpu, count, UINT64_MAX);
	view->in_chunk = false;
	view->only = vcpu;
	view->left = view->limit;
}

void trace_view_rewind(struct trace_view *view, unsigned int vcpu)
{
	trace_view_rewind_to(view, vcpu, 0);
}

/* Goes to the next chunk that is asked for; false at the end, or with *err filled. */
static bool view_next_chunk(struct trace_view *view, struct ls_error *err)
{
	if (!view->cursor && !(view->cursor = trace_cursor_open(view->reader, err)))
		return false;
	while (view->chunk < trace_reader_chunks(view->reader) &&
	       !view_wants_chunk(view, trace_reader_chunk(view->reader, view->chunk)))
		view->chunk++;
	if (view->chunk == trace_reader_chunks(view->reader)) {
		progress_clear(&view->progress);
		return false;
	}
	progress_show(&view->progress, "read", view->chunks_read++,
		      trace_reader_chunks(view->reader));
	view->code_bits = 0;
	view->in_chunk = !trace_cursor_chunk(view->cursor, view->chunk++, err);
	return view->in_chunk;
}

bool trace_view_next(struct trace_view *view, unsigned int *vcpu, const uint64_t **record,
		     struct ls_error *err)
{
	while (view->left && (view->in_chunk || view_next_chunk(view, err))) {
		*record = trace_cursor_next(view->cursor, err);
		if (err->code)
			return false;
		if (!*record) {
			view->in_chunk = false;
			continue;
		}
		view_follow(view, *record, view->rights_row);
		if (!view_wants(view, *record))
			continue;
		*vcpu = trace_reader_chunk(view->reader, view->chunk - 1)->vcpu;
		view->left--;
		return true;
	}
	return false;
}
