/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/state_table.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/flags.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"

#include <linux/kvm.h>
#include <lockstep/hash.h>
#include <stddef.h>

/* --- fields that are made of others --- */

static u64 state_nmi_pending(const struct cpu *cpu)
{
	return event_is_pending(cpu, EVENT_NMI);
}

static u64 state_smi_pending(const struct cpu *cpu)
{
	return event_is_pending(cpu, EVENT_SMI);
}

static u64 state_init_pending(const struct cpu *cpu)
{
	return event_is_pending(cpu, EVENT_INIT);
}

static u64 state_sipi_pending(const struct cpu *cpu)
{
	return event_is_pending(cpu, EVENT_SIPI);
}

static u64 state_machine_check_pending(const struct cpu *cpu)
{
	return event_is_pending(cpu, EVENT_MACHINE_CHECK);
}

#define INTERRUPTION_HARDWARE_EXCEPTION (3u << 8)
#define INTERRUPTION_ERROR_CODE         BIT(11)
#define INTERRUPTION_VALID              BIT(31)

static u64 state_exception(const struct cpu *cpu)
{
	if (!cpu->exception_due)
		return 0;
	return cpu->exception.vector | INTERRUPTION_HARDWARE_EXCEPTION | INTERRUPTION_VALID |
	       (cpu->exception.has_error ? INTERRUPTION_ERROR_CODE : 0);
}

static u64 state_exception_error(const struct cpu *cpu)
{
	return cpu->exception_due && cpu->exception.has_error ? cpu->exception.error : 0;
}

static u64 state_exception_payload(const struct cpu *cpu)
{
	bool has = cpu->exception.vector == VECTOR_PF || cpu->exception.vector == VECTOR_DB;

	return cpu->exception_due && has ? cpu->exception.address : 0;
}

/* --- the table --- */

#define SIZE(type, member)      sizeof(((type *)0)->member)
#define KVM_PLACE(type, member) .kvm_offset = offsetof(type, member), .kvm_size = SIZE(type, member)
#define IN_REGS(member)         .in = STATE_IN_REGS, KVM_PLACE(struct kvm_regs, member)
#define IN_SREGS(member)        .in = STATE_IN_SREGS, KVM_PLACE(struct kvm_sregs, member)
#define IN_RIGHTS(member)       .rights = true, IN_SREGS(member)
#define IN_DEBUGREGS(member)    .in = STATE_IN_DEBUGREGS, KVM_PLACE(struct kvm_debugregs, member)
#define IN_NONE(member)         .in = STATE_IN_OTHER
#define IN_SREGS2(member)       .in = STATE_IN_OTHER
#define IN_XCRS(member)         .in = STATE_IN_OTHER
#define IN_XSAVE(member)        .in = STATE_IN_OTHER
#define IN_FPU(member)          .in = STATE_IN_OTHER
#define IN_EVENTS(member)       .in = STATE_IN_OTHER
#define IN_MP_STATE(member)     .in = STATE_IN_OTHER
#define IN_MSRS(member)         .in = STATE_IN_OTHER

#define COMMON(group_, name_, bits_, struct_, member_, manual_)                                    \
	.name = name_, .manual = manual_, .kvm_struct = #struct_, .kvm_member = #member_,          \
	.group = STATE_##group_, .bits = bits_, IN_##struct_(member_)

const struct state_field state_fields[] = {
#define STATE(group, name, bits, field, struct_, member, manual)                                   \
	{COMMON(group, name, bits, struct_, member, manual),                                       \
	 .offset = offsetof(struct cpu, field), .size = SIZE(struct cpu, field)},
#define STATE_ARRAY(group, name, bits, count_, array, field, struct_, member, manual)              \
	{COMMON(group, name, bits, struct_, member, manual),                                       \
	 .offset = offsetof(struct cpu, array[0] field), .size = SIZE(struct cpu, array[0] field), \
	 .stride = SIZE(struct cpu, array[0]), .count = count_},
#define STATE_GET(group, name, bits, function, struct_, member, manual)                            \
	{COMMON(group, name, bits, struct_, member, manual), .get = function, .size = sizeof(u64)},
#include "sim/cpu/state.def"
#undef STATE
#undef STATE_ARRAY
#undef STATE_GET
};
const unsigned int state_field_count = ARRAY_SIZE(state_fields);

