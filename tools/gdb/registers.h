/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's registers as gdb numbers them, from registers.def. */
#ifndef LOCKSTEP_TOOLS_GDB_REGISTERS_H
#define LOCKSTEP_TOOLS_GDB_REGISTERS_H

#include <glib.h>
#include <stdbool.h>

#include <lockstep/engine.h>

/* The standard form of an XSAVE area up to AVX's part (SDM 1:13.4). */
struct gdb_xsave {
	uint16_t control, status;
	uint8_t tag, reserved;
	uint16_t opcode;
	uint32_t instruction;
	uint16_t instruction_selector, reserved2;
	uint32_t operand;
	uint16_t operand_selector, reserved3;
	uint32_t mxcsr, mxcsr_mask;
	struct {
		uint8_t value[10], reserved[6];
	} st[8];
	uint8_t xmm[16][16];
	uint8_t unused[96];
	uint64_t xstate_bv, xcomp_bv, header[6];
	uint8_t ymm_high[16][16];
};

struct gdb_registers {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	union {
		struct kvm_xsave xsave;
		struct gdb_xsave x;
	};
	uint64_t kernel_gs_base;
};

/* 0, or -errno. */
int gdb_registers_read(struct ls_engine *engine, int vcpu, struct gdb_registers *registers);
int gdb_registers_write(struct ls_engine *engine, int vcpu, struct gdb_registers *registers);

size_t gdb_register_count(void);
/* Appends its value as the protocol has it. False: there is no such register. */
bool gdb_register_put(GString *to, const struct gdb_registers *registers, uint64_t number);
bool gdb_register_take(const char **from, struct gdb_registers *registers, uint64_t number);
/* target.xml, to be g_free()d. */
char *gdb_target_description(void);

#endif
