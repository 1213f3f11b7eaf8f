/* SPDX-License-Identifier: Apache-2.0 */
/* A segment as KVM tells it, from a descriptor's parts (SDM 3A:3.4.5). */
#ifndef LOCKSTEP_ACCEL_SEGMENT_H
#define LOCKSTEP_ACCEL_SEGMENT_H

#include <stdint.h>

#include <linux/kvm.h>

/* @limit in bytes; @attributes: a descriptor's second doubleword, of which bits 8 to 15 and 20 to
 * 23 count. */
static inline struct kvm_segment segment_make(uint16_t selector, uint64_t base, uint32_t limit,
					      uint32_t attributes)
{
	return (struct kvm_segment){
		.selector = selector,
		.base = base,
		.limit = limit,
		.type = attributes >> 8 & 15,
		.s = attributes >> 12 & 1,
		.dpl = attributes >> 13 & 3,
		.present = attributes >> 15 & 1,
		.avl = attributes >> 20 & 1,
		.l = attributes >> 21 & 1,
		.db = attributes >> 22 & 1,
		.g = attributes >> 23 & 1,
	};
}

#endif
