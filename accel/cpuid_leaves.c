/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/cpuid_leaves.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MOST 0x30 /* leaves of a range that are of interest */

/* Leaves whose answer depends on ECX, and how many subleaves are asked for (SDM 2A CPUID). */
static const struct {
	__u32 leaf, subleaves;
} indexed[] = {{4, 4}, {7, 2}, {0xb, 2}, {0xd, 10}, {0x1f, 2}, {0x8000001d, 4}};

static __u32 subleaves_of(__u32 leaf)
{
	for (size_t i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++) {
		if (indexed[i].leaf == leaf)
			return indexed[i].subleaves;
	}
	return 0;
}

struct asking {
	int (*ask)(void *opaque, struct kvm_cpuid_entry2 *entry);
	void *opaque;
};

static int ask_leaf(const struct asking *asking, struct kvm_cpuid2 *cpuid, __u32 leaf)
{
	__u32 subleaves = subleaves_of(leaf), i = 0;
	int rc = 0;

	do {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent];

		if (cpuid->nent == CPUID_LEAVES_ROOM)
			return -E2BIG;
		*entry = (struct kvm_cpuid_entry2){
			.function = leaf,
			.index = i,
			.flags = subleaves ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0};
		rc = asking->ask(asking->opaque, entry);
		cpuid->nent++;
	} while (!rc && ++i < subleaves);
	return rc;
}

static int ask_range(const struct asking *asking, struct kvm_cpuid2 *cpuid, __u32 first)
{
	struct kvm_cpuid_entry2 head = {.function = first};
	int rc = asking->ask(asking->opaque, &head);

	for (__u32 leaf = first; !rc && leaf <= head.eax && leaf < first + MOST; leaf++)
		rc = ask_leaf(asking, cpuid, leaf);
	return rc;
}

int cpuid_leaves_read(union cpuid_leaves *leaves,
		      int (*ask)(void *opaque, struct kvm_cpuid_entry2 *entry), void *opaque)
{
	const struct asking asking = {ask, opaque};
	int rc;

	leaves->head.nent = 0;
	rc = ask_range(&asking, &leaves->head, 0);
	if (!rc)
		rc = ask_range(&asking, &leaves->head, 0x80000000);
	if (rc)
		leaves->head.nent = 0;
	return rc;
}

int cpuid_leaves_give(const union cpuid_leaves *leaves, struct kvm_cpuid2 *to)
{
	__u32 room = to->nent;

	to->nent = leaves->head.nent;
	if (to->nent > room)
		return -E2BIG;
	memcpy(to->entries, leaves->head.entries, to->nent * sizeof(to->entries[0]));
	return 0;
}

struct kvm_cpuid_entry2 cpuid_leaves_find(const struct kvm_cpuid_entry2 *entries, __u32 count,
					  __u32 leaf, __u32 subleaf)
{
	struct kvm_cpuid_entry2 found = {0};

	for (__u32 i = 0; i < count; i++) {
		if (entries[i].function == leaf &&
		    (!(entries[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		     entries[i].index == subleaf))
			found = entries[i];
	}
	return found;
}
