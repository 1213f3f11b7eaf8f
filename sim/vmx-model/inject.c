/* SPDX-License-Identifier: Apache-2.0 */
/* Event injection (SDM 3C:27.6): the run loop delivers it before all else. */
#include "sim/vmx-model/fields.h"
#include "sim/vmx-model/vmx.h"

void vmx_inject(struct cpu *cpu)
{
	static const u8 types[] = {
		[TYPE_EXTERNAL] = EVENT_TYPE_EXTERNAL,
		[TYPE_NMI] = EVENT_TYPE_NMI,
		[TYPE_EXCEPTION] = EVENT_TYPE_EXCEPTION,
		[TYPE_SOFTWARE] = EVENT_TYPE_SOFTWARE,
		[TYPE_PRIVILEGED_SOFTWARE_EXCEPTION] = EVENT_TYPE_ICEBP,
		[TYPE_SOFTWARE_EXCEPTION] = EVENT_TYPE_SOFTWARE_EXCEPTION,
	};
	struct vmx *vmx = vmx_of(cpu);
	u64 info = vmx->value[VMCS_ENTRY_INTERRUPTION_INFO];
	unsigned int type = INFO_TYPE(info);

	if (!(info & INFO_VALID))
		return;
	if (type == TYPE_OTHER) {
		event_monitor_trap(cpu);
		return;
	}
	cpu->delivering.active = cpu->delivering.injected = true;
	cpu->delivering.vector = INFO_VECTOR(info);
	cpu->delivering.type = types[type];
	cpu->delivering.has_error = info & INFO_ERROR_CODE;
	cpu->delivering.error = vmx->value[VMCS_ENTRY_EXCEPTION_ERROR_CODE];
	cpu->delivering.length = vmx->value[VMCS_ENTRY_INSTRUCTION_LENGTH];
	cpu->shadow = SHADOW_NONE; /* a vectoring entry blocks nothing (SDM 3C:27.7.1) */
	/* An injected NMI blocks those that follow, real or virtual (SDM 3C:27.6.1). */
	if (type == TYPE_NMI)
		cpu->nmi_blocked = true;
	/* A hardware exception takes the place of traps on the instruction before it. */
	if (type == TYPE_EXCEPTION)
		cpu->pending_debug = 0;
	event_post(cpu, EVENT_TRAP);
}
