/* SPDX-License-Identifier: Apache-2.0 */
/* What gdb asks for, packet by packet (GDB manual, E.2). */
#include <errno.h>
#include <string.h>

#include "tools/gdb/internal.h"
#include "tools/gdb/registers.h"

/* --- registers --- */

static int read_registers(struct gdb_stub *stub, struct gdb_registers *registers)
{
	return gdb_registers_read(machine_engine(stub->machine),
				  machine_vcpu(stub->machine, stub->vcpu), registers);
}

static int write_registers(struct gdb_stub *stub, struct gdb_registers *registers)
{
	return gdb_registers_write(machine_engine(stub->machine),
				   machine_vcpu(stub->machine, stub->vcpu), registers);
}

static void request_g(struct gdb_stub *stub, const char *at)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct gdb_registers registers;
	int ret = read_registers(stub, &registers);

	(void)at;
	for (uint64_t n = 0; n < gdb_register_count(); n++)
		gdb_register_put(text, &registers, n);
	if (ret)
		gdb_reply_error(stub, ret);
	else
		gdb_reply(stub, text->str);
}

static void finish_write(struct gdb_stub *stub, struct gdb_registers *registers, int ret)
{
	if (!ret && !gdb_may_write(stub))
		return;
	if (!ret)
		ret = write_registers(stub, registers);
	if (ret)
		gdb_reply_error(stub, ret);
	else
		gdb_reply(stub, "OK");
}

static void request_G(struct gdb_stub *stub, const char *at)
{
	struct gdb_registers registers;
	int ret = read_registers(stub, &registers);

	for (uint64_t n = 0; n < gdb_register_count() && !ret; n++)
		ret = gdb_register_take(&at, &registers, n) ? 0 : -EINVAL;
	finish_write(stub, &registers, ret);
}

static void request_p(struct gdb_stub *stub, const char *at)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct gdb_registers registers;
	uint64_t number;

	if (!gdb_take_number(&at, &number) || read_registers(stub, &registers) ||
	    !gdb_register_put(text, &registers, number))
		gdb_reply_error(stub, EINVAL);
	else
		gdb_reply(stub, text->str);
}

static void request_P(struct gdb_stub *stub, const char *at)
{
	struct gdb_registers registers;
	uint64_t number;
	int ret = read_registers(stub, &registers);

	if (!ret && (!gdb_take_number(&at, &number) || !gdb_take_char(&at, '=') ||
		     !gdb_register_take(&at, &registers, number)))
		ret = -EINVAL;
	finish_write(stub, &registers, ret);
}

/* --- memory --- */

/* "ADDRESS,LENGTH" */
static bool take_range(const char **at, uint64_t *address, uint64_t *length)
{
	return gdb_take_number(at, address) && gdb_take_char(at, ',') &&
	       gdb_take_number(at, length);
}

static void request_m(struct gdb_stub *stub, const char *at)
{
	const struct machine_view view = gdb_view(stub);
	g_autoptr(GString) text = g_string_new(NULL);
	uint8_t bytes[GDB_PACKET_MAX / 2];
	uint64_t address, length;
	size_t n;

	if (!take_range(&at, &address, &length)) {
		gdb_reply_error(stub, EINVAL);
		return;
	}
	n = machine_view_read(stub->machine, &view, address, bytes, MIN(length, sizeof(bytes)));
	gdb_put_hex(text, bytes, n);
	if (!n && length)
		gdb_reply_error(stub, EFAULT);
	else
		gdb_reply(stub, text->str);
}

static void write_memory(struct gdb_stub *stub, uint64_t address, const void *bytes, size_t size)
{
	const struct machine_view view = gdb_view(stub);

	if (!gdb_may_write(stub))
		return;
	if (machine_view_write(stub->machine, &view, address, bytes, size) < size)
		gdb_reply_error(stub, EFAULT);
	else
		gdb_reply(stub, "OK");
}

static void request_M(struct gdb_stub *stub, const char *at)
{
	uint8_t bytes[GDB_PACKET_MAX / 2];
	uint64_t address, length;

	if (!take_range(&at, &address, &length) || !gdb_take_char(&at, ':') ||
	    length > sizeof(bytes) || !gdb_take_hex(&at, bytes, length))
		gdb_reply_error(stub, EINVAL);
	else
		write_memory(stub, address, bytes, length);
}

/* The same with the bytes as they are. */
static void request_X(struct gdb_stub *stub, const char *packet, size_t size)
{
	const char *at = packet + 1;
	uint64_t address, length;

	if (!take_range(&at, &address, &length) || !gdb_take_char(&at, ':') ||
	    length != size - (size_t)(at - packet))
		gdb_reply_error(stub, EINVAL);
	else
		write_memory(stub, address, at, length);
}

/* --- breakpoints --- */

static bool take_breakpoint(const char *at, uint64_t *kind, uint64_t *address, uint64_t *length)
{
	return gdb_take_number(&at, kind) && gdb_take_char(&at, ',') &&
	       take_range(&at, address, length);
}

