/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's interprocessor interrupts (APM 2:15.29.6.1): through the tables of its APIC IDs into
 * other backing pages, and by doorbell to who runs there. */
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/platform_lock.h"
#include "sim/svm-model/avic.h"

/* Why one is left to the hypervisor: EXITINFO2[63:32] (table 15-27). */
enum failure { INVALID_TYPE, NOT_RUNNING, INVALID_TARGET, INVALID_BACKING_PAGE, INVALID_VECTOR };

/* Entries of the tables (tables 15-23, 15-24). */
#define PHYSICAL_VALID   BIT(63)
#define PHYSICAL_RUNNING BIT(62)
#define PHYSICAL_BACKING UINT64_C(0xffffffffff000)
#define PHYSICAL_HOST    UINT64_C(0xfff)
#define LOGICAL_VALID    BIT(31)
#define LOGICAL_GUEST    0xffu

#define ICR_STATUS    (1u << 12)
#define ICR_LEVEL     (1u << 15)
#define LOWEST_VECTOR 16
#define XAVIC_LAST    254u /* 255 is a broadcast */
#define CLUSTER_LAST  14u
#define DFR_FLAT      0xfu
#define DFR_CLUSTER   0x0u

struct command {
	struct apic_message message;
	u32 low, high;
	bool broadcast;     /* invalid entries are passed over */
	unsigned int count; /* of those that it may be for, n = 0 .. */
	u32 last;           /* index of the physical table */
};

/* One that it is for. */
struct target {
	u32 index;    /* of its entry in the table that was asked, for EXITINFO2 */
	u64 physical; /* address of the entry in the physical table */
	u64 backing;
};

enum lookup { LOOKUP_NONE, LOOKUP_FOUND, LOOKUP_FAILED };

/* --- the tables --- */

/* The entry of guest @id; LOOKUP_FAILED with @failure. */
static enum lookup find_physical(struct cpu *cpu, const struct command *command, u32 id,
				 struct target *target, enum failure *failure)
{
	u64 table = AVIC_ADDRESS(svm_of(cpu)->value[VMCB_AVIC_PHYSICAL_TABLE]), entry;

	*failure = INVALID_TARGET;
	if (id > command->last)
		return LOOKUP_FAILED;
	target->physical = table + 8 * (u64)id;
	entry = mem_load_physical(cpu, target->physical, 8);
	if (!(entry & PHYSICAL_VALID))
		return command->broadcast ? LOOKUP_NONE : LOOKUP_FAILED;
	target->backing = entry & PHYSICAL_BACKING;
	*failure = INVALID_BACKING_PAGE;
	return target->backing >> cpu->physical_bits ? LOOKUP_FAILED : LOOKUP_FOUND;
}

/* xAVIC: flat or clusters by the backing page's DFR (15.29.5.3). */
static enum lookup find_logical(struct cpu *cpu, const struct command *command, unsigned int n,
				struct target *target, enum failure *failure)
{
	u64 table = AVIC_ADDRESS(svm_of(cpu)->value[VMCB_AVIC_LOGICAL_TABLE]);
	u32 cluster = command->count == 4 ? command->message.destination >> 4 : 0, entry;

	if (!(command->message.destination >> n & 1))
		return LOOKUP_NONE;
	target->index = 4 * cluster + n;
	*failure = INVALID_TARGET;
	if (cluster > CLUSTER_LAST)
		return LOOKUP_FAILED;
	entry = mem_load_physical(cpu, table + 4 * target->index, 4);
	if (!(entry & LOGICAL_VALID))
		return LOOKUP_FAILED;
	return find_physical(cpu, command, entry & LOGICAL_GUEST, target, failure);
}

/* Number @n of those that the command may be for. */
static enum lookup find(struct cpu *cpu, const struct command *command, unsigned int n,
			struct target *target, enum failure *failure)
{
	const struct apic_message *message = &command->message;
	u32 id = message->destination;

	if (!command->broadcast && message->dest_mode == APIC_LOGICAL && !message->wide)
		return find_logical(cpu, command, n, target, failure);
	if (command->broadcast) {
		id = n;
	} else if (message->dest_mode == APIC_LOGICAL) { /* 15.29.5.3: made of the x2APIC ID */
		if (!(id >> n & 1))
			return LOOKUP_NONE;
		id = (id >> 16 << 4) + n;
	}
	target->index = id & 0xfff;
	return find_physical(cpu, command, id, target, failure);
}

