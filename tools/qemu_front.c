/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockstep-qemu: takes the QEMU options that kvm-unit-tests' own scripts use and runs the same
 * machine as `lockstep run`. What it prints is worded as those scripts expect it.
 */
#include "tools/qemu_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/log.h"
#include "tools/size.h"
#include "tools/tool.h"

#define QEMU_DEFAULT_MEMORY (128ull << 20)

/* kvm-unit-tests reads a version out of this line. */
static const char version[] = "QEMU emulator version 7.2.0 (lockstep-qemu " LOCKSTEP_VERSION
			      ", takes QEMU's options, runs Lockstep)\n";

struct qemu_option {
	const char *name;
	const char *argument; /* for the help; NULL: takes none */
	const char *summary;  /* NULL: accepted, changes nothing here */
	int (*apply)(struct qemu_front *front, const char *argument, struct ls_error *err);
};

/* --- the options --- */

static int option_kernel(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)err;
	front->session.config.kernel = argument;
	return 0;
}

static int option_append(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)err;
	front->session.config.append = argument;
	return 0;
}

static int option_initrd(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)err;
	front->session.config.initrd = argument;
	return 0;
}

static int option_bios(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)err;
	front->session.config.boot = MACHINE_BOOT_FIRMWARE;
	front->session.config.kernel = argument;
	return 0;
}

static int option_smp(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(argument);
	const struct qemu_property *first = properties->len ? properties->pdata[0] : NULL;
	const char *text = qemu_property(properties, "cpus");
	uint64_t count;

	if (!text)
		text = first && !first->has_value ? first->key : "1";
	if (number_parse(text, UINT32_MAX, &count) || !count)
		return ls_error_set(err, -EINVAL, "-smp %s: say a number of CPUs", argument);
	if (count > MACHINE_MAX_VCPUS)
		return ls_error_set(err, -EINVAL,
				    "Number of SMP CPUs requested (%llu) exceeds the maximum cpus "
				    "supported by the machine (%d)",
				    (unsigned long long)count, MACHINE_MAX_VCPUS);
	front->session.config.vcpus = (unsigned int)count;
	return 0;
}

static int option_memory(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(argument);
	const struct qemu_property *first = properties->len ? properties->pdata[0] : NULL;
	const char *text = qemu_property(properties, "size");

	if (!text)
		text = first && !first->has_value ? first->key : "";
	if (size_parse(text, 1 << 20, &front->session.config.memory) ||
	    !front->session.config.memory)
		return ls_error_set(err, -EINVAL, "-m %s: say a size, in MiB or with a suffix",
				    argument);
	return 0;
}

static int option_cpu(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)err;
	front->cpu = argument;
	return 0;
}

static int option_accel(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	g_autoptr(GPtrArray) properties = qemu_properties(argument);
	const char *thread = qemu_property(properties, "thread");

	(void)err;
	if (thread && !strcmp(thread, "multi"))
		front->session.config.schedule = MACHINE_PARALLEL;
	return 0;
}

static int option_serial(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	struct machine_config *config = &front->session.config;

	front->serial_given = true;
	if (!strcmp(argument, "stdio") || !strcmp(argument, "mon:stdio")) {
		config->serial = true;
		front->session.console.escapes = *argument == 'm';
		front->session.console.signal_keys = *argument != 'm';
	} else if (!strcmp(argument, "none") || !strcmp(argument, "null")) {
		config->serial = false;
	} else if (g_str_has_prefix(argument, "file:") && argument[5]) {
		config->serial = true;
		front->session.console.output_path = argument + 5;
	} else {
		return ls_error_set(err, -EINVAL,
				    "-serial %s: say stdio, mon:stdio, file:PATH or none",
				    argument);
	}
	return 0;
}

static int option_nographic(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)argument;
	(void)err;
	front->nographic = true;
	return 0;
}

static int option_no_reboot(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)argument;
	(void)err;
	front->session.config.no_reboot = true;
	return 0;
}

