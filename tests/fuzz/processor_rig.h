/* SPDX-License-Identifier: Apache-2.0 */
/* The processor of a fuzzer: the input as a stream of choices, memory, and devices that answer. */
#ifndef LOCKSTEP_TESTS_FUZZ_PROCESSOR_RIG_H
#define LOCKSTEP_TESTS_FUZZ_PROCESSOR_RIG_H

#include <stdlib.h>
#include <string.h>

#include "sim/cpu/cpu.h"
#include "sim/cpu/descriptor.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/model.h"
#include "sim/cpu/trace_cache.h"
#include "sim/cpu/vendor.h"

#define MEMORY (256u << 10)
#define LEAVES 128
#define RUNS   8
#define BUDGET 200

/* The input as a stream of choices: zeros when it is used up. */
struct input {
	const uint8_t *data;
	size_t left;
};

static u64 take(struct input *input, size_t bytes)
{
	u64 value = 0;
	size_t n = bytes < input->left ? bytes : input->left;

	memcpy(&value, input->data, n);
	input->data += n;
	input->left -= n;
	return value;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- the processor and what is around it --- */

static struct cpu *cpu;
static struct slots slots;
static u8 *memory;

/* Devices answer what is asked, and now and then leave it to user space. */
static bool answer(struct cpu *unused, u64 address, void *data, unsigned int size, bool write)
{
	(void)unused;
	if (!write)
		memset(data, 0xa5, size);
	return address & 0x7000;
}

static bool answer_port(struct cpu *unused, u16 port, void *data, unsigned int size, bool write)
{
	return answer(unused, (u64)port << 12, data, size, write);
}

static int acknowledge(struct cpu *unused)
{
	(void)unused;
	return 0x20;
}

static bool pending(struct cpu *unused)
{
	(void)unused;
	return true;
}

static void nothing(struct cpu *unused)
{
	(void)unused;
}

static void no_timer(struct cpu *unused, u64 until)
{
	(void)unused;
	(void)until;
}

static void no_page(struct cpu *unused, u64 gpa)
{
	(void)unused;
	(void)gpa;
}

static const struct cpu_platform platform = {
	.mmio = answer,
	.port = answer_port,
	.pic_acknowledge = acknowledge,
	.pic_pending = pending,
	.code_page_made = no_page,
	.code_page_written = no_page,
	.shootdown = nothing,
	.reschedule = nothing,
	.vendor_timer = no_timer,
};

/* A processor of that model, with its SVM, VMX, or none. */
static void rig_open(const char *model, const struct vendor_ops *vendor, void *virtualization)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY};
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + LEAVES * sizeof(cpuid->entries[0]));

	memory = aligned_alloc(PAGE_SIZE_4K, MEMORY);
	region.userspace_addr = (uintptr_t)memory;
	require(slots_set(&slots, &region) == 0);
	cpuid->nent = LEAVES;
	require(cpu_model_build(model, 0, 1, 1000000, cpuid, NULL) == 0);
	cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
	memset(cpu, 0, sizeof(*cpu));
	cpu->slots = &slots;
	cpu->cpuid = cpuid;
	cpu->platform = &platform;
	cpu->vendor = vendor;
	cpu->virtualization = virtualization;
	require(trace_cache_open(cpu));
}

static void put(u64 at, u64 value)
{
	memcpy(memory + at, &value, sizeof(value));
}

#endif
