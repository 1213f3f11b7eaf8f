/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN, VMLOAD, VMSAVE, STGI, CLGI, INVLPGA and VMMCALL (APM 3 chapter 4, APM 2:15.5, 15.17). */
#include "sim/svm-model/translation.h"

/* #UD without EFER.SVME, and where there is no protection; then #GP outside CPL 0. */
static void check_mode(struct cpu *cpu)
{
	if (!(cpu->efer & EFER_SVME) || cpu_real_mode(cpu) || cpu_v86(cpu))
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

/* Virtual VMLOAD and VMSAVE (APM 2:15.33.1): the guest's address goes through nested paging, as an
 * access of its own. Otherwise it is the host's. */
static u64 block_address(struct cpu *cpu, u64 address, unsigned int access)
{
	struct svm *svm = svm_of(cpu);
	struct second_stage_result stage;
	struct walk_updates updates = {0};
	bool allowed;

	if (!cpu->guest || !svm_nested_paging(svm) ||
	    !(svm->value[VMCB_VIRT_EXT] & VIRT_VMLOADSAVE))
		return address;
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

/* Addresses are made canonical, not checked (APM 2:15.5.1). */
static u64 canonical(const struct cpu *cpu, u64 address)
{
	unsigned int shift = cpu_has(cpu, FEATURE_LA57) ? 7 : 16;

	return (u64)((s64)(address << shift) >> shift);
}

static void vmload(struct cpu *cpu, const struct op *op)
{
	u64 address = control_block(cpu, op), value[VMCB_FIELD_COUNT];

	leave_if(cpu, op, SVM_EXIT_VMLOAD, 0);
	address = block_address(cpu, address, WALK_READ);
	vmcb_fetch_load(value, slots_host(cpu->slots, address));
	svm_load_segment(cpu, SEG_FS, &value[VMCB_FS_SELECTOR]);
	svm_load_segment(cpu, SEG_GS, &value[VMCB_GS_SELECTOR]);
	svm_load_segment(cpu, SEG_LDTR, &value[VMCB_LDTR_SELECTOR]);
	svm_load_segment(cpu, SEG_TR, &value[VMCB_TR_SELECTOR]);
	for (unsigned int i = SEG_FS; i <= SEG_TR; i++)
		SEG_BASE(cpu, i) = canonical(cpu, SEG_BASE(cpu, i));
	for (unsigned int i = 0; i < ARRAY_SIZE(moved); i++)
		cpu->msr[moved[i].msr] = value[moved[i].field];
	cpu->msr[MSR_KERNEL_GS_BASE] = canonical(cpu, cpu->msr[MSR_KERNEL_GS_BASE]);
	cpu->msr[MSR_LSTAR] = canonical(cpu, cpu->msr[MSR_LSTAR]);
	cpu->msr[MSR_CSTAR] = canonical(cpu, cpu->msr[MSR_CSTAR]);
	cpu->msr[MSR_SYSENTER_ESP] = canonical(cpu, cpu->msr[MSR_SYSENTER_ESP]);
	cpu->msr[MSR_SYSENTER_EIP] = canonical(cpu, cpu->msr[MSR_SYSENTER_EIP]);
	cpu->msr[MSR_SYSENTER_CS] = (u32)cpu->msr[MSR_SYSENTER_CS];
	cpu->msr[MSR_SFMASK] = (u32)cpu->msr[MSR_SFMASK];
}

static void vmsave(struct cpu *cpu, const struct op *op)
{
	u64 address = control_block(cpu, op), value[VMCB_FIELD_COUNT];
	u8 *page;

	leave_if(cpu, op, SVM_EXIT_VMSAVE, 0);
	address = block_address(cpu, address, WALK_WRITE);
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
	}
	if (value)
		vendor_reopen(cpu);
}

/* --- the others --- */

static void invlpga(struct cpu *cpu, const struct op *op)
{
	u64 linear = address_of(cpu, op);

	leave_if(cpu, op, SVM_EXIT_INVLPGA, cpu_has(cpu, FEATURE_DECODEASSISTS) ? linear : 0);
	svm_world_invalidate(cpu, linear, cpu->reg[REG_RCX]);
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

	check_mode(cpu);
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
	case VENDOR_INVLPGA:
		invlpga(cpu, op);
		break;
	default:
		raise_ud(cpu);
	}
	return next;
}
