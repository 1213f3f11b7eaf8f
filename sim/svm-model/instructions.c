/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN, VMLOAD, VMSAVE, STGI, CLGI, SKINIT and INVLPGA (APM 3 chapter 4, APM 2:15.5, 15.17). */
#include "sim/cpu/debug_registers.h"
#include "sim/svm-model/translation.h"

/* SKINIT and STGI don't want EFER.SVME where CPUID says so (APM 2:15.4, 15.31). */
static bool is_enabled(const struct cpu *cpu, enum vendor_instruction which)
{
	bool always = which == VENDOR_SKINIT || which == VENDOR_STGI;

	return (cpu->efer & EFER_SVME) ||
	       (always && (cpu_has(cpu, FEATURE_SKINIT) || cpu_has(cpu, FEATURE_SVML)));
}

/* #UD while it is not enabled, and where there is no protection; then #GP outside CPL 0. */
static void check_mode(struct cpu *cpu, enum vendor_instruction which)
{
	if (!is_enabled(cpu, which) || cpu_real_mode(cpu) || cpu_v86(cpu))
		raise_ud(cpu);
	if (cpu->cpl)
		raise_gp(cpu, 0);
}

static void leave_if(struct cpu *cpu, const struct op *op, u64 code, u64 info1)
{
	if (cpu->guest && svm_intercepted(svm_of(cpu), code))
		svm_leave(cpu, op, code, info1, 0);
}

/* rAX by the address size. */
static u64 address_of(const struct cpu *cpu, const struct op *op)
{
	u64 address = cpu->reg[REG_RAX];

	switch (op->flags & OP_ADDRESS_MASK) {
	case OP_ADDRESS_16:
		return (u16)address;
	case OP_ADDRESS_32:
		return (u32)address;
	default:
		return address;
	}
}

/* A page that the processor can address. */
static u64 control_block(struct cpu *cpu, const struct op *op)
{
	u64 address = address_of(cpu, op);

	if ((address & PAGE_OFFSET_MASK) || address >> cpu->physical_bits)
		raise_gp(cpu, 0);
	return address;
}

static bool host_64bit(const struct svm *svm)
{
	return (svm->host.efer & EFER_LMA) && (svm->host.segment[SEG_CS].rights & SEG_L);
}

/* Virtual VMLOAD and VMSAVE (APM 2:15.33.1): the guest's address goes through nested paging, as an
 * access of its own; without that, or under a host that is not in 64-bit mode, they exit. Where
 * they are not virtual, the address is the host's. */
static u64 block_address(struct cpu *cpu, const struct op *op, u64 address, unsigned int access)
{
	struct svm *svm = svm_of(cpu);
	struct second_stage_result stage;
	struct walk_updates updates = {0};
	bool allowed;

	if (!cpu->guest || !cpu_has(cpu, FEATURE_V_VMSAVE_VMLOAD) ||
	    !(svm->value[VMCB_VIRT_EXT] & VIRT_VMLOADSAVE))
		return address;
	if (!svm_nested_paging(svm) || !host_64bit(svm))
		svm_leave(cpu, op, access == WALK_READ ? SVM_EXIT_VMLOAD : SVM_EXIT_VMSAVE, 0, 0);
	allowed =
		second_stage_translate(cpu->slots, &svm->second, address, access, &updates, &stage);
	for (unsigned int i = 0; i < updates.count; i++)
		mem_physical_end(cpu, updates.physical[i], 8);
	if (!allowed)
		svm_leave_fault(cpu, SVM_EXIT_NPF, stage.error | BIT(32), address, true);
	return stage.physical;
}

/* --- VMLOAD and VMSAVE --- */

static const struct {
	enum msr_index msr;
	enum vmcb_field field;
} moved[] = {
	{MSR_STAR, VMCB_STAR},
	{MSR_LSTAR, VMCB_LSTAR},
	{MSR_CSTAR, VMCB_CSTAR},
	{MSR_SFMASK, VMCB_SFMASK},
	{MSR_KERNEL_GS_BASE, VMCB_KERNEL_GS_BASE},
	{MSR_SYSENTER_CS, VMCB_SYSENTER_CS},
	{MSR_SYSENTER_ESP, VMCB_SYSENTER_ESP},
	{MSR_SYSENTER_EIP, VMCB_SYSENTER_EIP},
};

