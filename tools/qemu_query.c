/* SPDX-License-Identifier: Apache-2.0 */
/* The answers to -device '?' and its like, in QEMU's words: scripts grep them. */
#include <stdio.h>
#include <string.h>

#include "tools/qemu_front.h"

static const char devices[] = "Network devices:\n"
			      "name \"virtio-net-pci\", bus PCI\n"
			      "Storage devices:\n"
			      "name \"virtio-blk-pci\", bus PCI\n"
			      "Input devices:\n"
			      "name \"virtconsole\", bus virtio-serial-bus\n"
			      "Misc devices:\n"
			      "name \"isa-debug-exit\", bus ISA\n"
			      "name \"isa-debugcon\", bus ISA\n"
			      "name \"pc-testdev\", bus ISA\n"
			      "name \"pci-testdev\", bus PCI, desc \"PCI Test Device\"\n"
			      "name \"virtio-rng-pci\", bus PCI\n"
			      "name \"virtio-serial-pci\", bus PCI\n";

static const char machines[] = "Supported machines are:\n"
			       "pc                   The PC of Lockstep (default)\n"
			       "q35                  The same one\n";

static const char accelerators[] = "Accelerators supported in QEMU binary:\ntcg\nkvm\n";

static const char cpus[] = "Available CPUs:\n"
#define QEMU_CPU(name, base, tweaks) "x86 " name "\n"
#include "tools/qemu_cpus.def"
#undef QEMU_CPU
	;

static const struct {
	const char *option, *answer;
} answers[] = {
	{"device", devices},     {"machine", machines}, {"M", machines},
	{"accel", accelerators}, {"cpu", cpus},
};

bool qemu_query(const char *option)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(answers); i++) {
		if (!strcmp(answers[i].option, option)) {
			fputs(answers[i].answer, stdout);
			return true;
		}
	}
	return false;
}
