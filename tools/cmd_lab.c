/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep lab: a lockstep command in a guest whose kernel has KVM, on a host that need not. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tools/lab/guest.h"
#include "tools/lab/host.h"
#include "tools/lab/image.h"
#include "tools/lab/machine.h"
#include "tools/log.h"
#include "tools/run_options.h"
#include "tools/size.h"
#include "tools/tool.h"

static const char lab_description[] =
	"Files that the command names go in with it, and those that it writes come back. Its exit\n"
	"status is the lab's. A COMMAND with a slash in it is a program, as long as it needs no\n"
	"libraries but lockstep's own; it finds lockstep by its name.\n\n"
	"Example: lockstep lab -- run --engine kvm --payload program.elf";

/* Its kernel and this program, unpacked, and a guest beside them. */
#define LEAST_MEMORY (128ull << 20)

/* QEMU counts in other units, and what it says of nonsense is not our options' language. */
static int lab_settle_size(struct lab_options *options, struct ls_error *err)
{
	const char *text = options->memory ? options->memory : "1G";
	uint64_t bytes;

	if (size_parse(text, 1, &bytes))
		return ls_error_set(err, -EINVAL, "--memory %s: say a size, as in 512M or 4G",
				    text);
	if (bytes < LEAST_MEMORY)
		return ls_error_set(err, -EINVAL, "--memory %s: the lab needs %lluM or more", text,
				    LEAST_MEMORY >> 20);
	g_free(options->memory);
	options->memory = g_strdup_printf("%" PRIu64 "M", bytes >> 20);
	return options->smp > 0 ? 0
				: ls_error_set(err, -EINVAL, "--smp %d: say a number from 1 on",
					       options->smp);
}

static int lab_complete_options(struct lab_options *options, struct ls_error *err)
{
	bool own_kernel = options->kernel != NULL;

	if (!options->kernel)
		options->kernel = lab_default_kernel();
	if (!options->modules) {
		g_autofree char *folder = g_path_get_dirname(options->kernel);

		options->modules = g_build_filename(folder, "modules", NULL);
	}
	if (!options->host)
		options->host = g_strdup(LAB_HOST_QEMU);
	if (!options->cpu && !strcmp(options->host, LAB_HOST_QEMU))
		options->cpu = g_strdup("EPYC,-rdtscp");
	if (lab_settle_size(options, err))
		return err->code;
	if (access(options->kernel, R_OK))
		return ls_error_set(err, -errno, "cannot read the kernel '%s': %s%s",
				    options->kernel, g_strerror(errno),
				    own_kernel ? ""
					       : "; tools/guest-images gets one, or say --kernel");
	return 0;
}

static int lab_run(struct lab_options *options, char **command, char **with)
{
	g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
	struct ls_error err = {0};
	bool tell = isatty(STDERR_FILENO) && !options->verbose;
	int rc = lab_complete_options(options, &err), image = -1;

	if (!rc)
		rc = image = lab_image_make(options->modules, command, with, folders, &err);
	if (rc >= 0) {
		if (tell)
			log_notice("starting %s under %s", options->kernel, options->host);
		rc = lab_host_run(options, image, folders, &err);
	}
	if (image >= 0)
		close(image);
	if (rc >= 0)
		return rc;
	return run_options_failed(&err, "lab");
}

int cmd_lab(int argc, char **argv)
{
	struct lab_options options = {.smp = 1};
	char *inside = NULL;
	char **with = NULL;
	const GOptionEntry entries[] = {
		{"host", 0, 0, G_OPTION_ARG_STRING, &options.host,
		 "What it runs on: QEMU (the default), or this machine with that engine",
		 "qemu|sim|kvm"},
		{"kernel", 0, 0, G_OPTION_ARG_FILENAME, &options.kernel,
		 "The lab's kernel (default: the one that tools/guest-images fetched)", "bzImage"},
		{"modules", 0, 0, G_OPTION_ARG_FILENAME, &options.modules,
		 "Its modules (default: 'modules' beside the kernel)", "FOLDER"},
		{"cpu", 0, 0, G_OPTION_ARG_STRING, &options.cpu,
		 "Its CPU model (default EPYC,-rdtscp for QEMU)", "MODEL"},
		{"smp", 0, 0, G_OPTION_ARG_INT, &options.smp, "Its CPUs (default 1)", "N"},
		{"memory", 0, 0, G_OPTION_ARG_STRING, &options.memory,
		 "Its memory (default 1G, at least 128M)", "SIZE"},
		{"append", 0, 0, G_OPTION_ARG_STRING, &options.append,
		 "Add to its kernel's command line; MODULE.NAME=VALUE also reaches kvm's modules",
		 "TEXT"},
		{"with", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &with,
		 "Take this file, or folder with all in it, along (repeatable)", "PATH"},
		{"verbose", 0, 0, G_OPTION_ARG_NONE, &options.verbose,
		 "Show its kernel's console on standard error", NULL},
		{"inside", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &inside, "", NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("-- COMMAND [ARGUMENT...]");
	g_autoptr(GError) error = NULL;
	int status = TOOL_EXIT_USAGE;

	g_set_prgname("lockstep lab");
	g_option_context_set_strict_posix(context, TRUE);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context,
				     "Runs a lockstep command in a guest whose kernel has KVM: "
				     "QEMU's with kvm_amd, or lockstep's own.");
	g_option_context_set_description(context, lab_description);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		log_failure("%s; see 'lockstep lab --help'", error->message);
	} else if (inside && getpid() == 1) {
		lab_guest_main(inside);
	} else {
		argv++;
		if (*argv && !strcmp(*argv, "--"))
			argv++;
		if (*argv)
			status = lab_run(&options, argv, with);
		else
			log_failure("say which command to run; see 'lockstep lab --help'");
	}
	g_free(inside);
	g_free(options.host);
	g_free(options.append);
	g_free(options.kernel);
	g_free(options.modules);
	g_free(options.cpu);
	g_free(options.memory);
	g_strfreev(with);
	return status;
}
