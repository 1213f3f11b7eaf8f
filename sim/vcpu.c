/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's life and its ioctls. */
#include <errno.h>
#include <stdlib.h>

#include "mmu/sticky.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"
#include "sim/ioctl_state.h"
#include "sim/svm-model/svm.h"
#include "sim/vm.h"
#include "sim/vmx-model/vmx.h"

static void create_lapic(struct vcpu *vcpu)
{
	const struct sim_params *params = &vcpu->vm->engine->params;
	const struct lapic_config config = {
		.id = vcpu->id,
		.bsp = vcpu->id == 0,
		.lint0_extint = true,
		.version = LAPIC_VERSION_INTEL,
		.min_period_ns = params->min_timer_period_us * 1000,
		.pmi_masks = true,
	};

	lapic_init(&vcpu->lapic, &config, &vcpu->vm->clock.base, &vcpu->vm->bus, &lapic_owner_ops,
		   vcpu);
	apic_bus_add(&vcpu->vm->bus, &vcpu->lapic);
	vcpu->cpu.lapic = &vcpu->lapic;
}

/* What the parameter tlb.mode adds to the TLB proper. */
static bool create_tlb(struct vcpu *vcpu)
{
	struct address_space *space = &vcpu->cpu.space;

	switch (vcpu->vm->engine->params.tlb_mode) {
	case TLB_MODE_STICKY:
		return (space->sticky = sticky_create());
	case TLB_MODE_COHERENT:
		return (space->tables = calloc(1, sizeof(*space->tables)));
	default:
		return true;
	}
}

static void destroy_tlb(struct vcpu *vcpu)
{
	sticky_destroy(vcpu->cpu.space.sticky);
	free(vcpu->cpu.space.tables);
}

struct vcpu *sim_vcpu_create(struct vm *vm, unsigned int id)
{
	struct vcpu *vcpu = aligned_alloc(64, (sizeof(*vcpu) + 63) & ~(size_t)63);

	if (!vcpu)
		return NULL;
	__builtin_memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->until = vcpu->limit = LS_NEVER;
	vcpu->run = calloc(1, SIM_RUN_BYTES);
	if (!vcpu->run || !create_tlb(vcpu) || !trace_cache_open(&vcpu->cpu)) {
		destroy_tlb(vcpu);
		free(vcpu->run);
		free(vcpu);
		return NULL;
	}
	if (!vm->engine->params.interp_trace)
		vcpu->cpu.traces->max = 1;
	vcpu->cpu.vcpu = vcpu;
	vcpu->cpu.vendor = &vendor_none;
	vcpu->cpu.slots = &vm->slots;
	vcpu->cpu.platform = &vcpu_platform;
	vcpu->cpu.params = &vm->engine->params;
	vcpu->cpu.tsc_khz = vm->tsc_khz;
	vcpu->cpu.msr_policy = vm->msr_policy;
	vcpu->cpu.physical_bits = 36;
	sem_init(&vcpu->wake, 0, 0);
	vcpu->wait.deadline = vcpu->vendor_timer.deadline = LS_NEVER;
	if (vm->irqchip)
		create_lapic(vcpu);
	tlb_flush_all(&vcpu->cpu.tlb);
	cpu_reset(&vcpu->cpu, false);
	vcpu->cpu.msr[MSR_APIC_BASE] =
		LAPIC_BASE_DEFAULT | LAPIC_BASE_ENABLE | (id == 0 ? LAPIC_BASE_BSP : 0);
	if (vm->irqchip && id != 0)
		vcpu->cpu.activity = ACTIVITY_WAIT_SIPI;
	vm->vcpu[vm->vcpus++] = vcpu;
	vm->slots.shared = vm->vcpus > 1;
	return vcpu;
}

void sim_vcpu_destroy(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned int n, i;

	vm_lock_take(&vm->lock);
	for (n = i = 0; n < vm->vcpus; n++)
		if (vm->vcpu[n] != vcpu)
			vm->vcpu[i++] = vm->vcpu[n];
	vm->vcpus = i;
	if (vm->irqchip) {
		apic_bus_remove(&vm->bus, &vcpu->lapic);
		lapic_destroy(&vcpu->lapic);
		vm->clock.base.disarm(&vm->clock.base, &vcpu->wait);
	}
	vm->clock.base.disarm(&vm->clock.base, &vcpu->vendor_timer);
	vm_lock_give(&vm->lock);
	free(vcpu->cpu.recorder);
	destroy_tlb(vcpu);
	trace_cache_close(&vcpu->cpu);
	sem_destroy(&vcpu->wake);
	free(vcpu->cpu.cpuid);
	free(vcpu->cpu.virtualization);
	free(vcpu->run);
	free(vcpu);
}

static const struct vendor_ops *vendor_of(const struct cpu *cpu)
{
	if (cpu->amd)
		return cpu_has(cpu, FEATURE_SVM) ? &svm_ops : &vendor_none;
	return cpu_has(cpu, FEATURE_VMX) ? &vmx_ops : &vendor_none;
}

/* VMX, SVM or neither, as CPUID says. Its state begins anew with another. */
static int choose_vendor(struct cpu *cpu)
{
	const struct vendor_ops *vendor = vendor_of(cpu);
	void *state = NULL;

	if (vendor == cpu->vendor)
		return 0;
	if (vendor->state_size) {
		state = calloc(1, vendor->state_size);
		if (!state)
			return -ENOMEM;
	}
	free(cpu->virtualization);
	cpu->virtualization = state;
	cpu->vendor = vendor;
	vendor->reset(cpu, false);
	return 0;
}

/* What CPUID says of the local APIC decides which of its modes exist. */
static void follow_cpuid(struct vcpu *vcpu)
{
	const struct cpu *cpu = &vcpu->cpu;
	const struct lapic_features features = {
		.x2apic = cpu_has(cpu, FEATURE_X2APIC),
		.tsc_deadline = cpu_has(cpu, FEATURE_TSC_DEADLINE),
		.phys_bits = cpu->physical_bits,
	};

	if (!vcpu->vm->irqchip)
		return;
	vcpu->lapic.config.version = cpu->amd ? LAPIC_VERSION_AMD : LAPIC_VERSION_INTEL;
	vcpu->lapic.config.pmi_masks = !cpu->amd;
	lapic_set_features(&vcpu->lapic, &features);
}

int vcpu_ioctl(struct vcpu *vcpu, unsigned long request, unsigned long arg)
{
	int ret;

	if (request == KVM_RUN)
		return sim_vcpu_run(vcpu);
	vm_lock_take(&vcpu->vm->lock);
	ret = request == KVM_INTERRUPT ? user_irqchip_interrupt(vcpu, (const void *)arg)
				       : vcpu_state_ioctl(&vcpu->cpu, request, arg);
	if (request == KVM_SET_CPUID2 && ret >= 0) {
		follow_cpuid(vcpu);
		ret = choose_vendor(&vcpu->cpu);
	}
	if (request == KVM_NMI || request == KVM_SMI)
		vcpu_wake(vcpu);
	vm_lock_give(&vcpu->vm->lock);
	return ret;
}
