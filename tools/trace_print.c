/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_print.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <string.h>

#include "tools/json.h"
#include "tools/msr_names.h"
#include "tools/trace_names.h"
#include "traces/record.h"

struct trace_printer {
	bool colour;
	csh capstone[3]; /* 16, 32, 64 bits */
	cs_insn *insn;
	struct msr_names *msrs;
};

#define COLOUR_EVENT  "\033[1;33m"
#define COLOUR_SYMBOL "\033[36m"
#define COLOUR_CODE   "\033[1m"
#define COLOUR_CHANGE "\033[32m"
#define COLOUR_STORE  "\033[35m"
#define COLOUR_OFF    "\033[0m"

/* Most bytes of a store that are shown. */
#define SHOWN_BYTES 16u

static const char *const general_names[LS_TRACE_GENERAL] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"};

struct trace_printer *trace_printer_create(bool colour)
{
	static const cs_mode modes[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
	struct trace_printer *printer = g_new0(struct trace_printer, 1);

	printer->colour = colour;
	printer->msrs = msr_names_create();
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
		if (cs_open(CS_ARCH_X86, modes[i], &printer->capstone[i]) != CS_ERR_OK)
			printer->capstone[i] = 0;
	if (printer->capstone[2])
		printer->insn = cs_malloc(printer->capstone[2]);
	return printer;
}

void trace_printer_destroy(struct trace_printer *printer)
{
	if (printer->insn)
		cs_free(printer->insn, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(printer->capstone); i++)
		if (printer->capstone[i])
			cs_close(&printer->capstone[i]);
	msr_names_destroy(printer->msrs);
	g_free(printer);
}

/* --- text --- */

static void begin(const struct trace_printer *printer, GString *text, const char *colour)
{
	if (printer->colour)
		g_string_append(text, colour);
}

static void end(const struct trace_printer *printer, GString *text)
{
	if (printer->colour)
		g_string_append(text, COLOUR_OFF);
}

/* Capstone does not know them all (docs/capstone.md). */
static bool disassemble(struct trace_printer *printer, const struct trace_view *view,
			const struct trace_instruction *insn)
{
	csh capstone = printer->capstone[view->code_bits == 16 ? 0 : view->code_bits == 32 ? 1 : 2];
	const uint8_t *code = insn->bytes;
	size_t size = insn->length;
	uint64_t address = insn->rip;

	return printer->insn && capstone &&
	       cs_disasm_iter(capstone, &code, &size, &address, printer->insn) && !size;
}

static void append_hex(GString *text, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
}

static void append_code(struct trace_printer *printer, const struct trace_view *view, GString *text,
			const struct trace_instruction *insn)
{
	char name[300];

	g_string_append_printf(text, " %016" PRIx64, insn->rip);
	if (*trace_view_symbol(view, insn->rip, name, sizeof(name))) {
		begin(printer, text, COLOUR_SYMBOL);
		g_string_append_printf(text, " %s", name);
		end(printer, text);
	}
	g_string_append_c(text, ' ');
	append_hex(text, insn->bytes, insn->length);
	begin(printer, text, COLOUR_CODE);
	if (disassemble(printer, view, insn))
		g_string_append_printf(text, "  %s%s%s", printer->insn->mnemonic,
				       *printer->insn->op_str ? " " : "", printer->insn->op_str);
	else
		g_string_append(text, "  (bytes)");
	end(printer, text);
}

static void append_changes(const struct trace_printer *printer, const struct trace_view *view,
			   GString *text, const struct trace_instruction *insn)
{
	const uint64_t *value = insn->values;
	char name[80];

	if (!insn->changed && !insn->states)
		return;
	begin(printer, text, COLOUR_CHANGE);
	for (uint32_t changed = insn->changed; changed; changed &= changed - 1)
		g_string_append_printf(text, "  %s=%" PRIx64,
				       general_names[__builtin_ctz(changed) % LS_TRACE_GENERAL],
				       *value++);
	for (unsigned int i = 0; i < insn->states; i++)
		g_string_append_printf(
			text, "  %s=%" PRIx64,
			trace_view_state(view, insn->state[2 * i], name, sizeof(name)),
			insn->state[2 * i + 1]);
	end(printer, text);
}

static void append_stores(const struct trace_printer *printer, GString *text,
			  const struct trace_instruction *insn)
{
	const uint64_t *store = insn->store;

	if (!insn->stores)
		return;
	begin(printer, text, COLOUR_STORE);
	for (unsigned int i = 0; i < insn->stores; i++, store = trace_store_next(store)) {
		g_string_append_printf(text, "  [%" PRIx64 "]=", store[0]);
		if (store[1] <= 8) {
			g_string_append_printf(text, "%0*" PRIx64, 2 * (int)store[1],
					       store[1] ? store[2] : 0);
			continue;
		}
		append_hex(text, (const uint8_t *)(store + 2), MIN(store[1], SHOWN_BYTES));
		if (store[1] > SHOWN_BYTES)
			g_string_append_printf(text, "... (%" PRIu64 " bytes)", store[1]);
	}
	end(printer, text);
}

static void append_instruction(struct trace_printer *printer, const struct trace_view *view,
			       GString *text, const uint64_t *record)
{
	struct trace_instruction insn;

	trace_instruction_parse(record, &insn);
	if (!insn.length) {
		begin(printer, text, COLOUR_EVENT);
		g_string_append(text, " between instructions");
		end(printer, text);
	} else {
		append_code(printer, view, text, &insn);
		if (!(LS_TRACE_FLAGS(record[0]) & LS_TRACE_RETIRED))
			g_string_append(text, " (in part)");
	}
	append_changes(printer, view, text, &insn);
	append_stores(printer, text, &insn);
}

/* How many of the record's words are fields of the row: an older file may have fewer. */
static unsigned int field_count(const struct trace_event_info *info, const uint64_t *record)
{
	return MIN(info->field_count, LS_TRACE_WORDS(record[0]) - 2);
}

/* The bytes behind the fields, whose number is the last of these; NULL: none. */
static const uint8_t *tail_of(const struct trace_event_info *info, const uint64_t *record,
			      enum trace_type type, uint64_t *size)
{
	unsigned int fields = field_count(info, record);
	unsigned int words = LS_TRACE_WORDS(record[0]) - 2 - fields;

