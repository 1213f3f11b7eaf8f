/* SPDX-License-Identifier: Apache-2.0 */
/* The permission maps of ports and MSRs (APM 2:15.10, 15.11). Bytes that no memory answers for read
 * as ones, which intercept. */
#include "sim/svm-model/svm.h"

static u64 map(const struct svm *svm, enum vmcb_field field)
{
	return svm->value[field] & ~PAGE_OFFSET_MASK;
}

/* A bit for each byte of the access; those beyond port FFFFH stand in the third page. */
bool svm_port_intercepted(struct cpu *cpu, u16 port, unsigned int size)
{
	u64 at = map(svm_of(cpu), VMCB_IOPM_BASE_PA) + port / 8;

	return mem_load_physical(cpu, at, 2) >> port % 8 & ((1u << size) - 1);
}

/* Where the two bits of an MSR are, counted in bits. False: the map does not have it. */
static bool msr_place(u32 number, u32 *bit)
{
	static const struct {
		u32 first, at;
	} ranges[] = {{0, 0}, {0xc0000000, 0x800 * 8}, {0xc0010000, 0x1000 * 8}};

	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
		if (number - ranges[i].first < 0x2000) {
			*bit = ranges[i].at + 2 * (number - ranges[i].first);
			return true;
		}
	return false;
}

bool svm_msr_intercepted(struct cpu *cpu, u32 number, bool write)
{
	u64 base = map(svm_of(cpu), VMCB_MSRPM_BASE_PA);
	u32 bit;

	if (!msr_place(number, &bit))
		return true;
	bit += write;
	return mem_load_physical(cpu, base + bit / 8, 1) >> bit % 8 & 1;
}
