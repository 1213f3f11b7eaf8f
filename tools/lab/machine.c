/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/machine.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/lab/image.h"
#include "tools/lab/tsc.h"
#include "tools/lab/wire.h"

#define QEMU "qemu-system-x86_64"
/* quiet: nobody reads the console unless something goes wrong. The TSC is the host's own count, no
 * need to check it against others. */
#define KERNEL_LINE                                                                                \
	"console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check mitigations=off nokaslr"

static bool is_qemu(const struct lab_options *options)
{
	return !strcmp(options->host, LAB_HOST_QEMU);
}

const char *lab_machine_name(const struct lab_options *options)
{
	return is_qemu(options) ? QEMU : "lockstep run";
}

/* Under QEMU the TSC is the host's, and an emulated timer that comes late on a busy host is no
 * measure of it: the kernel's seconds would not be ours. Behind the two dashes are the first
 * process's arguments. */
static char *kernel_line(const struct lab_options *options)
{
	g_autofree char *tsc = is_qemu(options)
				       ? g_strdup_printf(" tsc_early_khz=%u", lab_tsc_khz())
				       : g_strdup("");

	return g_strdup_printf("%s%s %s rdinit=%s -- lab --inside %s", KERNEL_LINE, tsc,
			       options->append ? options->append : "", LAB_PROGRAM,
			       is_qemu(options) ? LAB_PORT_NAME : LAB_PORT_CONSOLE);
}

static char **qemu_arguments(const struct lab_options *options, const char *initrd, int console)
{
	g_autofree char *smp = g_strdup_printf("%d", options->smp);
	g_autofree char *line = kernel_line(options);
	g_autofree char *serial =
		g_strdup_printf("file,id=console,append=on,path=/proc/self/fd/%d", console);
	const char *const arguments[] = {
		QEMU, "-accel", "tcg", "-cpu", options->cpu, "-smp", smp, "-m", options->memory,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-kernel",
		options->kernel, "-initrd", initrd, "-append", line, "-chardev", serial, "-serial",
		"chardev:console",
		/* Its standard input and output are the other end of our channel. */
		"-chardev", "stdio,id=lab,signal=off", "-device", "virtio-serial-pci", "-device",
		"virtserialport,chardev=lab,name=" LAB_PORT_NAME, NULL};

	return g_strdupv((char **)arguments);
}

/* The kernel's console is its standard output. */
static char **own_arguments(const struct lab_options *options, const char *initrd, int channel)
{
	g_autofree char *descriptor = g_strdup_printf("%d", channel);
	g_autofree char *smp = g_strdup_printf("%d", options->smp);
	g_autofree char *line = kernel_line(options);
	const char *const arguments[] = {"/proc/self/exe",
					 "run",
					 "--no-reboot",
					 "--engine",
					 options->host,
					 "--smp",
					 smp,
					 "--memory",
					 options->memory,
					 "--kernel",
					 options->kernel,
					 "--initrd",
					 initrd,
					 "--append",
					 line,
					 "--channel",
					 descriptor,
					 options->cpu ? "--cpu" : NULL,
					 options->cpu,
					 NULL};

	return g_strdupv((char **)arguments);
}

char **lab_machine_arguments(const struct lab_options *options, int image, int console, int channel)
{
	g_autofree char *initrd = g_strdup_printf("/proc/self/fd/%d", image);

	return is_qemu(options) ? qemu_arguments(options, initrd, console)
				: own_arguments(options, initrd, channel);
}

void lab_machine_connect(const struct lab_options *options, int channel, int console)
{
	if (is_qemu(options)) {
		dup2(channel, STDIN_FILENO);
		dup2(channel, STDOUT_FILENO);
	} else {
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(console, STDOUT_FILENO);
		fcntl(channel, F_SETFD, 0);
	}
}
