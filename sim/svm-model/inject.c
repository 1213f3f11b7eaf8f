/* SPDX-License-Identifier: Apache-2.0 */
/* EVENTINJ (APM 2:15.20). An injected event is not intercepted; what its delivery raises is. */
#include "sim/svm-model/svm.h"

/* Exceptions that an instruction asks for return behind it. */
static enum event_type type_of(u64 event)
{
	u8 vector = INJ_VECTOR(event);

	switch (INJ_TYPE(event)) {
	case INJ_INTR:
		return EVENT_TYPE_EXTERNAL;
	case INJ_NMI:
		return EVENT_TYPE_NMI;
	case INJ_SOFTWARE:
		return EVENT_TYPE_SOFTWARE;
	default:
		return vector == VECTOR_BP || vector == VECTOR_OF ? EVENT_TYPE_SOFTWARE_EXCEPTION
								  : EVENT_TYPE_EXCEPTION;
	}
}

/* It is the first thing that the guest meets. With nRIP save, a software interrupt or exception
 * returns behind its instruction, to nRIP; else to RIP, which the host has moved. */
void svm_inject(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 *value = svm->value, event = value[VMCB_EVENTINJ];

	if (!(event & INJ_VALID))
		return;
	cpu->delivering.active = cpu->delivering.injected = true;
	cpu->delivering.type = type_of(event);
	cpu->delivering.vector =
		cpu->delivering.type == EVENT_TYPE_NMI ? VECTOR_NMI : INJ_VECTOR(event);
	cpu->delivering.has_error =
		cpu->delivering.type == EVENT_TYPE_EXCEPTION && (event & INJ_ERROR_VALID);
	cpu->delivering.error = INJ_ERROR(event);
	cpu->delivering.length =
		cpu_has(cpu, FEATURE_NRIPS) ? (u8)(value[VMCB_N_RIP] - value[VMCB_RIP]) : 0;
	/* APM 2:15.21.10 */
	if (cpu->delivering.type == EVENT_TYPE_NMI && (value[VMCB_V_INTR] & V_NMI_ENABLE))
		value[VMCB_V_INTR] |= V_NMI_MASK;
	event_post(cpu, EVENT_TRAP);
}
