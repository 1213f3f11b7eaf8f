/* SPDX-License-Identifier: Apache-2.0 */
/* EVENTINJ (APM 2:15.20). An injected event is not intercepted; what its delivery raises is. */
#include "sim/svm-model/svm.h"

/* With nRIP save, a software interrupt or exception returns behind its instruction, at nRIP. */
static u64 return_rip(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_NRIPS) ? svm_of(cpu)->value[VMCB_N_RIP] : cpu->reg[REG_RIP];
}

static void inject_exception(struct cpu *cpu, u64 event)
{
	cpu->exception.vector = INJ_VECTOR(event);
	cpu->exception.has_error = event & INJ_ERROR_VALID;
	cpu->exception.error = INJ_ERROR(event);
	cpu->exception.address = 0;
	cpu->exception.injected = true;
	cpu->exception_due = true;
}

/* As if it had been acknowledged already: the run loop goes on with its delivery. */
static void inject_external(struct cpu *cpu, u8 vector, enum event_type type)
{
	cpu->delivering.active = true;
	cpu->delivering.vector = vector;
	cpu->delivering.type = type;
	event_post(cpu, EVENT_TRAP);
}

void svm_inject(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 event = svm->value[VMCB_EVENTINJ];
	u8 vector = INJ_VECTOR(event);

	svm->software_due = false;
	if (!(event & INJ_VALID))
		return;
	switch (INJ_TYPE(event)) {
	case INJ_INTR:
		inject_external(cpu, vector, EVENT_TYPE_EXTERNAL);
		break;
	case INJ_NMI:
		inject_external(cpu, VECTOR_NMI, EVENT_TYPE_NMI);
		if (svm->value[VMCB_V_INTR] & V_NMI_ENABLE)
			svm->value[VMCB_V_INTR] |= V_NMI_MASK; /* APM 2:15.21.10 */
		break;
	case INJ_EXCEPTION:
		if (vector != VECTOR_BP && vector != VECTOR_OF) {
			inject_exception(cpu, event);
			break;
		}
		__attribute__((fallthrough));
	default:
		svm->software_due = true;
	}
}

/* EVENT_VENDOR brings it about before everything else. */
bool svm_deliver_software(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	u64 event = svm->value[VMCB_EVENTINJ];
	bool exception = INJ_TYPE(event) == INJ_EXCEPTION;

	cpu->reg[REG_RIP] =
		event_deliver(cpu, INJ_VECTOR(event),
			      exception ? EVENT_TYPE_SOFTWARE_EXCEPTION : EVENT_TYPE_SOFTWARE,
			      false, 0, return_rip(cpu));
	svm->software_due = false;
	return true;
}
