/* SPDX-License-Identifier: Apache-2.0 */
/* INVEPT and INVVPID (SDM 3C:31.3, 29.4.3). */
#include "sim/vmx-model/vmx.h"

u64 vmx_invept(struct cpu *cpu, const struct op *op)
{
	(void)op;
	raise_ud(cpu);
}

u64 vmx_invvpid(struct cpu *cpu, const struct op *op)
{
	(void)op;
	raise_ud(cpu);
}
