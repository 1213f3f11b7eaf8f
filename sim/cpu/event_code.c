/* SPDX-License-Identifier: Apache-2.0 */
/* An IDT gate and the code segment behind it: checks of every width (SDM 3A:6.12.1, 6.14). */
#include "sim/cpu/descriptor.h"

#define ERROR_IDT 2u

u32 event_gate_error(u8 vector)
{
	return vector * 8u + ERROR_IDT;
}

void event_check_gate(struct cpu *cpu, const struct event *event, const struct descriptor *gate)
{
	if (event_is_software(event->type) && rights_dpl(gate->rights) < cpu->cpl)
		raise_gp(cpu, event_gate_error(event->vector));
	if (!(gate->rights & SEG_P))
		raise_np(cpu, event_gate_error(event->vector));
}

/* In IA-32e mode the handler is 64-bit code. */
void event_read_code(struct cpu *cpu, u16 selector, struct descriptor *code)
{
	bool wrong_size;

	if (selector_null(selector))
		raise_gp(cpu, 0);
	descriptor_read(cpu, selector, VECTOR_GP, code);
	wrong_size = cpu_long_mode(cpu) && (code->rights & (SEG_L | SEG_DB)) != SEG_L;
	if (!rights_code(code->rights) || rights_dpl(code->rights) > cpu->cpl || wrong_size)
		raise_gp(cpu, selector_error(selector));
	if (!(code->rights & SEG_P))
		raise_np(cpu, selector_error(selector));
}
