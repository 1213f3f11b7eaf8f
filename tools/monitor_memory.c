/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's view of guest memory: addresses, reading, and the `x` command. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/symbols.h"
#include "tools/monitor.h"

#define MONITOR_PAGE     4096u
#define MONITOR_MAX_ROWS 4096

/* `x /NFU`, as gdb and QEMU write it. */
struct monitor_format {
	uint64_t count;
	char form; /* x d u o c s i */
	unsigned int size;
};

#define REGISTER(name)                                                                             \
	{                                                                                          \
#name, offsetof(struct kvm_regs, name)                                             \
	}
static const struct {
	const char *name;
	size_t offset;
} registers[] = {
	REGISTER(rax), REGISTER(rbx), REGISTER(rcx), REGISTER(rdx), REGISTER(rsi), REGISTER(rdi),
	REGISTER(rsp), REGISTER(rbp), REGISTER(r8),  REGISTER(r9),  REGISTER(r10), REGISTER(r11),
	REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15), REGISTER(rip),
};

/* A register's value as a linear address: in its segment, for RIP and RSP. */
static bool monitor_register(struct monitor *monitor, const char *name, uint64_t *value)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	name += *name == '$';
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (strcmp(name, registers[i].name))
			continue;
		if (ls_ioctl_ptr(monitor->engine, monitor->vcpu, KVM_GET_REGS, &regs) < 0 ||
		    ls_ioctl_ptr(monitor->engine, monitor->vcpu, KVM_GET_SREGS, &sregs) < 0)
			return false;
		memcpy(value, (const char *)&regs + registers[i].offset, sizeof(*value));
		if (!sregs.cs.l && !strcmp(name, "rip"))
			*value += sregs.cs.base;
		if (!sregs.cs.l && !strcmp(name, "rsp"))
			*value += sregs.ss.base;
		return true;
	}
	return false;
}

static bool monitor_base(struct monitor *monitor, const char *name, uint64_t *base)
{
	const struct symbols *symbols = machine_symbols(monitor->machine);
	const struct symbol *symbol;
	char *end;

	if (isdigit((unsigned char)*name)) {
		*base = strtoull(name, &end, 0);
		return !*end;
	}
	if (monitor_register(monitor, name, base))
		return true;
	symbol = symbols ? symbols_by_name(symbols, name) : NULL;
	if (symbol)
		*base = symbol->address;
	return symbol != NULL;
}

bool monitor_address(struct monitor *monitor, const char *text, uint64_t *address)
{
	/* From the second character on: a sign there belongs to an offset. */
	size_t split = *text ? 1 + strcspn(text + 1, "+-") : 0;
	char *name = strndup(text, split), *end;
	uint64_t offset = 0;
	bool good = name && monitor_base(monitor, name, address);

	if (good && text[split]) {
		offset = strtoull(text + split + 1, &end, 0);
		good = end != text + split + 1 && !*end;
		*address += text[split] == '-' ? -offset : offset;
	}
	free(name);
	return good ? good
		    : monitor_fail(monitor, "'%s' is no address: a number, a register or a symbol",
				   text);
}

const char *monitor_symbol(struct monitor *monitor, uint64_t address, char *text, size_t room)
{
	const struct symbols *symbols = machine_symbols(monitor->machine);
	const struct symbol *symbol;
	uint64_t offset;

	symbol = symbols ? symbols_find(symbols, address, &offset) : NULL;
	if (!symbol)
		snprintf(text, room, "%s", "");
	else if (offset)
		snprintf(text, room, "%s+0x%" PRIx64, symbol->name, offset);
	else
		snprintf(text, room, "%s", symbol->name);
	return text;
}

size_t monitor_read(struct monitor *monitor, uint64_t address, bool physical, void *to, size_t n)
{
	struct machine_view view = monitor->view;

	view.physical = physical;
	return machine_view_read(monitor->machine, &view, address, to, n);
}

