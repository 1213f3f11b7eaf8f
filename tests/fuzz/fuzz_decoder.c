/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder on any bytes, in any mode, for any model. Its answer may depend on nothing but the
 * bytes of the instruction itself: not on those behind it, and with fewer it asks for more.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/cpu/decode.h"
#include "sim/cpu/model.h"
#include "sim/cpu/segment.h"

#define HEADER 3 /* two bytes of mode word, one for the model */
#define LEAVES 128

static const char *const models[] = {"qemu64", "intel", "amd", "max"};
#define MODELS ARRAY_SIZE(models)

static struct cpu *cpus[MODELS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t n = 0; n < MODELS; n++) {
		struct kvm_cpuid2 *cpuid =
			calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));

		cpus[n] = aligned_alloc(64, (sizeof(struct cpu) + 63) & ~(size_t)63);
		memset(cpus[n], 0, sizeof(struct cpu));
		cpuid->nent = LEAVES;
		if (cpu_model_build(models[n], 0, 1, 1000000, cpuid, NULL))
			abort();
		cpus[n]->cpuid = cpuid;
		cpuid_adopt(cpus[n]);
	}
	return 0;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* In memory of just this size, so that one byte too far is seen. */
static enum decode_status decode(const struct decode_environment *env, const u8 *bytes, size_t size,
				 struct instruction *insn)
{
	u8 *exact = malloc(size ? size : 1);
	enum decode_status status;

	memcpy(exact, bytes, size);
	status = decode_instruction(env, exact, (unsigned int)size, insn);
	free(exact);
	return status;
}

/* What trace_build.c will look up. */
static void check_handler(const struct instruction *insn)
{
	const struct family *family = insn->row->family;
	unsigned int width = insn->family_width;

	require(width < 4);
	if (insn->op->flags & OP_LOCK)
		require(family->locked[width]);
	else
		require(family->fn[width][insn->op->kind] ||
			(insn->op->kind != KIND_REG && family->fn[width][KIND_ANY]));
}

static void check_instruction(const struct decode_environment *env, const u8 *bytes,
			      enum decode_status status, const struct instruction *insn)
{
	unsigned int length = insn->op->length;
	struct op other_op;
	struct instruction other = {.op = &other_op};

	require(insn->row && insn->form);
	require(length >= 1 && length <= INSTRUCTION_MAX);
	require(insn->op->base < sizeof(cpus[0]->reg) && insn->op->index < sizeof(cpus[0]->reg) &&
		insn->op->seg_base < sizeof(cpus[0]->reg));
	if (status == DECODE_OK)
		check_handler(insn);
	for (unsigned int n = 0; n < length; n++)
		require(decode(env, bytes, n, &other) == DECODE_MORE);
	require(decode(env, bytes, length, &other) == status);
	require(!memcmp(&other_op, insn->op, sizeof(other_op)));
	other.op = insn->op;
	require(!memcmp(&other, insn, sizeof(other)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u8 bytes[INSTRUCTION_MAX] = {0};
	struct decode_environment env;
	struct op op;
	struct instruction insn = {.op = &op};
	enum decode_status status;
	const struct cpu *cpu;

	if (size <= HEADER || size > HEADER + INSTRUCTION_MAX)
		return -1;
	cpu = cpus[data[2] % MODELS];
	env = (struct decode_environment){.mode = data[0] | (u32)(data[1] & 0x1f) << 8,
					  .feature = cpu->feature,
					  .amd = cpu->amd};
	if ((env.mode & MODE_CODE_MASK) == MODE_CODE_MASK)
		return -1;
	data += HEADER;
	size -= HEADER;
	memcpy(bytes, data, size);
	status = decode(&env, data, size, &insn);
	if (status == DECODE_MORE) { /* with all the bytes there can be it has to know */
		status = decode(&env, bytes, sizeof(bytes), &insn);
		require(status != DECODE_MORE);
	}
	if (status == DECODE_OK || status == DECODE_GP || status == DECODE_NM)
		check_instruction(&env, bytes, status, &insn);
	return 0;
}