static void vmload(struct cpu *cpu, const struct op *op)
{
	u64 address = control_block(cpu, op), value[VMCB_FIELD_COUNT];

	leave_if(cpu, op, SVM_EXIT_VMLOAD, 0);
	address = block_address(cpu, op, address, WALK_READ);
	vmcb_fetch_load(value, slots_host(cpu->slots, address));
	svm_load_segment(cpu, SEG_FS, &value[VMCB_FS_SELECTOR]);
	svm_load_segment(cpu, SEG_GS, &value[VMCB_GS_SELECTOR]);
	svm_load_segment(cpu, SEG_LDTR, &value[VMCB_LDTR_SELECTOR]);
	svm_load_segment(cpu, SEG_TR, &value[VMCB_TR_SELECTOR]);
	for (unsigned int i = SEG_FS; i <= SEG_TR; i++)
		SEG_BASE(cpu, i) = svm_canonical(cpu, SEG_BASE(cpu, i));
	for (unsigned int i = 0; i < ARRAY_SIZE(moved); i++)
		cpu->msr[moved[i].msr] = value[moved[i].field];
	cpu->msr[MSR_KERNEL_GS_BASE] = svm_canonical(cpu, cpu->msr[MSR_KERNEL_GS_BASE]);
	cpu->msr[MSR_LSTAR] = svm_canonical(cpu, cpu->msr[MSR_LSTAR]);
	cpu->msr[MSR_CSTAR] = svm_canonical(cpu, cpu->msr[MSR_CSTAR]);
	cpu->msr[MSR_SYSENTER_ESP] = svm_canonical(cpu, cpu->msr[MSR_SYSENTER_ESP]);
	cpu->msr[MSR_SYSENTER_EIP] = svm_canonical(cpu, cpu->msr[MSR_SYSENTER_EIP]);
	cpu->msr[MSR_SYSENTER_CS] = (u32)cpu->msr[MSR_SYSENTER_CS];
	cpu->msr[MSR_SFMASK] = (u32)cpu->msr[MSR_SFMASK];
}

static void vmsave(struct cpu *cpu, const struct op *op)
{
	u64 address = control_block(cpu, op), value[VMCB_FIELD_COUNT];
	u8 *page;

	leave_if(cpu, op, SVM_EXIT_VMSAVE, 0);
	address = block_address(cpu, op, address, WALK_WRITE);
	svm_save_segment(cpu, SEG_FS, &value[VMCB_FS_SELECTOR]);
	svm_save_segment(cpu, SEG_GS, &value[VMCB_GS_SELECTOR]);
	svm_save_segment(cpu, SEG_LDTR, &value[VMCB_LDTR_SELECTOR]);
	svm_save_segment(cpu, SEG_TR, &value[VMCB_TR_SELECTOR]);
	for (unsigned int i = 0; i < ARRAY_SIZE(moved); i++)
		value[moved[i].field] = cpu->msr[moved[i].msr];
	page = mem_physical_begin(cpu, address);
	if (!page)
		return;
	vmcb_store_load(value, page);
	mem_physical_end(cpu, address, PAGE_SIZE_4K);
}

/* --- GIF --- */

/* Of a guest that has its own, the virtual one (APM 2:15.33.2). */
static void set_gif(struct cpu *cpu, bool value)
{
	struct svm *svm = svm_of(cpu);

	if (cpu->guest && svm_has_vgif(svm)) {
		svm->value[VMCB_V_INTR] = (svm->value[VMCB_V_INTR] & ~V_GIF) | (value ? V_GIF : 0);
	} else {
		svm->gif = value;
		svm_update_arbitration(cpu);
		if (cpu->dr[7] & DR7_ENABLES)
			cpu_update_mode(cpu);
	}
	if (value)
		vendor_reopen(cpu);
}

/* --- the others --- */

/* The exit tells nothing: the address is in RAX (APM 2:15.8.3). */
static void invlpga(struct cpu *cpu, const struct op *op)
{
	leave_if(cpu, op, SVM_EXIT_INVLPGA, 0);
	svm_world_invalidate(cpu, address_of(cpu, op), cpu->reg[REG_RCX]);
}

static u64 vmrun(struct cpu *cpu, const struct op *op)
{
	u64 vmcb = control_block(cpu, op);

	leave_if(cpu, op, SVM_EXIT_VMRUN, 0);
	return svm_enter(cpu, op, vmcb);
}

u64 svm_instruction(struct cpu *cpu, const struct op *op, enum vendor_instruction which)
{
	u64 next = OP_NEXT_RIP(cpu, op);

	check_mode(cpu, which);
	switch (which) {
	case VENDOR_VMRUN:
		return vmrun(cpu, op);
	case VENDOR_VMLOAD:
		vmload(cpu, op);
		break;
	case VENDOR_VMSAVE:
		vmsave(cpu, op);
		break;
	case VENDOR_STGI:
		leave_if(cpu, op, SVM_EXIT_STGI, 0);
		set_gif(cpu, true);
		break;
	case VENDOR_CLGI:
		leave_if(cpu, op, SVM_EXIT_CLGI, 0);
		set_gif(cpu, false);
		break;
	case VENDOR_SKINIT:
		leave_if(cpu, op, SVM_EXIT_SKINIT, 0);
		return svm_skinit(cpu);
	case VENDOR_INVLPGA:
		invlpga(cpu, op);
		break;
	default:
		raise_ud(cpu);
	}
	return next;
}
