/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/ftrace/rows.h"

#include <asm/vmx.h>
#include <linux/kvm.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long ulong;

/* --- what hardware would have said --- */

/* What VMX would have shown KVM where the engine left for this reason. */
static u32 hardware_reason(const struct trace_fields_ENGINE_EXIT *f)
{
	switch (f->reason) {
	case KVM_EXIT_IO:
		return EXIT_REASON_IO_INSTRUCTION;
	case KVM_EXIT_MMIO:
		return EXIT_REASON_EPT_MISCONFIG;
	case KVM_EXIT_HLT:
		return EXIT_REASON_HLT;
	case KVM_EXIT_SHUTDOWN:
		return EXIT_REASON_TRIPLE_FAULT;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return EXIT_REASON_INTERRUPT_WINDOW;
	case KVM_EXIT_X86_RDMSR:
		return EXIT_REASON_MSR_READ;
	case KVM_EXIT_X86_WRMSR:
		return EXIT_REASON_MSR_WRITE;
	case KVM_EXIT_DEBUG:
		return EXIT_REASON_EXCEPTION_NMI;
	case KVM_EXIT_INTR:
		return EXIT_REASON_EXTERNAL_INTERRUPT;
	default:
		return EXIT_REASON_PREEMPTION_TIMER;
	}
}

/* SDM 3C:27.2.1, table 27-5. */
static u64 hardware_qualification(const struct trace_fields_ENGINE_EXIT *f)
{
	if (f->reason != KVM_EXIT_IO || !f->size)
		return 0;
	return (f->size - 1) | (f->write ? 0 : 8) | f->address << 16;
}

/* SDM 3A:6.3.1, table 6-1. */
static bool has_error_code(u64 vector)
{
	return vector < 32 && (0x227d00u >> vector & 1);
}

/* --- the table --- */

#define FTRACE(name, event, print)                                                                 \
	struct ftrace_##name {                                                                     \
		struct ftrace_common common;
#define FF(type, name, value) type name;
#define FEND(name, event)                                                                          \
	}                                                                                          \
	;
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

#define FTRACE(name, event, print)                                                                 \
	static void fill_##name(void *into, const void *fields, const struct ftrace_context *x)    \
	{                                                                                          \
		const struct trace_fields_##event *f = fields;                                     \
		struct ftrace_##name *to = into;                                                   \
		(void)f, (void)x;
#define FF(type, name, value) to->name = (type)(value);
#define FEND(name, event)     }
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

#define FTRACE(name, event, print)                                                                 \
	static void describe_##name(struct ftrace_layout *to)                                      \
	{                                                                                          \
		typedef struct ftrace_##name here;                                                 \
		to->fields = 0;                                                                    \
		to->size = sizeof(here);
#define FF(type_, name_, value)                                                                    \
	to->field[to->fields++] = (__typeof__(to->field[0])){.type = #type_,                       \
							     .name = #name_,                       \
							     .offset = offsetof(here, name_),      \
							     .size = sizeof(((here *)0)->name_),   \
							     .is_signed = (type_)-1 < (type_)1 &&  \
									  sizeof(type_) > 1};
#define FEND(name, event) }
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND

const struct ftrace_row ftrace_row[] = {
#define FTRACE(name, event, print)                                                                 \
	{#name,       print,          TRACE_##event, sizeof(struct trace_fields_##event),          \
	 fill_##name, describe_##name},
#define FF(type, name, value)
#define FEND(name, event)
#include "traces/ftrace/export.def"
#undef FTRACE
#undef FF
#undef FEND
};

const unsigned int ftrace_row_count = sizeof(ftrace_row) / sizeof(ftrace_row[0]);
