/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs with which every VM-entry check passes: a 64-bit guest of a 64-bit host, on a processor
 * that offers all controls, with 46 physical and 57 linear bits. */
#ifndef LOCKSTEP_TESTS_VMX_CHECKS_BASE_H
#define LOCKSTEP_TESTS_VMX_CHECKS_BASE_H

#include <string.h>

#include "sim/cpu/features.h"
#include "sim/vmx-model/checks.h"
#include "tests/unit/check.h"

/* The bits that are always 1 (SDM 3D:A.3 to A.5), by the manual's numbers. */
#define PIN     UINT64_C(0x00000016)
#define PRIMARY UINT64_C(0x0401e172)
#define EXIT64  UINT64_C(0x00036fff) /* host address-space size is bit 9 */
#define ENTRY64 UINT64_C(0x000013ff) /* IA-32e mode guest is bit 9 */
#define ENTRY32 UINT64_C(0x000011ff)

#define FLAT UINT64_C(0xffffffff)

static inline void base_segment(u64 *value, unsigned int number, u64 selector, u64 limit,
				u64 rights)
{
	value[VMCS_GUEST_ES_SELECTOR + number] = selector;
	value[VMCS_GUEST_ES_LIMIT + number] = limit;
	value[VMCS_GUEST_ES_RIGHTS + number] = rights;
}

static inline void base_guest(u64 *value)
{
	value[VMCS_GUEST_CR0] = 0x80050033;
	value[VMCS_GUEST_CR4] = 0x2020;
	value[VMCS_GUEST_CR3] = 0x1000;
	value[VMCS_GUEST_EFER] = 0xd00;
	value[VMCS_GUEST_PAT] = UINT64_C(0x0007040600070406);
	value[VMCS_GUEST_DR7] = 0x400;
	for (unsigned int n = 0; n < 6; n++)
		base_segment(value, n, 0x10, FLAT, 0xc093);
	base_segment(value, 1, 8, FLAT, 0xa09b);  /* CS */
	base_segment(value, 6, 0, 0, 0x10000);    /* LDTR */
	base_segment(value, 7, 0x18, 0x67, 0x8b); /* TR */
	value[VMCS_GUEST_GDTR_LIMIT] = value[VMCS_GUEST_IDTR_LIMIT] = 0xffff;
	value[VMCS_GUEST_RFLAGS] = 2;
	value[VMCS_GUEST_RIP] = 0x1000;
	value[VMCS_VMCS_LINK_POINTER] = UINT64_MAX;
}

static inline void base_host(u64 *value)
{
	value[VMCS_HOST_CR0] = 0x80050033;
	value[VMCS_HOST_CR4] = 0x2020;
	value[VMCS_HOST_EFER] = 0xd00;
	value[VMCS_HOST_PAT] = UINT64_C(0x0007040600070406);
	for (unsigned int n = 0; n < 6; n++)
		value[VMCS_HOST_ES_SELECTOR + n] = 0x10;
	value[VMCS_HOST_CS_SELECTOR] = 8;
	value[VMCS_HOST_TR_SELECTOR] = 0x18;
}

static inline void base_inputs(u64 *value)
{
	u32 feature[FEATURE_WORDS];

	memset(value, 0, VMX_INPUT_COUNT * sizeof(*value));
	base_guest(value);
	base_host(value);
	value[VMCS_PIN_CONTROLS] = PIN;
	value[VMCS_PRIMARY_CONTROLS] = PRIMARY;
	value[VMCS_EXIT_CONTROLS] = EXIT64;
	value[VMCS_ENTRY_CONTROLS] = ENTRY64;
	value[INPUT_CURRENT_VMCS] = 0x5000;
	value[INPUT_IS_LAUNCH] = 1;
	value[INPUT_CPU_LMA] = 1;
	value[INPUT_PHYSICAL_BITS] = 46;
	value[INPUT_LINEAR_BITS] = 57;
	value[INPUT_CR3_RESERVED] = UINT64_C(0xffffc00000000000);
	value[INPUT_EFER_RESERVED] = ~UINT64_C(0xd01);
	value[INPUT_DEBUGCTL_RESERVED] = ~UINT64_C(2);
	value[INPUT_PERF_GLOBAL_RESERVED] = ~UINT64_C(0x7000000ff);
	value[INPUT_S_CET_RESERVED] = UINT64_C(0x3c0);
	value[INPUT_PDPTE_RESERVED] = UINT64_C(0xffffc000000001e6);
	memset(feature, 0xff, sizeof(feature));
	vmx_capability(feature, 0x1ff7fff, &value[INPUT_CAPABILITY]);
}

#endif