	*size = fields ? record[2 + fields - 1] : 0;
	if (!fields || info->fields[fields - 1].type != type || *size > 8 * words)
		return NULL;
	return (const uint8_t *)(record + 2 + fields);
}

/* The name that depends on the record's vendor, its first field; NULL: there is none. */
static const char *vendor_name(const struct trace_view *view, const uint64_t *record,
			       const struct trace_field *field, uint64_t value)
{
	const struct trace_fields_VM_EXIT *exit = (const void *)(record + 2);

	if (field->type == TRACE_TYPE_CONTROL)
		return trace_view_control(view, exit->vendor, value);
	return field->type == TRACE_TYPE_VM_EXIT ? trace_vm_exit_name(exit->vendor, value) : NULL;
}

#define EXIT_FLAGS UINT64_C(0xffff0000) /* of VMX's reason: bit 31, the entry failed */

/* What an exit or entry does not bring is left out. */
static bool field_matters(unsigned int event, const struct trace_field *field, uint64_t value)
{
	bool plain = field->type == TRACE_TYPE_HEX || field->type == TRACE_TYPE_NUMBER ||
		     field->type == TRACE_TYPE_ADDRESS || field->type == TRACE_TYPE_GPA;

	return value || !plain || (event != TRACE_VM_ENTRY && event != TRACE_VM_EXIT);
}

/* Of the MSR, of which the record has only the number. */
static void append_msr(const struct trace_printer *printer, GString *text, const uint64_t *record)
{
	const char *name = msr_name(printer->msrs, record[2]);

	if (LS_TRACE_EVENT(record[0]) == TRACE_MSR_ACCESS && name)
		g_string_append_printf(text, "  <%s>", name);
}

static void append_field(const struct trace_view *view, GString *text,
			 const struct trace_field *field, const uint64_t *record, uint64_t value)
{
	const char *own = vendor_name(view, record, field, value);
	char name[300];

	if (!field_matters(LS_TRACE_EVENT(record[0]), field, value))
		return;
	g_string_append_printf(text, "  %s=", field->name);
	if (own) {
		g_string_append(text, own);
		if (field->type == TRACE_TYPE_VM_EXIT && (value & EXIT_FLAGS) && value >> 32 == 0)
			g_string_append_printf(text, "|0x%" PRIx64, value & EXIT_FLAGS);
		return;
	}
	if (field->type == TRACE_TYPE_TEXT) /* append_tail's */
		return;
	trace_append_value(text, field, value);
	if (field->type == TRACE_TYPE_ADDRESS &&
	    *trace_view_symbol(view, value, name, sizeof(name)))
		g_string_append_printf(text, " <%s>", name);
}

static void append_tail(GString *text, const struct trace_event_info *info, const uint64_t *record)
{
	const uint8_t *bytes;
	uint64_t size;

	if ((bytes = tail_of(info, record, TRACE_TYPE_BYTES, &size))) {
		g_string_append(text, "  ");
		append_hex(text, bytes, size);
	}
	if ((bytes = tail_of(info, record, TRACE_TYPE_TEXT, &size)))
		g_string_append_printf(text, "%.*s", (int)size, (const char *)bytes);
}

void trace_print_text(struct trace_printer *printer, const struct trace_view *view, GString *text,
		      unsigned int vcpu, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);
	const struct trace_event_info *info;

