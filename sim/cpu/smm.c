/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMI and RSM. The state-save map is a table for each vendor. Intel documents the registers
 * (SDM 3C:31.4.1.1, table 31-3) and keeps the hidden parts of the segments in the reserved area;
 * AMD documents all of it (APM 2:10.2.3, table 10-1).
 */
#include "sim/cpu/smm.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/vendor.h"

#define SAVE_AREA      0x8000 /* offsets below count from SMBASE + this */
#define ENTRY_POINT    0x8000
#define REVISION_INTEL 0x00020100u /* SMBASE relocation, no I/O restart */
#define REVISION_AMD   0x00020064u
#define INTEL_HIDDEN   0x7c00 /* 16 bytes a segment: base, limit, rights */

struct save_map {
	u16 cr0, cr3, cr4, efer, rip, rflags, dr6, dr7;
	u16 general[16];
	u16 gdt_base, gdt_limit, idt_base, idt_limit; /* limit 0: none kept */
	u16 smbase, revision, halt_restart, nmi_masked;
	u16 ssp;        /* 0: none */
	u16 debug_trap; /* in a reserved place: DR6 bits of a #DB that the SMI came before */
	u8 halt_size;
};

static const struct save_map intel_map = {
	.cr0 = 0x7ff8,
	.cr3 = 0x7ff0,
	.rflags = 0x7fe8,
	.efer = 0x7fe0,
	.rip = 0x7fd8,
	.dr6 = 0x7fd0,
	.dr7 = 0x7fc8,
	.cr4 = 0x7e40,
	.general =
		{
			[REG_RDI] = 0x7f94,
			[REG_RSI] = 0x7f8c,
			[REG_RBP] = 0x7f84,
			[REG_RSP] = 0x7f7c,
			[REG_RBX] = 0x7f74,
			[REG_RDX] = 0x7f6c,
			[REG_RCX] = 0x7f64,
			[REG_RAX] = 0x7f5c,
			[REG_R8] = 0x7f54,
			[REG_R9] = 0x7f4c,
			[REG_R10] = 0x7f44,
			[REG_R11] = 0x7f3c,
			[REG_R12] = 0x7f34,
			[REG_R13] = 0x7f2c,
			[REG_R14] = 0x7f24,
			[REG_R15] = 0x7f1c,
		},
	.gdt_base = 0x7c80,
	.gdt_limit = 0x7c88,
	.idt_base = 0x7c90,
	.idt_limit = 0x7c98,
	.smbase = 0x7ef8,
	.revision = 0x7efc,
	.halt_restart = 0x7f02,
	.halt_size = 2,
	.nmi_masked = 0x7ca0,
	.debug_trap = 0x7ca4,
};

static const struct save_map amd_map = {
	.cr0 = 0x7f58,
	.cr3 = 0x7f50,
	.cr4 = 0x7f48,
	.efer = 0x7ed0,
	.rip = 0x7f78,
	.rflags = 0x7f70,
	.dr6 = 0x7f68,
	.dr7 = 0x7f60,
	.general =
		{
			[REG_RAX] = 0x7ff8,
			[REG_RCX] = 0x7ff0,
			[REG_RDX] = 0x7fe8,
			[REG_RBX] = 0x7fe0,
			[REG_RSP] = 0x7fd8,
			[REG_RBP] = 0x7fd0,
			[REG_RSI] = 0x7fc8,
			[REG_RDI] = 0x7fc0,
			[REG_R8] = 0x7fb8,
			[REG_R9] = 0x7fb0,
			[REG_R10] = 0x7fa8,
			[REG_R11] = 0x7fa0,
			[REG_R12] = 0x7f98,
			[REG_R13] = 0x7f90,
			[REG_R14] = 0x7f88,
			[REG_R15] = 0x7f80,
		},
	.gdt_base = 0x7e68,
	.gdt_limit = 0x7e64,
	.idt_base = 0x7e88,
	.idt_limit = 0x7e84,
	.smbase = 0x7f00,
	.ssp = 0x7f18,
	.revision = 0x7efc,
	.halt_restart = 0x7ec9,
	.halt_size = 1,
	.nmi_masked = 0x7eca,
	.debug_trap = 0x7ecc,
};

/* Intel's selectors, 4 bytes each, and AMD's segment entries of 16 bytes. */
static const u16 intel_selector[SEG_COUNT] = {
	[SEG_ES] = 0x7fa8, [SEG_CS] = 0x7fac, [SEG_SS] = 0x7fb0,   [SEG_DS] = 0x7fb4,
	[SEG_FS] = 0x7fb8, [SEG_GS] = 0x7fbc, [SEG_LDTR] = 0x7fc0, [SEG_TR] = 0x7fc4,
};
static const u16 amd_segment[SEG_COUNT] = {
	[SEG_ES] = 0x7e00, [SEG_CS] = 0x7e10, [SEG_SS] = 0x7e20,   [SEG_DS] = 0x7e30,
	[SEG_FS] = 0x7e40, [SEG_GS] = 0x7e50, [SEG_LDTR] = 0x7e70, [SEG_TR] = 0x7e90,
};

