/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's `disas`: Capstone, with the symbols of what was booted. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <string.h>

#include "machine/machine.h"
#include "tools/monitor.h"
#include "tools/size.h"

#define MONITOR_LONGEST 15u /* bytes of an instruction, SDM 2A:2.3.11 */
#define MONITOR_ROWS    10
#define MONITOR_MAX     4096

/* The code size of CS, SDM 3A:5.2.1 and 3A:3.4.5. */
static cs_mode monitor_code_size(struct monitor *monitor)
{
	struct kvm_sregs sregs;

	if (ls_ioctl_ptr(monitor->engine, monitor->vcpu, KVM_GET_SREGS, &sregs) < 0 || sregs.cs.l)
		return CS_MODE_64;
	return sregs.cs.db ? CS_MODE_32 : CS_MODE_16;
}

static void monitor_print_heading(struct monitor *monitor, uint64_t address)
{
	char name[256];

	if (*monitor_symbol(monitor, address, name, sizeof(name)))
		fprintf(monitor->to, "%s:\n", name);
}

static void monitor_print_row(struct monitor *monitor, uint64_t address, const uint8_t *bytes,
			      size_t n, const char *mnemonic, const char *operands)
{
	size_t i;

	fprintf(monitor->to, "  %016" PRIx64 "  ", address);
	for (i = 0; i < n; i++)
		fprintf(monitor->to, "%02x", bytes[i]);
	fprintf(monitor->to, "%*s %s %s", (int)(2 * (n < 10 ? 10 - n : 0)), "", mnemonic, operands);
}

/* The name behind a branch's target, which Capstone prints as a number. */
static void monitor_print_target(struct monitor *monitor, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	char name[256];
	int i;

	for (i = 0; i < x86->op_count; i++) {
		if (x86->operands[i].type == X86_OP_IMM &&
		    *monitor_symbol(monitor, (uint64_t)x86->operands[i].imm, name, sizeof(name)))
			fprintf(monitor->to, "  <%s>", name);
	}
}

/* Prints one instruction and returns its length, 0 where nothing can be read. */
static size_t monitor_disassemble_one(struct monitor *monitor, csh capstone, cs_insn *insn,
				      uint64_t address)
{
	uint8_t bytes[MONITOR_LONGEST];
	const uint8_t *code = bytes;
	uint64_t next = address;
	size_t n = monitor_read(monitor, address, false, bytes, sizeof(bytes));

	if (!n) {
		fprintf(monitor->to, "  %016" PRIx64 "  not mapped\n", address);
		return 0;
	}
	if (!cs_disasm_iter(capstone, &code, &n, &next, insn)) {
		monitor_print_row(monitor, address, bytes, 1, ".byte", "(unknown)");
		fputc('\n', monitor->to);
		return 1;
	}
	monitor_print_row(monitor, address, insn->bytes, insn->size, insn->mnemonic, insn->op_str);
	monitor_print_target(monitor, insn);
	fputc('\n', monitor->to);
	return insn->size;
}

void monitor_disassemble(struct monitor *monitor, char **words)
{
	uint64_t address, rows = MONITOR_ROWS;
	cs_insn *insn;
	size_t length;
	csh capstone;

	if (!monitor_address(monitor, words[1] ? words[1] : "rip", &address))
		return;
	if (words[1] && words[2] && (number_parse(words[2], MONITOR_MAX, &rows) || !rows)) {
		monitor_fail(monitor, "N goes from 1 to %d", MONITOR_MAX);
		return;
	}
	if (cs_open(CS_ARCH_X86, monitor_code_size(monitor), &capstone) != CS_ERR_OK) {
		monitor_fail(monitor, "Capstone could not be started");
		return;
	}
	cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(capstone);
	monitor_print_heading(monitor, address);
	while (insn && rows--) {
		length = monitor_disassemble_one(monitor, capstone, insn, address);
		if (!length)
			break;
		address += length;
	}
	if (insn)
		cs_free(insn, 1);
	cs_close(&capstone);
}