	g_string_append_printf(text, "%u %10" PRIu64, vcpu, record[1]);
	if (LS_TRACE_FLAGS(record[0]) & LS_TRACE_GUEST)
		g_string_append(text, " guest");
	if (event == TRACE_INSTRUCTION) {
		append_instruction(printer, view, text, record);
		return;
	}
	begin(printer, text, COLOUR_EVENT);
	if (event >= TRACE_EVENTS) {
		g_string_append_printf(text, " event %u", event);
		end(printer, text);
		return;
	}
	info = &trace_events[event];
	g_string_append_printf(text, " %s", info->name);
	end(printer, text);
	for (unsigned int i = 0; i < field_count(info, record); i++)
		append_field(view, text, &info->fields[i], record, record[2 + i]);
	append_tail(text, info, record);
	append_msr(printer, text, record);
}

/* --- JSON --- */

static void json_instruction(struct trace_printer *printer, const struct trace_view *view,
			     GString *text, const uint64_t *record)
{
	struct trace_instruction insn;
	const uint64_t *value, *store;
	const char *separator = "";
	char name[300];

	trace_instruction_parse(record, &insn);
	g_string_append_printf(text, ", \"retired\": %s",
			       LS_TRACE_FLAGS(record[0]) & LS_TRACE_RETIRED ? "true" : "false");
	if (insn.length) {
		g_string_append_printf(text, ", \"rip\": \"0x%" PRIx64 "\", \"bytes\": \"",
				       insn.rip);
		append_hex(text, insn.bytes, insn.length);
		g_string_append_c(text, '"');
		if (*trace_view_symbol(view, insn.rip, name, sizeof(name))) {
			g_string_append(text, ", \"symbol\": ");
			json_append_string(text, name);
		}
		if (disassemble(printer, view, &insn))
			g_string_append_printf(
				text, ", \"assembly\": \"%s%s%s\"", printer->insn->mnemonic,
				*printer->insn->op_str ? " " : "", printer->insn->op_str);
	}
	g_string_append(text, ", \"registers\": {");
	value = insn.values;
	for (uint32_t changed = insn.changed; changed; changed &= changed - 1, separator = ", ")
		g_string_append_printf(text, "%s\"%s\": \"0x%" PRIx64 "\"", separator,
				       general_names[__builtin_ctz(changed) % LS_TRACE_GENERAL],
				       *value++);
	for (unsigned int i = 0; i < insn.states; i++, separator = ", ")
		g_string_append_printf(
			text, "%s\"%s\": \"0x%" PRIx64 "\"", separator,
			trace_view_state(view, insn.state[2 * i], name, sizeof(name)),
			insn.state[2 * i + 1]);
	g_string_append(text, "}, \"stores\": [");
	store = insn.store;
	for (unsigned int i = 0; i < insn.stores; i++, store = trace_store_next(store)) {
		g_string_append_printf(text, "%s{\"address\": \"0x%" PRIx64 "\", \"bytes\": \"",
				       i ? ", " : "", store[0]);
		append_hex(text, (const uint8_t *)(store + 2), store[1]);
		g_string_append(text, "\"}");
	}
	g_string_append_c(text, ']');
}

static void json_tail(GString *text, const struct trace_event_info *info, const uint64_t *record)
{
	uint64_t size;
	const uint8_t *bytes = tail_of(info, record, TRACE_TYPE_TEXT, &size);
	g_autofree char *string = g_strndup((const char *)bytes, bytes ? size : 0);

	json_append_string(text, string ? string : "");
}

void trace_print_json(struct trace_printer *printer, const struct trace_view *view, GString *text,
		      unsigned int vcpu, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);
	const struct trace_event_info *info = event < TRACE_EVENTS ? &trace_events[event] : NULL;

	g_string_append_printf(text,
			       "{\"vcpu\": %u, \"instructions\": %" PRIu64 ", \"level\": %d, "
			       "\"event\": \"%s\"",
			       vcpu, record[1], LS_TRACE_FLAGS(record[0]) & LS_TRACE_GUEST ? 2 : 1,
			       info ? info->name : "unknown");
	if (event == TRACE_INSTRUCTION)
		json_instruction(printer, view, text, record);
	for (unsigned int i = 0; info && i < field_count(info, record); i++) {
		const char *own = vendor_name(view, record, &info->fields[i], record[2 + i]);

		g_string_append_printf(text, ", \"%s\": ", info->fields[i].name);
		if (own && !(record[2 + i] & EXIT_FLAGS))
			json_append_string(text, own);
		else if (info->fields[i].type == TRACE_TYPE_TEXT)
			json_tail(text, info, record);
		else
			trace_append_json_value(text, &info->fields[i], record[2 + i]);
	}
	g_string_append_c(text, '}');
}