/* --- what the command says --- */

static bool is_broadcast(const struct apic_message *message)
{
	return message->shorthand != APIC_SHORTHAND_NONE ||
	       message->destination == (message->wide ? X2APIC_BROADCAST : APIC_BROADCAST);
}

/* How many it may be for; 0: the guest's destination format is none. */
static unsigned int count_of(struct cpu *cpu, const struct command *command)
{
	if (command->broadcast)
		return command->last + 1;
	if (command->message.dest_mode == APIC_PHYSICAL)
		return 1;
	if (command->message.wide)
		return 16;
	switch (apic_page_get(cpu, avic_backing_page(cpu), LAPIC_DFR, 4) >> 28) {
	case DFR_FLAT:
		return 8;
	case DFR_CLUSTER:
		return 4;
	default:
		return 0;
	}
}

static void read_command(struct cpu *cpu, struct command *command)
{
	struct apic_message *message = &command->message;

	lapic_icr_message(command->low, message);
	message->wide = svm_x2avic(cpu);
	message->destination = message->wide ? command->high : command->high >> 24;
	command->last = AVIC_MAX_INDEX(svm_of(cpu)->value[VMCB_AVIC_PHYSICAL_TABLE]);
	if (!message->wide && command->last > XAVIC_LAST)
		command->last = XAVIC_LAST;
	command->broadcast = is_broadcast(message);
	command->count = count_of(cpu, command);
}

/* --- delivery --- */

static bool incomplete(struct cpu *cpu, const struct command *command, enum failure failure,
		       u32 index)
{
	svm_exit(cpu, SVM_EXIT_AVIC_INCOMPLETE_IPI, (u64)command->high << 32 | command->low,
		 (u64)failure << 32 | index);
	return true;
}

/* The request first: who stops running meanwhile will find it. False: it does not run. */
static bool deliver(struct cpu *cpu, const struct target *target, u8 vector)
{
	u64 entry;

	apic_page_set_vector(cpu, target->backing, LAPIC_IRR, vector, true);
	entry = mem_load_physical(cpu, target->physical, 8);
	if (!(entry & PHYSICAL_RUNNING))
		return false;
	platform_lock(cpu);
	cpu_ring_doorbell(cpu, entry & PHYSICAL_HOST);
	platform_unlock(cpu);
	return true;
}

static bool is_for(struct cpu *cpu, const struct command *command, const struct target *target)
{
	return command->message.shorthand != APIC_SHORTHAND_OTHERS ||
	       target->backing != avic_backing_page(cpu);
}

/* All destinations are looked up before any is sent to. */
static bool send_to_targets(struct cpu *cpu, const struct command *command)
{
	struct target target, absent = {0};
	enum failure failure;
	bool missed = false;

	for (unsigned int n = 0; n < command->count; n++)
		if (find(cpu, command, n, &target, &failure) == LOOKUP_FAILED)
			return incomplete(cpu, command, failure, target.index);
	for (unsigned int n = 0; n < command->count; n++) {
		if (find(cpu, command, n, &target, &failure) != LOOKUP_FOUND ||
		    !is_for(cpu, command, &target) ||
		    deliver(cpu, &target, command->message.vector))
			continue;
		absent = missed ? absent : target;
		missed = true;
	}
	return missed && incomplete(cpu, command, NOT_RUNNING, absent.index);
}

/* Fixed and edge-triggered interrupts are the processor's to send, all others the hypervisor's. */
bool avic_send(struct cpu *cpu, u32 low, u32 high)
{
	struct command command = {.low = low, .high = high};

	if (low & ICR_STATUS) /* reads as idle */
		apic_page_set(cpu, avic_backing_page(cpu), LAPIC_ICR, low & ~ICR_STATUS, 4);
	read_command(cpu, &command);
	if (command.message.delivery_mode != APIC_FIXED || (low & ICR_LEVEL) || !command.count)
		return incomplete(cpu, &command, INVALID_TYPE, 0);
	if (command.message.vector < LOWEST_VECTOR)
		return incomplete(cpu, &command, INVALID_VECTOR, 0);
	if (command.message.shorthand != APIC_SHORTHAND_SELF)
		return send_to_targets(cpu, &command);
	apic_page_set_vector(cpu, avic_backing_page(cpu), LAPIC_IRR, command.message.vector, true);
	event_post(cpu, EVENT_VENDOR);
	return false;
}