static u64 area(const struct cpu *cpu, u16 offset)
{
	return (u64)cpu->smbase + SAVE_AREA + offset;
}

void smm_save(struct cpu *cpu, u16 offset, u64 value, unsigned int size)
{
	mem_store_physical(cpu, area(cpu, offset), value, size);
}

u64 smm_load(struct cpu *cpu, u16 offset, unsigned int size)
{
	return mem_load_physical(cpu, area(cpu, offset), size);
}

static void save_segment(struct cpu *cpu, unsigned int n)
{
	const struct segment *s = &cpu->seg[n];
	u16 hidden = INTEL_HIDDEN + 16 * n;

	if (cpu->amd) {
		smm_save(cpu, amd_segment[n], s->selector, 2);
		smm_save(cpu, amd_segment[n] + 2, amd_pack_rights(s->rights), 2);
		smm_save(cpu, amd_segment[n] + 4, s->limit, 4);
		smm_save(cpu, amd_segment[n] + 8, SEG_BASE(cpu, n), 8);
		return;
	}
	smm_save(cpu, intel_selector[n], s->selector, 4);
	smm_save(cpu, hidden, SEG_BASE(cpu, n), 8);
	smm_save(cpu, hidden + 8, s->limit, 4);
	smm_save(cpu, hidden + 12, s->rights, 4);
}

static void load_segment(struct cpu *cpu, unsigned int n)
{
	struct segment *s = &cpu->seg[n];
	u16 hidden = INTEL_HIDDEN + 16 * n;

	if (cpu->amd) {
		s->selector = (u16)smm_load(cpu, amd_segment[n], 2);
		s->rights = amd_unpack_rights((u16)smm_load(cpu, amd_segment[n] + 2, 2));
		s->limit = (u32)smm_load(cpu, amd_segment[n] + 4, 4);
		SEG_BASE(cpu, n) = smm_load(cpu, amd_segment[n] + 8, 8);
		return;
	}
	s->selector = (u16)smm_load(cpu, intel_selector[n], 2);
	SEG_BASE(cpu, n) = smm_load(cpu, hidden, 8);
	s->limit = (u32)smm_load(cpu, hidden + 8, 4);
	s->rights = (u32)smm_load(cpu, hidden + 12, 4) & (SEG_RIGHTS_DESCRIPTOR | SEG_UNUSABLE);
}

static const struct save_map *map_of(const struct cpu *cpu)
{
	return cpu->amd ? &amd_map : &intel_map;
}

static void save_state(struct cpu *cpu, bool nmi_blocked)
{
	const struct save_map *map = map_of(cpu);
	unsigned int i;

	for (i = 0; i < 16; i++)
		smm_save(cpu, map->general[i], cpu->reg[i], 8);
	for (i = 0; i < SEG_COUNT; i++)
		save_segment(cpu, i);
	smm_save(cpu, map->rip, cpu->reg[REG_RIP], 8);
	smm_save(cpu, map->rflags, cpu_rflags(cpu), 8);
	smm_save(cpu, map->cr0, cpu->cr0, 8);
	smm_save(cpu, map->cr3, cpu->cr3, 8);
	smm_save(cpu, map->cr4, cpu->cr4, 8);
	smm_save(cpu, map->efer, cpu->efer, 8);
	smm_save(cpu, map->dr6, cpu->dr[6], 8);
	smm_save(cpu, map->dr7, cpu->dr[7], 8);
	smm_save(cpu, map->gdt_base, cpu->gdtr.base, 8);
	smm_save(cpu, map->gdt_limit, cpu->gdtr.limit, 2);
	smm_save(cpu, map->idt_base, cpu->idtr.base, 8);
	smm_save(cpu, map->idt_limit, cpu->idtr.limit, 2);
	smm_save(cpu, map->smbase, cpu->smbase, 4);
	smm_save(cpu, map->revision, cpu->amd ? REVISION_AMD : REVISION_INTEL, 4);
	smm_save(cpu, map->halt_restart, cpu->activity == ACTIVITY_HALTED, map->halt_size);
	smm_save(cpu, map->nmi_masked, nmi_blocked, 1);
	smm_save(cpu, map->debug_trap, cpu->pending_debug, 4);
	if (map->ssp && cpu_has(cpu, FEATURE_CET_SS))
		smm_save(cpu, map->ssp, cpu->ssp, 8);
}

/* SDM 3C:31.5.1, table 31-4: a kind of big real mode. */
static void enter_handler(struct cpu *cpu)
{
	unsigned int i;

	cpu_set_rflags(cpu, FLAG_FIXED);
	cpu->cr0 &= ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
	cpu->cr4 = 0;
	cpu->efer = 0;
	cpu->dr[7] = DR7_ONES;
	cpu->cpl = 0;
	for (i = SEG_ES; i <= SEG_GS; i++)
		segment_commit_flat(cpu, i, 0, SEG_G | SEG_P | SEG_S | 0x3);
	cpu->seg[SEG_CS].selector = (u16)(cpu->smbase >> 4);
	SEG_BASE(cpu, SEG_CS) = cpu->smbase;
	cpu->idtr.base = 0;
	cpu->reg[REG_RIP] = ENTRY_POINT;
}