static int option_gdb(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	/* What QEMU would hand to a character device of the kind. */
	const char *where = g_str_has_prefix(argument, "tcp:") ? argument + 4 : argument;
	char *address;

	(void)err;
	if (g_str_has_prefix(where, "unix:"))
		where += 5;
	address = g_strndup(where, strcspn(where, ","));
	front->session.gdb = qemu_keep(front, address);
	/* ":PORT" is any of this host's addresses there; here it is the loopback one. */
	return 0;
}

static int option_gdb_default(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)argument;
	return option_gdb(front, "1234", err);
}

static int option_wait(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	(void)argument;
	(void)err;
	front->session.gdb_wait = true;
	return 0;
}

static int option_hda(struct qemu_front *front, const char *argument, struct ls_error *err)
{
	g_autofree char *drive = g_strconcat("format=raw,file=", argument, NULL);

	return qemu_drive(front, drive, err);
}

static const struct qemu_option options[] = {
	{"kernel", "FILE", "boot this: bzImage, or a multiboot program", option_kernel},
	{"append", "TEXT", "its command line", option_append},
	{"initrd", "FILE", "its RAM disk or boot module", option_initrd},
	{"bios", "FILE", "start this firmware", option_bios},
	{"cpu", "NAME[,+x,-y,key=value]", "CPU model; -cpu '?' lists them", option_cpu},
	{"smp", "N", "number of vCPUs", option_smp},
	{"m", "SIZE", "memory, in MiB or with a suffix (default 128)", option_memory},
	{"machine", "TYPE[,key=value]", "accel=, pit=, vmport=; -machine '?' lists types",
	 qemu_machine},
	{"M", "TYPE[,key=value]", "the same", qemu_machine},
	{"accel", "NAME[,thread=multi]", "taken as the engine there is; multi: a thread per vCPU",
	 option_accel},
	{"device", "NAME[,key=value]", "attach one; -device '?' lists them", qemu_device},
	{"drive", "file=F,format=raw[,if=virtio]", "attach a raw disk image", qemu_drive},
	{"hda", "FILE", "the same", option_hda},
	{"netdev", "user|tap,ifname=NAME", "what virtio-net-pci is connected to", qemu_netdev},
	{"serial", "stdio|mon:stdio|file:PATH|none", "where COM1 goes", option_serial},
	{"nographic", NULL, "COM1 on the terminal, with the Ctrl-A keys", option_nographic},
	{"no-reboot", NULL, "a reset ends the run", option_no_reboot},
	{"gdb", "tcp:[HOST]:PORT|unix:PATH", "let gdb come there", option_gdb},
	{"s", NULL, "the same at port 1234", option_gdb_default},
	{"S", NULL, "wait for gdb before the first instruction", option_wait},
	{"enable-kvm", NULL, NULL, NULL},
	{"nodefaults", NULL, NULL, NULL},
	{"no-user-config", NULL, NULL, NULL},
	{"no-hpet", NULL, NULL, NULL},
	{"global", "", NULL, NULL},
	{"overcommit", "", NULL, NULL},
	{"display", "", NULL, NULL},
	{"vga", "", NULL, NULL},
	{"monitor", "", NULL, NULL},
	{"name", "", NULL, NULL},
	{"net", "", NULL, NULL},
	{"nic", "", NULL, NULL},
};

static const struct qemu_option *option_find(const char *name)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(options); i++) {
		if (!strcmp(options[i].name, name))
			return &options[i];
	}
	return NULL;
}

static void print_help(void)
{
	size_t i;

	fputs(version, stdout);
	fputs("Usage: lockstep-qemu [option...]\n\n"
	      "The options of qemu-system-x86_64 that kvm-unit-tests uses, and a few more:\n\n",
	      stdout);
	for (i = 0; i < G_N_ELEMENTS(options); i++) {
		g_autofree char *head = NULL;

		if (!options[i].summary)
			continue;
		head = g_strdup_printf("-%s %s", options[i].name,
				       options[i].argument ? options[i].argument : "");
		printf("  %-38s %s\n", head, options[i].summary);
	}
	fputs("\nTaken, and without effect here:", stdout);
	for (i = 0; i < G_N_ELEMENTS(options); i++) {
		if (!options[i].summary)
			printf(" -%s", options[i].name);
	}
	fputs("\n-device '?', -cpu '?', -machine '?' and -accel '?' print lists; -version the "
	      "version.\n"
	      "Exit status: as QEMU's; after isa-debug-exit (value << 1) | 1. man lockstep-qemu\n",
	      stdout);
}

