/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/debugger.h"

bool debugger_takes(struct cpu *cpu, u8 vector, u64 dr6)
{
	u32 wanted = vector == VECTOR_BP ? KVM_GUESTDBG_USE_SW_BP
					 : KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP;

	if (likely(!(cpu->debugger.control & wanted)))
		return false;
	cpu->debugger.vector = vector;
	cpu->debugger.dr6 = dr6;
	return true;
}