bool smm_enter(struct cpu *cpu)
{
	if (cpu->vendor->enter_smm)
		cpu->vendor->enter_smm(cpu);
	save_state(cpu, cpu->nmi_blocked);
	cpu->smi_pending = false;
	cpu->pending_debug = 0;
	cpu->smm = true;
	cpu->nmi_blocked = true;
	cpu->shadow = SHADOW_NONE;
	cpu->activity = ACTIVITY_RUNNING;
	enter_handler(cpu);
	cpu_flush_tlb(cpu);
	cpu_update_mode(cpu);
	return true;
}

/* SDM 3C:31.3.2, APM 2:10.3.7: states that make RSM shut down. */
static bool state_valid(struct cpu *cpu, u64 cr0, u64 cr4, u64 efer)
{
	bool long_mode = (cr0 & CR0_PG) && (efer & EFER_LME);

	if (cr4 & CR4_VMXE) /* the processor keeps it elsewhere (SDM 3C:32.14.2) */
		return false;
	if ((cr4 & cpu->cr4_reserved) || (efer & cpu->efer_reserved) || cr0 >> 32)
		return false;
	if (((cr0 & CR0_PG) && !(cr0 & CR0_PE)) || ((cr0 & CR0_NW) && !(cr0 & CR0_CD)))
		return false;
	return long_mode == !!(efer & EFER_LMA) && !(long_mode && !(cr4 & CR4_PAE));
}

static void load_registers(struct cpu *cpu, const struct save_map *map)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		cpu->reg[i] = smm_load(cpu, map->general[i], 8);
	for (i = 0; i < SEG_COUNT; i++)
		load_segment(cpu, i);
	cpu_set_rflags(cpu, smm_load(cpu, map->rflags, 8));
	cpu->dr[6] = (smm_load(cpu, map->dr6, 8) & DR6_KNOWN) | DR6_ONES;
	cpu->dr[7] = (smm_load(cpu, map->dr7, 8) & DR7_KNOWN) | DR7_ONES;
	cpu->gdtr.base = smm_load(cpu, map->gdt_base, 8);
	cpu->gdtr.limit = (u16)smm_load(cpu, map->gdt_limit, 2);
	cpu->idtr.base = smm_load(cpu, map->idt_base, 8);
	cpu->idtr.limit = (u16)smm_load(cpu, map->idt_limit, 2);
	if (map->ssp && cpu_has(cpu, FEATURE_CET_SS))
		cpu->ssp = smm_load(cpu, map->ssp, 8);
	cpu->cpl = cpu->cr0 & CR0_PE ? rights_dpl(cpu->seg[SEG_SS].rights) : 0;
	if (cpu_v86(cpu))
		cpu->cpl = 3;
}

static void load_pae(struct cpu *cpu)
{
	struct walk_result walk;

	if ((cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && !cpu_long_mode(cpu))
		walk_load_pdptes(cpu->slots, &cpu->walk, cpu->cr3, cpu->walk.pdpte, &walk);
}

u64 smm_leave(struct cpu *cpu)
{
	const struct save_map *map = map_of(cpu);
	u64 cr0 = smm_load(cpu, map->cr0, 8), cr4 = smm_load(cpu, map->cr4, 8);
	u64 efer = smm_load(cpu, map->efer, 8);
	u64 rip;

	if (!state_valid(cpu, cr0, cr4, efer)) {
		cpu->activity = ACTIVITY_SHUTDOWN;
		return cpu->reg[REG_RIP];
	}
	cpu->cr0 = cr0;
	cpu->cr3 = smm_load(cpu, map->cr3, 8);
	cpu->cr4 = cr4;
	cpu->efer = efer;
	load_registers(cpu, map);
	rip = smm_load(cpu, map->rip, 8);
	if (smm_load(cpu, map->halt_restart, map->halt_size) & 1)
		cpu->activity = ACTIVITY_HALTED;
	cpu->nmi_blocked = smm_load(cpu, map->nmi_masked, 1) & 1;
	cpu->smm = false;
	if (cpu->vendor->leave_smm)
		cpu->vendor->leave_smm(cpu);
	cpu_flush_tlb(cpu);
	cpu_update_mode(cpu);
	if (!cpu->guest)
		load_pae(cpu);
	cpu->pending_debug = smm_load(cpu, map->debug_trap, 4);
	cpu->smbase = (u32)smm_load(cpu, map->smbase, 4); /* last: it moves the area */
	event_post(cpu, (cpu->pending_debug ? EVENT_TRAP : 0) | (cpu->nmi_pending ? EVENT_NMI : 0) |
				(cpu->smi_pending ? EVENT_SMI : 0) |
				(cpu->init_pending ? EVENT_INIT : 0));
	return rip;
}

bool smm_inside_nmi(struct cpu *cpu)
{
	return cpu->smm && (smm_load(cpu, map_of(cpu)->nmi_masked, 1) & 1);
}

void smm_set_inside_nmi(struct cpu *cpu, bool inside)
{
	smm_save(cpu, map_of(cpu)->nmi_masked, inside, 1);
}