const char *const state_group_names[STATE_GROUPS] = {
	[STATE_GENERAL] = "general", [STATE_SEGMENT] = "segment", [STATE_TABLE] = "table",
	[STATE_CONTROL] = "control", [STATE_DEBUG] = "debug",     [STATE_EVENT] = "event",
	[STATE_X87] = "x87",         [STATE_VECTOR] = "vector",   [STATE_MSR] = "msr",
};

/* --- values --- */

static u64 load_bytes(const u8 *from, size_t size)
{
	u64 value = 0;

	__builtin_memcpy(&value, from, size < sizeof(value) ? size : sizeof(value));
	return value;
}

static const u8 *place(const struct cpu *cpu, const struct state_field *field, unsigned int n)
{
	return (const u8 *)cpu + field->offset + n * field->stride;
}

u64 state_value(const struct cpu *cpu, const struct state_field *field, unsigned int n)
{
	return field->get ? field->get(cpu) : load_bytes(place(cpu, field, n), field->size);
}

static u64 hash_field(const struct cpu *cpu, const struct state_field *field, unsigned int n,
		      u64 hash)
{
	const u8 *from = place(cpu, field, n);
	unsigned int i;

	if (field->size <= sizeof(u64))
		return ls_hash_word(hash, state_value(cpu, field, n));
	for (i = 0; i < field->size; i += sizeof(u64))
		hash = ls_hash_word(hash, load_bytes(from + i, field->size - i));
	return hash;
}

u64 cpu_state_hash(struct cpu *cpu, u64 hash)
{
	unsigned int i, n;

	pmu_look(cpu);
	for (i = 0; i < state_field_count; i++)
		for (n = 0; n == 0 || n < state_fields[i].count; n++)
			hash = hash_field(cpu, &state_fields[i], n, hash);
	return hash;
}

/* --- KVM's structs --- */

/* The two structs for segments and control registers begin alike. */
_Static_assert(offsetof(struct kvm_sregs, apic_base) == offsetof(struct kvm_sregs2, apic_base),
	       "rows with a place in SREGS also serve struct kvm_sregs2");

static void rights_to_kvm(u32 rights, struct kvm_segment *to)
{
	to->type = rights & SEG_TYPE;
	to->s = (rights & SEG_S) != 0;
	to->dpl = (rights & SEG_DPL) >> SEG_DPL_SHIFT;
	to->present = (rights & SEG_P) != 0;
	to->avl = (rights & SEG_AVL) != 0;
	to->l = (rights & SEG_L) != 0;
	to->db = (rights & SEG_DB) != 0;
	to->g = (rights & SEG_G) != 0;
	to->unusable = (rights & SEG_UNUSABLE) != 0;
}

static u32 rights_of_kvm(const struct kvm_segment *from)
{
	return (from->type & SEG_TYPE) | (from->s ? SEG_S : 0) |
	       ((u32)from->dpl << SEG_DPL_SHIFT & SEG_DPL) | (from->present ? SEG_P : 0) |
	       (from->avl ? SEG_AVL : 0) | (from->l ? SEG_L : 0) | (from->db ? SEG_DB : 0) |
	       (from->g ? SEG_G : 0) | (from->unusable || !from->present ? SEG_UNUSABLE : 0);
}

void state_store_kvm(const struct cpu *cpu, enum state_struct in, void *to)
{
	unsigned int i;

	for (i = 0; i < state_field_count; i++) {
		const struct state_field *field = &state_fields[i];
		u64 value;

		if (field->in != in)
			continue;
		value = state_value(cpu, field, 0);
		if (field->rights)
			rights_to_kvm((u32)value, (void *)((u8 *)to + field->kvm_offset));
		else
			__builtin_memcpy((u8 *)to + field->kvm_offset, &value, field->kvm_size);
	}
}

void state_load_kvm(struct cpu *cpu, enum state_struct in, const void *from)
{
	unsigned int i;

	for (i = 0; i < state_field_count; i++) {
		const struct state_field *field = &state_fields[i];
		const u8 *source = (const u8 *)from + field->kvm_offset;
		u64 value;

		if (field->in != in || field->get)
			continue;
		value = field->rights ? rights_of_kvm((const void *)source)
				      : load_bytes(source, field->kvm_size);
		__builtin_memcpy((u8 *)cpu + field->offset, &value, field->size);
	}
}
