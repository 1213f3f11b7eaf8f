/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC's page, where it is after reset (SDM 3A:11.4.1, table 11-1). */
#ifndef PAYLOAD_APIC_H
#define PAYLOAD_APIC_H

#include "payload.h"

#define APIC_BASE    0xfee00000ul
#define APIC(offset) (*(volatile u32 *)(APIC_BASE + (offset)))

#endif