static bool monitor_parse_format(const char *text, struct monitor_format *format)
{
	char *end;

	*format = (struct monitor_format){.count = 1, .form = 'x', .size = 4};
	if (!text)
		return true;
	if (isdigit((unsigned char)*text)) {
		format->count = strtoull(text, &end, 10);
		text = end;
	}
	for (; *text; text++) {
		if (strchr("xduocsi", *text))
			format->form = *text;
		else if (*text == 'b' || *text == 'h' || *text == 'w' || *text == 'g')
			format->size = *text == 'b' ? 1 : *text == 'h' ? 2 : *text == 'w' ? 4 : 8;
		else
			return false;
	}
	if (format->form == 'c')
		format->size = 1;
	return format->count >= 1 && format->count <= MONITOR_MAX_ROWS;
}

static void monitor_print_value(FILE *to, const struct monitor_format *format, uint64_t value)
{
	unsigned int bits = 8 * format->size;
	int64_t number = (int64_t)(value << (64 - bits)) >> (64 - bits);

	switch (format->form) {
	case 'd':
		fprintf(to, " %" PRId64, number);
		break;
	case 'u':
		fprintf(to, " %" PRIu64, value);
		break;
	case 'o':
		fprintf(to, " 0%" PRIo64, value);
		break;
	case 'c':
		if (isprint((int)value))
			fprintf(to, " '%c'", (int)value);
		else
			fprintf(to, " '\\x%02" PRIx64 "'", value);
		break;
	default:
		fprintf(to, " 0x%0*" PRIx64, (int)bits / 4, value);
	}
}

/* Returns the address behind the string's 0. */
static uint64_t monitor_print_string(struct monitor *monitor, uint64_t address, bool physical)
{
	unsigned int room = MONITOR_PAGE;
	char byte;

	fprintf(monitor->to, "%016" PRIx64 ": \"", address);
	while (room-- && monitor_read(monitor, address++, physical, &byte, 1) == 1 && byte) {
		if (isprint((unsigned char)byte))
			fputc(byte, monitor->to);
		else
			fprintf(monitor->to, "\\x%02x", (unsigned char)byte);
	}
	fputs("\"\n", monitor->to);
	return address;
}

static void monitor_print_values(struct monitor *monitor, const struct monitor_format *format,
				 uint64_t address, bool physical)
{
	unsigned int in_row = 16 / format->size;
	uint64_t i, value;

	for (i = 0; i < format->count; i++, address += format->size) {
		value = 0;
		if (i % in_row == 0)
			fprintf(monitor->to, "%s%016" PRIx64 ":", i ? "\n" : "", address);
		if (monitor_read(monitor, address, physical, &value, format->size) < format->size) {
			fputs(" not mapped", monitor->to);
			break;
		}
		monitor_print_value(monitor->to, format, value);
	}
	fputc('\n', monitor->to);
}

void monitor_examine(struct monitor *monitor, char **words, bool physical)
{
	const char *format_text = words[1] && *words[1] == '/' ? words[1] + 1 : NULL;
	const char *where = format_text ? words[2] : words[1];
	struct monitor_format format;
	uint64_t address;

	if (!where || !monitor_parse_format(format_text, &format)) {
		monitor_fail(monitor,
			     "say x /NFU ADDRESS, as in x /4xw 0x1000: N up to %d, "
			     "F one of x d u o c s i, U one of b h w g",
			     MONITOR_MAX_ROWS);
		return;
	}
	if (!monitor_address(monitor, where, &address))
		return;
	if (format.form == 's') {
		while (format.count--)
			address = monitor_print_string(monitor, address, physical);
	} else if (format.form == 'i') {
		char count[24];
		char *disas[] = {"disas", (char *)where, count, NULL};

		snprintf(count, sizeof(count), "%" PRIu64, format.count);
		monitor_disassemble(monitor, disas);
	} else {
		monitor_print_values(monitor, &format, address, physical);
	}
}