static void request_Z(struct gdb_stub *stub, const char *at)
{
	struct machine_view view = gdb_view(stub);
	uint64_t kind, address, length;
	int ret = -EINVAL;

	view.physical = false;
	if (take_breakpoint(at, &kind, &address, &length))
		ret = gdb_breakpoint_add(&stub->breakpoints, (enum gdb_break_kind)kind, address,
					 (unsigned int)length, &view);
	if (ret == -EINVAL)
		gdb_reply(stub, ""); /* no such breakpoints here */
	else if (ret)
		gdb_reply_error(stub, ret);
	else
		gdb_reply(stub, "OK");
}

static void request_z(struct gdb_stub *stub, const char *at)
{
	uint64_t kind, address, length;

	if (take_breakpoint(at, &kind, &address, &length))
		gdb_breakpoint_remove(&stub->breakpoints, (enum gdb_break_kind)kind, address,
				      (unsigned int)length);
	gdb_reply(stub, "OK");
}

/* --- threads, and running --- */

/* The vCPU of a thread's number; "0" and "-1" are any. False: there is none. */
static bool take_thread(struct gdb_stub *stub, const char **at, unsigned int *vcpu)
{
	uint64_t number;

	if (!gdb_take_number(at, &number))
		return false;
	if (number && number != UINT64_MAX) {
		if (number > machine_vcpu_count(stub->machine))
			return false;
		*vcpu = (unsigned int)number - 1;
	}
	return true;
}

static void request_H(struct gdb_stub *stub, const char *at)
{
	unsigned int *which = *at == 'g' ? &stub->vcpu : &stub->step_vcpu;

	if (*at && ++at && take_thread(stub, &at, which))
		gdb_reply(stub, "OK");
	else
		gdb_reply_error(stub, EINVAL);
}

static void request_T(struct gdb_stub *stub, const char *at)
{
	unsigned int vcpu;

	if (take_thread(stub, &at, &vcpu))
		gdb_reply(stub, "OK");
	else
		gdb_reply_error(stub, EINVAL);
}

static void request_c(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_resume(stub, GDB_NO_STEP);
}

static void request_s(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_resume(stub, stub->step_vcpu);
}

static void request_b(struct gdb_stub *stub, const char *at)
{
	bool back = machine_config(stub->machine)->history;

	if (back && !strcmp(at, "s"))
		gdb_reverse_step(stub);
	else if (back && !strcmp(at, "c"))
		gdb_reverse_continue(stub);
	else
		gdb_reply(stub, "");
}

/* vCont;ACTION[:THREAD]... One vCPU may step; the others have their turns, as the schedule says. */
static void resume_each(struct gdb_stub *stub, const char *at)
{
	unsigned int step = GDB_NO_STEP, vcpu;

	while (gdb_take_char(&at, ';')) {
		char action = *at;

		at += strcspn(at, ":;");
		vcpu = stub->step_vcpu;
		if (gdb_take_char(&at, ':') && !take_thread(stub, &at, &vcpu)) {
			gdb_reply_error(stub, EINVAL);
			return;
		}
		if ((action == 's' || action == 'S') && step == GDB_NO_STEP)
			step = vcpu;
	}
	gdb_resume(stub, step);
}

static void request_v(struct gdb_stub *stub, const char *at)
{
	if (!strcmp(at, "Cont?"))
		gdb_reply(stub, "vCont;c;C;s;S");
	else if (g_str_has_prefix(at, "Cont"))
		resume_each(stub, at + 4);
	else if (g_str_has_prefix(at, "Kill")) {
		gdb_reply(stub, "OK");
		machine_stop(stub->machine);
	} else
		gdb_reply(stub, "");
}

static void request_stop_reason(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply_stop(stub);
}

static void request_D(struct gdb_stub *stub, const char *at)
{
	(void)at;
	gdb_reply(stub, "OK");
	gdb_leave(stub);
}

static void request_k(struct gdb_stub *stub, const char *at)
{
	(void)at;
	machine_stop(stub->machine);
}

/* --- which is which --- */

static const struct {
	char letter;
	void (*serve)(struct gdb_stub *stub, const char *at);
} requests[] = {
	{'?', request_stop_reason}, {'g', request_g}, {'G', request_G}, {'p', request_p},
	{'P', request_P},           {'m', request_m}, {'M', request_M}, {'Z', request_Z},
	{'z', request_z},           {'H', request_H}, {'T', request_T}, {'c', request_c},
	{'C', request_c},           {'s', request_s}, {'S', request_s}, {'v', request_v},
	{'D', request_D},           {'k', request_k}, {'b', request_b},
};

void gdb_request(struct gdb_stub *stub, const char *packet, size_t size)
{
	if (*packet == 'X') {
		request_X(stub, packet, size);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		if (requests[i].letter == *packet) {
			requests[i].serve(stub, packet + 1);
			return;
		}
	}
	if (!gdb_query(stub, packet))
		gdb_reply(stub, "");
}
