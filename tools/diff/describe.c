/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/describe.h"

#include <capstone/capstone.h>
#include <inttypes.h>

#define RIGHTS_L  (1u << 13)
#define RIGHTS_DB (1u << 14)

static const char *end_name(enum machine_end end)
{
	static const char *const names[] = {
		[MACHINE_END_POWER_OFF] = "power-off",
		[MACHINE_END_RESET] = "reset",
		[MACHINE_END_EXIT_PORT] = "exit port",
		[MACHINE_END_LIMIT] = "instruction limit",
		[MACHINE_END_SHUTDOWN] = "triple fault",
		[MACHINE_END_HALTED] = "halted for ever",
		[MACHINE_END_ERROR] = "the engine gave up",
		[MACHINE_END_INTERRUPTED] = "interrupted",
	};

	return names[end];
}

char *describe_event(const struct diff_event *event)
{
	const struct machine_exit *exit = &event->exit;

	switch (exit->reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		return g_strdup_printf("%s of %u byte%s %s %s 0x%" PRIx64 ": 0x%" PRIx64 "%s",
				       exit->write ? "write" : "read", exit->size,
				       exit->size == 1 ? "" : "s", exit->write ? "to" : "from",
				       exit->reason == KVM_EXIT_IO ? "port" : "address",
				       exit->address, exit->value,
				       exit->count > 1 ? ", and more" : "");
	case KVM_EXIT_DEBUG:
		return exit->value ? g_strdup_printf("step, DR6 0x%" PRIx64, exit->value)
				   : g_strdup("step");
	case KVM_EXIT_SHUTDOWN:
		return g_strdup("shutdown");
	case KVM_EXIT_INTERNAL_ERROR:
		return g_strdup_printf("internal error of the engine, suberror %" PRIu64,
				       exit->value);
	case KVM_EXIT_FAIL_ENTRY:
		return g_strdup("the processor refused the VM entry");
	case KVM_EXIT_SYSTEM_EVENT:
		return g_strdup_printf("system event %" PRIu64, exit->value);
	case DIFF_HOST_EXIT:
		return g_strdup_printf("exit of the processor, reason %" PRIu64 ", at 0x%" PRIx64,
				       exit->value, exit->address);
	case DIFF_TORN:
		return g_strdup(exit->value ? "an event that is missing" : "no more events");
	default:
		return g_strdup_printf("end: %s, status %d", end_name(event->end), event->code);
	}
}

static cs_mode code_size(const struct diff_fields *fields, const struct diff_event *event)
{
	int row = diff_fields_find(fields, "CS access rights");
	uint64_t rights = event->registers[row];

	if (rights & RIGHTS_L)
		return CS_MODE_64;
	return rights & RIGHTS_DB ? CS_MODE_32 : CS_MODE_16;
}

char *describe_instruction(const struct diff_fields *fields, const struct diff_event *event)
{
	char *text = NULL;
	cs_insn *insn;
	csh capstone;

	if (cs_open(CS_ARCH_X86, code_size(fields, event), &capstone))
		return g_strdup("");
	if (cs_disasm(capstone, event->bytes, sizeof(event->bytes), event->linear_rip, 1, &insn)) {
		text = g_strdup_printf("%s %s", insn->mnemonic, insn->op_str);
		cs_free(insn, 1);
	}
	cs_close(&capstone);
	return text ? g_strchomp(text) : g_strdup("(unknown)");
}
