/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/fault.h"
#include "sim/cpu/dispatch.h"
#include "sim/cpu/platform_lock.h"

_Noreturn static void unwind_exception(struct cpu *cpu, u8 vector, bool has_error, u32 error)
{
	bus_unlock(cpu);
	cpu->exception.vector = vector;
	cpu->exception.has_error = has_error;
	cpu->exception.error = error;
	cpu->exception.injected = false;
	longjmp(cpu->unwind, UNWIND_EXCEPTION);
}

_Noreturn void cpu_raise(struct cpu *cpu, u8 vector)
{
	unwind_exception(cpu, vector, false, 0);
}

_Noreturn void cpu_raise_error(struct cpu *cpu, u8 vector, u32 error)
{
	unwind_exception(cpu, vector, true, error);
}

_Noreturn void cpu_raise_page_fault(struct cpu *cpu, u64 linear, u32 error)
{
	cpu->exception.address = linear;
	unwind_exception(cpu, VECTOR_PF, true, error);
}

_Noreturn void cpu_abandon(struct cpu *cpu, enum cpu_exit exit)
{
	bus_unlock(cpu);
	cpu->exit = exit;
	longjmp(cpu->unwind, UNWIND_ABANDON);
}
