/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "machine/cpu_model.h"
#include "machine/image.h"
#include "machine/internal.h"
#include "machine/msr_model.h"
#include "machine/vmx_msrs.h"

/* CPUID.80000008H:EAX[7:0] (SDM 2A). The guest could not reach what lies above. */
static int vcpu_check_memory(struct machine *machine, const struct kvm_cpuid2 *cpuid,
			     struct ls_error *err)
{
	uint64_t high = machine_memory_high(machine);

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		unsigned int bits = cpuid->entries[i].eax & 0xff;

		if (cpuid->entries[i].function != 0x80000008 || !high || bits >= 64 ||
		    MEMORY_HIGH_START + high <= 1ull << bits)
			continue;
		return ls_error_set(
			err, -EINVAL,
			"%u physical address bits are too few for %llu MiB of memory; give "
			"the machine less, or the CPU a larger phys-bits",
			bits, (unsigned long long)(machine->config.memory >> 20));
	}
	return 0;
}

/* What it was, or what the model says. */
static int vcpu_make_cpuid(struct vcpu *vcpu, union cpuid_buffer *cpuid, struct ls_error *err)
{
	const struct machine_image *image = vcpu->machine->image;
	const struct kvm_cpuid2 *was = image ? machine_image_cpuid(image, vcpu->index) : NULL;

	if (!was)
		return cpu_model_make(vcpu->machine, vcpu->index, cpuid, err);
	memcpy(cpuid, was, sizeof(*was) + was->nent * sizeof(was->entries[0]));
	return 0;
}

static int vcpu_set_cpuid(struct vcpu *vcpu, struct ls_error *err)
{
	struct machine *machine = vcpu->machine;
	union cpuid_buffer *cpuid = calloc(1, sizeof(*cpuid));
	int ret;

	if (!cpuid)
		return ls_error_set(err, -ENOMEM, "no memory for CPUID");
	ret = vcpu_make_cpuid(vcpu, cpuid, err);
	if (ret >= 0)
		ret = vcpu_check_memory(machine, &cpuid->head, err);
	if (ret >= 0) {
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_CPUID2, cpuid);
		if (ret < 0)
			ls_error_set(err, ret, "the engine refused CPU model '%s': %s",
				     machine->config.cpu ? machine->config.cpu : "default",
				     strerror(-ret));
	}
	if (ret < 0)
		ls_error_set(err, ret, "CPU model '%s': %s",
			     machine->config.cpu ? machine->config.cpu : "default", strerror(-ret));
	vcpu->cpuid = cpuid;
	return ret < 0 ? ret : 0;
}

#define MSR_MISC_ENABLE          0x1a0
#define MISC_ENABLE_FAST_STRINGS 1u
#define VENDOR_INTEL_EBX         0x756e6547u /* "Genu" */

/* Fast strings are on after power-up (SDM 4, table 2-2), but KVM leaves that to user space. Linux
 * takes them as disabled by firmware then, and with FSRM yet in CPUID its memmove() goes wrong. */
static void vcpu_enable_fast_strings(struct vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *vendor = cpuid_find(&vcpu->cpuid->head, 0, 0);
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {.head = {.nmsrs = 1}, .entry = {.index = MSR_MISC_ENABLE}};
	struct ls_engine *engine = vcpu->machine->engine;

	if (!vendor || vendor->ebx != VENDOR_INTEL_EBX ||
	    ls_ioctl_ptr(engine, vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
		return;
	msrs.entry.data |= MISC_ENABLE_FAST_STRINGS;
	ls_ioctl_ptr(engine, vcpu->fd, KVM_SET_MSRS, &msrs);
}

int vcpu_create(struct machine *machine, struct vcpu *vcpu, unsigned int index,
		struct ls_error *err)
{
	int ret;

	*vcpu = (struct vcpu){.machine = machine, .index = index, .fd = -1};
	vcpu->fd = ls_ioctl(machine->engine, machine->vm, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return ls_error_set(err, vcpu->fd, "cannot create vCPU %u: %s", index,
				    strerror(-vcpu->fd));
	vcpu->run = machine->engine->ops->mmap(machine->engine, vcpu->fd);
	if (!vcpu->run)
		return ls_error_set(err, -ENOMEM, "cannot map the run page of vCPU %u", index);
	ret = written_start_vcpu(vcpu, err);
	if (!ret)
		ret = vcpu_set_cpuid(vcpu, err);
	if (!ret)
		vcpu_enable_fast_strings(vcpu);
	if (!ret)
		ret = msr_model_set(vcpu, err);
	return ret ? ret : vmx_msrs_set(vcpu, err);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	written_end_vcpu(vcpu);
	if (vcpu->fd >= 0)
		vcpu->machine->engine->ops->close(vcpu->machine->engine, vcpu->fd);
	free(vcpu->cpuid);
	vcpu->cpuid = NULL;
	free(vcpu->power_on);
	vcpu->power_on = NULL;
	vcpu->fd = -1;
}

int vcpu_complete_io(struct vcpu *vcpu)
{
	int ret;

	/* api.rst, KVM_RUN: re-entering with immediate_exit completes the access first. */
	vcpu->run->immediate_exit = 1;
	ret = ls_ioctl(vcpu->machine->engine, vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	return ret;
}

uint64_t vcpu_instructions(struct vcpu *vcpu)
{
	const struct ls_extension *ext = machine_ext(vcpu->machine);
	struct ls_vcpu_stats stats = {0};

	if (!ext->vcpu_stats || ext->vcpu_stats(vcpu->machine->engine, vcpu->fd, &stats) < 0)
		return 0;
	return stats.instructions;
}