/* --- the command line --- */

/* -h, --version and the queries answer and end: true. */
static bool qemu_answer(const char *name, const char *argument)
{
	if (!strcmp(name, "h") || !strcmp(name, "help"))
		print_help();
	else if (!strcmp(name, "version"))
		fputs(version, stdout);
	else if (!argument || !qemu_is_query(argument) || !qemu_query(name))
		return false;
	return true;
}

/* Returns 1 if the command line was a question that has been answered. */
static int qemu_parse(struct qemu_front *front, int argc, char **argv, struct ls_error *err)
{
	const struct qemu_option *option;
	const char *name, *argument;
	int i, rc;

	for (i = 1; i < argc; i++) {
		if (*argv[i] != '-') {
			/* QEMU takes a bare word for a disk image. */
			rc = option_hda(front, argv[i], err);
			if (rc)
				return rc;
			continue;
		}
		name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		if (qemu_answer(name, argv[i + 1]))
			return 1;
		option = option_find(name);
		if (!option)
			return ls_error_set(err, -EINVAL, "%s: invalid option; --help lists them",
					    argv[i]);
		argument = option->argument ? argv[++i] : NULL;
		if (option->argument && !argument)
			return ls_error_set(err, -EINVAL, "-%s: requires an argument", name);
		rc = option->apply ? option->apply(front, argument, err) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int qemu_finish(struct qemu_front *front, struct ls_error *err)
{
	struct machine_config *config = &front->session.config;
	char *spec;
	int rc;

	if (front->nographic && !front->serial_given)
		option_serial(front, "mon:stdio", err);
	spec = qemu_cpu_spec(config->engine, front->cpu ? front->cpu : "qemu64", err);
	if (!spec)
		return err->code;
	config->cpu = qemu_keep(front, spec);
	if (!config->kernel)
		return ls_error_set(err, -EINVAL, "nothing to boot: give -kernel or -bios");
	/* run_tests.sh looks for these words to tell a QEMU that would have run. */
	if (access(config->kernel, R_OK)) {
		rc = -errno;
		return ls_error_set(err, rc, "could not open kernel file '%s': %s", config->kernel,
				    strerror(-rc));
	}
	if (config->boot == MACHINE_BOOT_NONE)
		config->boot = qemu_is_multiboot(config->kernel) ? MACHINE_BOOT_PAYLOAD
								 : MACHINE_BOOT_LINUX;
	return 0;
}

/* QEMU ends with 0 whenever the guest ends by itself, and with 1 when QEMU has to. */
static int qemu_status(int status, const struct machine_result *result)
{
	if (!*result->text && status)
		return status;
	switch (result->end) {
	case MACHINE_END_RESET:
	case MACHINE_END_SHUTDOWN:
		return TOOL_EXIT_OK;
	case MACHINE_END_HALTED:
	case MACHINE_END_ERROR:
		return TOOL_EXIT_FAILURE;
	default:
		return status;
	}
}

int main(int argc, char **argv)
{
	struct qemu_front front = {
		.session = {.config = {.engine = &ls_engine_sim, .memory = QEMU_DEFAULT_MEMORY}},
		.drives = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.strings = g_ptr_array_new_with_free_func(g_free),
	};
	struct machine_result result;
	struct ls_error err = {0};
	int rc, status = TOOL_EXIT_OK;

	log_init("lockstep-qemu");
	rc = qemu_parse(&front, argc, argv, &err);
	if (!rc)
		rc = qemu_finish(&front, &err);
	if (rc < 0) {
		log_failure("%s", err.text);
		status = TOOL_EXIT_FAILURE;
	} else if (!rc) {
		status = qemu_status(session_run(&front.session, &result), &result);
	}
	g_hash_table_unref(front.drives);
	g_ptr_array_unref(front.strings);
	return status;
}
