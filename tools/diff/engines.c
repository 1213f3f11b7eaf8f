/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/engines.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "machine/cpu_model.h"
#include "machine/machine.h"
#include "tools/lab/host.h"
#include "tools/tool.h"

#define VENDOR_AMD_EBX 0x68747541 /* "Auth" */

static bool lab_works(void)
{
	g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");
	g_autofree char *kernel = lab_default_kernel();

	return qemu && !access(kernel, R_OK);
}

const char *diff_engine_choose(void)
{
	struct machine_config config = {.vcpus = 1, .models = &ls_engine_sim};

	tool_engine_choose(&config);
	if (config.engine == &ls_engine_kvm)
		return "kvm";
	return lab_works() ? "lab" : "sim";
}

const char *diff_cpu_choose(const struct ls_engine_ops *ops)
{
	struct ls_error err = {0};
	struct ls_engine *engine = ops->open(&err);
	g_autofree union cpuid_buffer *cpuid = g_new0(union cpuid_buffer, 1);
	const struct kvm_cpuid_entry2 *vendor = NULL;

	cpuid->head.nent = CPUID_ROOM;
	if (engine && !engine->ext->cpu_model &&
	    ls_ioctl_ptr(engine, LS_SYSTEM, KVM_GET_SUPPORTED_CPUID, cpuid) >= 0)
		vendor = cpuid_find(&cpuid->head, 0, 0);
	if (engine)
		ops->close(engine, LS_SYSTEM);
	return vendor && vendor->ebx == VENDOR_AMD_EBX ? "amd" : "intel";
}
