/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the flag columns of opcodes.def; included only where the rows are expanded. */
#ifndef LOCKSTEP_SIM_CPU_OPCODE_FLAGS_H
#define LOCKSTEP_SIM_CPU_OPCODE_FLAGS_H

enum {
	LOCK = 1 << 0,
	I64 = 1 << 1,
	O64 = 1 << 2,
	D64 = 1 << 3,
	F64 = 1 << 4,
	PM = 1 << 5,
	CPL0 = 1 << 6,
	X87 = 1 << 7,
	MMX = 1 << 8,
	SSE = 1 << 9,
	AVX = 1 << 10,
	END = 1 << 11,
	BRANCH = 1 << 12,
	NOFAULT = 1 << 13,
	ALIGN = 1 << 14,
	USER = 1 << 15,
	VARIES = 1 << 16,
	NOT_AMD = 1 << 17,
};

enum { CF = 0x001, PF = 0x004, AF = 0x010, ZF = 0x040, SF = 0x080, OF = 0x800, ALL = 0x8d5 };

#endif
