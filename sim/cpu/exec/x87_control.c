/* SPDX-License-Identifier: Apache-2.0 */
/* x87: control and status words, FWAIT, EMMS, environment and state images (SDM 1:8.1.10, 8.1.11).
 */
#include <string.h>

#include "sim/cpu/exec/image.h"
#include "sim/cpu/exec/x87.h"

static HANDLER(exec_fldcw)
{
	x87_begin(cpu, op);
	fpu_set_control(cpu, (u16)mem_load(cpu, op, ea_by_kind(cpu, op, 2, false), 2));
	NEXT;
}

static HANDLER(exec_fnstcw)
{
	FAULT_POINT(cpu, op);
	mem_store(cpu, op, ea_by_kind(cpu, op, 2, true), cpu->fpu.control, 2);
	NEXT;
}

static HANDLER(exec_fnstsw)
{
	FAULT_POINT(cpu, op);
	mem_store(cpu, op, ea_by_kind(cpu, op, 2, true), cpu->fpu.status, 2);
	NEXT;
}

static HANDLER(exec_fnstsw_ax)
{
	REG16(cpu, REG_RAX * 8) = cpu->fpu.status;
	NEXT;
}

static HANDLER(exec_fnclex)
{
	cpu->fpu.status &= (u16) ~(FSW_EXCEPTIONS | FSW_SF | FSW_ES | FSW_B);
	NEXT;
}

static HANDLER(exec_fninit)
{
	fpu_init(cpu);
	NEXT;
}

/* FENI, FDISI, FSETPM: the 8087's and 80287's, ignored since (SDM 1:8.3.12). */
static HANDLER(exec_fignored)
{
	(void)cpu;
	NEXT;
}

