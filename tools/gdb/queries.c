/* SPDX-License-Identifier: Apache-2.0 */
/* q and Q packets (GDB manual, E.4). */
#include <errno.h>
#include <string.h>

#include "tools/gdb/internal.h"
#include "tools/gdb/registers.h"

static void query_supported(struct gdb_stub *stub, const char *at)
{
	bool back = machine_config(stub->machine)->history;
	g_autofree char *text =
		g_strdup_printf("PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;swbreak+;"
				"hwbreak+;vContSupported+%s",
				GDB_PACKET_MAX, back ? ";ReverseStep+;ReverseContinue+" : "");

	(void)at;
	gdb_reply(stub, text);
}

static void query_no_ack(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply(stub, "OK");
	stub->link.no_ack = true;
}

/* "OFFSET,LENGTH" of a text: 'm' goes before a part of it and 'l' before the last. */
static void query_description(struct gdb_stub *stub, const char *at)
{
	g_autofree char *text = gdb_target_description();
	g_autofree char *part = NULL;
	uint64_t from, length, size = strlen(text);

	if (!gdb_take_number(&at, &from) || !gdb_take_char(&at, ',') ||
	    !gdb_take_number(&at, &length) || from > size) {
		gdb_reply_error(stub, EINVAL);
		return;
	}
	length = MIN(length, MIN(size - from, GDB_PACKET_MAX / 2));
	part = g_strdup_printf("%c%.*s", from + length < size ? 'm' : 'l', (int)length,
			       text + from);
	gdb_reply(stub, part);
}

static void query_threads(struct gdb_stub *stub, const char *at)
{
	g_autoptr(GString) text = g_string_new(NULL);

	(void)at;
	for (unsigned int n = 0; n < machine_vcpu_count(stub->machine); n++)
		g_string_append_printf(text, "%c%x", n ? ',' : 'm', GDB_THREAD(n));
	gdb_reply(stub, text->str);
}

static void query_more_threads(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply(stub, "l");
}

static void query_thread_name(struct gdb_stub *stub, const char *at)
{
	g_autoptr(GString) packet = g_string_new(NULL);
	g_autofree char *text = NULL;
	uint64_t number;

	if (!gdb_take_number(&at, &number) || !number ||
	    number > machine_vcpu_count(stub->machine)) {
		gdb_reply_error(stub, EINVAL);
		return;
	}
	text = g_strdup_printf("vCPU %u, level %u", (unsigned int)number - 1,
			       machine_level(stub->machine, (unsigned int)number - 1));
	gdb_put_hex(packet, text, strlen(text));
	gdb_reply(stub, packet->str);
}

static void query_current(struct gdb_stub *stub, const char *at)
{
	g_autofree char *text = g_strdup_printf("QC%x", GDB_THREAD(stub->vcpu));

	(void)at;
	gdb_reply(stub, text);
}

static void query_attached(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply(stub, "1");
}

static void query_command(struct gdb_stub *stub, const char *at)
{
	g_autoptr(GString) packet = g_string_new(NULL);
	g_autofree char *line = g_malloc0(strlen(at) / 2 + 1), *text = NULL;

	if (!gdb_take_hex(&at, line, strlen(at) / 2)) {
		gdb_reply_error(stub, EINVAL);
		return;
	}
	text = gdb_command(stub, line);
	gdb_put_hex(packet, text, MIN(strlen(text), GDB_PACKET_MAX / 2));
	gdb_reply(stub, packet->len ? packet->str : "OK");
}

/* QEMU's name for it, so that `maintenance packet Qqemu.PhyMemMode:1` does the same here. */
static void query_physical(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply(stub, stub->physical ? "1" : "0");
}

static void set_physical(struct gdb_stub *stub, const char *at)
{
	stub->physical = *at == '1';
	gdb_reply(stub, "OK");
}

static const struct {
	const char *name;
	void (*serve)(struct gdb_stub *stub, const char *at);
} queries[] = {
	{"qSupported", query_supported},
	{"QStartNoAckMode", query_no_ack},
	{"qXfer:features:read:target.xml:", query_description},
	{"qfThreadInfo", query_threads},
	{"qsThreadInfo", query_more_threads},
	{"qThreadExtraInfo,", query_thread_name},
	{"qC", query_current},
	{"qAttached", query_attached},
	{"qRcmd,", query_command},
	{"qqemu.PhyMemMode", query_physical},
	{"Qqemu.PhyMemMode:", set_physical},
};

/* Arguments come behind a ':' or ','. */
static bool names(const char *name, const char *packet)
{
	char last = name[strlen(name) - 1];

	if (!g_str_has_prefix(packet, name))
		return false;
	packet += strlen(name);
	return last == ':' || last == ',' || *packet == ':' || !*packet;
}

bool gdb_query(struct gdb_stub *stub, const char *packet)
{
	for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
		if (names(queries[i].name, packet)) {
			queries[i].serve(stub, packet + strlen(queries[i].name));
			return true;
		}
	}
	return false;
}
