/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/kvm_failure.h"

#include <capstone/capstone.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lockstep/extension.h>

#include "tools/log.h"
#include "tools/tool.h"

/* --- the checks --- */

static void explain(struct ls_engine *engine, const char *what, const char *dump)
{
	struct ls_error err = {0};
	char *text = engine->ext->explain(engine, NULL, dump, strlen(dump), &err);

	if (text)
		fprintf(stderr, "%s, by the checks of VM entry ('lockstep list checks'):\n%s", what,
			text);
	g_free(text);
}

/* --- the kernel's own dump --- */

#define KMSG_RECORD 8192

/* What stands behind "priority,number,time,flags;" in a record. */
static void append_record(GString *log, char *record)
{
	char *text = strchr(record, ';');

	if (text)
		g_string_append(log, text + 1);
}

static char *read_kmsg(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	GString *log = g_string_new(NULL);
	char record[KMSG_RECORD + 1];
	ssize_t n;

	while (fd >= 0 && ((n = read(fd, record, KMSG_RECORD)) > 0 || (n < 0 && errno == EPIPE))) {
		if (n < 0)
			continue; /* overwritten meanwhile */
		record[n] = '\0';
		append_record(log, record);
	}
	if (fd >= 0)
		close(fd);
	return g_string_free(log, FALSE);
}

/* Where the last dump begins; NULL: there is none. */
static const char *last_dump(const char *log)
{
	static const char *const heads[] = {"*** Guest State ***", "VMCB Control Area:"};
	const char *last = NULL;

	for (size_t n = 0; n < G_N_ELEMENTS(heads); n++) {
		const char *head = g_strrstr(log, heads[n]);

		if (head > last)
			last = head;
	}
	while (last && last > log && last[-1] != '\n')
		last--;
	return last;
}

static void explain_kernel(struct ls_engine *engine)
{
	g_autofree char *log = read_kmsg();
	const char *dump = last_dump(log);

	if (dump)
		explain(engine, "the last control block that the kernel's log has", dump);
	else
		fputs("the kernel's log has no dump that could be read: it makes one with "
		      "dump_invalid_vmcs=1 of kvm_intel, or dump_invalid_vmcb=1 of kvm_amd\n",
		      stderr);
}

/* --- the instruction --- */

static void show_code(const struct machine_failure *failure)
{
	cs_mode mode = failure->code_bits == 64   ? CS_MODE_64
		       : failure->code_bits == 32 ? CS_MODE_32
						  : CS_MODE_16;
	cs_insn *insn = NULL;
	csh capstone;

	fprintf(stderr, "the instruction at 0x%" PRIx64 ", %u bits: ", failure->rip,
		failure->code_bits);
	if (!failure->code_size) {
		fputs("there is no memory\n", stderr);
		return;
	}
	if (cs_open(CS_ARCH_X86, mode, &capstone) != CS_ERR_OK)
		return;
	if (cs_disasm(capstone, failure->code, failure->code_size, failure->rip, 1, &insn)) {
		fprintf(stderr, "%s %s\n", insn->mnemonic, insn->op_str);
		cs_free(insn, 1);
	} else {
		for (unsigned int n = 0; n < failure->code_size; n++)
			fprintf(stderr, "%02x", failure->code[n]);
		fputs(", which no instruction begins with\n", stderr);
	}
	cs_close(&capstone);
}

void kvm_failure_show(void *opaque, const struct machine_failure *failure)
{
	struct ls_engine *engine = tool_engine_find("sim")->open(NULL);
	char what[64];

	(void)opaque;
	if (!engine)
		return;
	snprintf(what, sizeof(what), "what KVM tells of vCPU %u's guest state", failure->vcpu);
	explain(engine, what, failure->state);
	show_code(failure);
	explain_kernel(engine);
	engine->ops->close(engine, LS_SYSTEM);
}