/* CR0.TS matters only together with MP, EM not at all (SDM 3A:2.5). */
static HANDLER(exec_fwait)
{
	FAULT_POINT(cpu, op);
	if ((cpu->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
		raise_nm(cpu);
	fpu_wait(cpu, op);
	NEXT;
}

static HANDLER(exec_emms)
{
	x87_begin(cpu, op);
	cpu->fpu.status &= (u16)~FSW_TOP; /* SDM 3A:13.2, table 13-1 */
	cpu->fpu.tag = FPU_TAGS_EMPTY;
	NEXT;
}

FAMILY_ONE(fldcw, exec_fldcw);
FAMILY_ONE(fnstcw, exec_fnstcw);
FAMILY_ONE(fnstsw, exec_fnstsw);
FAMILY_ONE(fnstsw_ax, exec_fnstsw_ax);
FAMILY_ONE(fnclex, exec_fnclex);
FAMILY_ONE(fninit, exec_fninit);
FAMILY_ONE(fignored, exec_fignored);
FAMILY_ONE(fwait, exec_fwait);
FAMILY_ONE(emms, exec_emms);

/* --- environment: seven words or doublewords --- */
#define ENVIRONMENT_WORDS 7
#define REGISTERS_SIZE    80

/* Real-address and virtual-8086 mode store linear addresses and the opcode with them. */
static bool real_layout(const struct cpu *cpu)
{
	return cpu_real_mode(cpu) || cpu_v86(cpu);
}

static unsigned int word_size(const struct op *op)
{
	return op->width == 1 ? 2 : 4;
}

static u32 real_address(u16 selector, u64 offset)
{
	return (u32)offset + ((u32)selector << 4);
}

/* Figures 8-9 to 8-12 of SDM 1:8.1.10; unused halves are ones. */
static void environment_make(const struct cpu *cpu, unsigned int size, u32 word[ENVIRONMENT_WORDS])
{
	const struct fpu *fpu = &cpu->fpu;
	u32 ip = real_address(fpu->cs, fpu->ip), dp = real_address(fpu->ds, fpu->dp);

	word[0] = 0xffff0000 | fpu->control;
	word[1] = 0xffff0000 | fpu->status;
	word[2] = 0xffff0000 | fpu_full_tags(cpu);
	if (!real_layout(cpu)) {
		word[3] = (u32)fpu->ip;
		word[4] = fpu_code_selector(cpu) | (size == 4 ? (u32)fpu->opcode << 16 : 0);
		word[5] = (u32)fpu->dp;
		word[6] = 0xffff0000 | fpu_data_selector(cpu);
	} else {
		word[3] = 0xffff0000 | (ip & 0xffff);
		word[4] = (ip >> 16 << 12) | fpu->opcode;
		word[5] = 0xffff0000 | (dp & 0xffff);
		word[6] = dp >> 16 << 12;
	}
}

static void environment_take(struct cpu *cpu, unsigned int size, const u32 word[ENVIRONMENT_WORDS])
{
	struct fpu *fpu = &cpu->fpu;

	fpu_set_control(cpu, (u16)word[0]);
	fpu_set_status(cpu, (u16)word[1]);
	fpu->tag = 0;
	for (unsigned int i = 0; i < 8; i++)
		if ((word[2] >> 2 * i & 3) == FPU_TAG_EMPTY)
			fpu->tag |= FPU_TAG_EMPTY << 2 * i;
	if (!real_layout(cpu)) {
		fpu->ip = word[3];
		fpu->cs = (u16)word[4];
		fpu->opcode = size == 4 ? word[4] >> 16 & 0x7ff : 0;
		fpu->dp = word[5];
		fpu->ds = (u16)word[6];
	} else {
		fpu->ip = (word[3] & 0xffff) | (word[4] >> 12 << 16);
		fpu->dp = (word[5] & 0xffff) | (word[6] >> 12 << 16);
		fpu->cs = fpu->ds = 0;
		fpu->opcode = word[4] & 0x7ff;
	}
}

/* Word by word: alignment is checked for each (SDM 3A:6.15, table 6-7). */
static void environment_store(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size)
{
	u32 word[ENVIRONMENT_WORDS];

	environment_make(cpu, size, word);
	mem_probe(cpu, op, linear, ENVIRONMENT_WORDS * size, WALK_WRITE);
	for (unsigned int i = 0; i < ENVIRONMENT_WORDS; i++)
		mem_store(cpu, op, linear + i * size, word[i], size);
}

static void environment_load(struct cpu *cpu, const struct op *op, u64 linear, unsigned int size,
			     u32 word[ENVIRONMENT_WORDS])
{
	for (unsigned int i = 0; i < ENVIRONMENT_WORDS; i++)
		word[i] = (u32)mem_load(cpu, op, linear + i * size, size);
}

/* FNSTENV masks everything afterwards. */
static NOINLINE void store_environment(struct cpu *cpu, const struct op *op)
{
	unsigned int size = word_size(op);

	FAULT_POINT(cpu, op);
	environment_store(cpu, op, ea_by_kind(cpu, op, ENVIRONMENT_WORDS * size, true), size);
	fpu_set_control(cpu, cpu->fpu.control | FCW_MASKS);
}

static NOINLINE void load_environment(struct cpu *cpu, const struct op *op)
{
	unsigned int size = word_size(op);
	u32 word[ENVIRONMENT_WORDS];

	x87_begin(cpu, op);
	environment_load(cpu, op, ea_by_kind(cpu, op, ENVIRONMENT_WORDS * size, false), size, word);
	environment_take(cpu, size, word);
}

static NOINLINE void save_state(struct cpu *cpu, const struct op *op)
{
	unsigned int size = word_size(op), environment = ENVIRONMENT_WORDS * size;
	u8 registers[REGISTERS_SIZE];
	u64 linear;

	FAULT_POINT(cpu, op);
	linear = ea_by_kind(cpu, op, environment + REGISTERS_SIZE, true);
	for (unsigned int i = 0; i < 8; i++)
		memcpy(registers + 10 * i, st_reg(cpu, i), 10);
	mem_probe(cpu, op, linear, environment + REGISTERS_SIZE, WALK_WRITE);
	environment_store(cpu, op, linear, size);
	image_store(cpu, op, linear + environment, registers, REGISTERS_SIZE);
	fpu_init(cpu);
}

static NOINLINE void restore_state(struct cpu *cpu, const struct op *op)
{
	unsigned int size = word_size(op), environment = ENVIRONMENT_WORDS * size;
	u32 word[ENVIRONMENT_WORDS];
	u8 registers[REGISTERS_SIZE];
	u64 linear;

	x87_begin(cpu, op);
	linear = ea_by_kind(cpu, op, environment + REGISTERS_SIZE, false);
	environment_load(cpu, op, linear, size, word);
	image_load(cpu, op, linear + environment, registers, REGISTERS_SIZE);
	environment_take(cpu, size, word);
	for (unsigned int i = 0; i < 8; i++)
		memcpy(st_reg(cpu, i), registers + 10 * i, 10);
}

BODY(fnstenv, store_environment(cpu, op))
BODY(fldenv, load_environment(cpu, op))
BODY(fnsave, save_state(cpu, op))
BODY(frstor, restore_state(cpu, op))
