/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/written.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/internal.h"

#define PAGE 4096u
/* 4096 entries: KVM keeps some 600 of them for what one exit may add. */
#define RING_BYTES 65536u

#define SLOT(gfn) ((gfn)->slot % MEMORY_SPACE)

bool written_on(const struct machine *machine)
{
	return machine->config.state_hash_every || machine->config.log_written;
}

/* --- the pages that were written --- */

static uint64_t page_count(const struct machine *machine, unsigned int ram)
{
	return machine->memory.ram[ram].size / PAGE;
}

static size_t word_count(const struct machine *machine, unsigned int ram)
{
	return (size_t)(page_count(machine, ram) + 63) / 64;
}

static int prepare(struct machine *machine)
{
	struct written *written = &machine->written;
	size_t most = 0;

	if (written->log)
		return 0;
	for (unsigned int ram = 0; ram < 2; ram++) {
		size_t words = word_count(machine, ram);

		written->pages[ram] = calloc(words ? words : 1, sizeof(uint64_t));
		if (!written->pages[ram])
			return -ENOMEM;
		most = words > most ? words : most;
	}
	written->log = malloc(most * sizeof(uint64_t));
	return written->log ? 0 : -ENOMEM;
}

static void note_page(struct machine *machine, unsigned int ram, uint64_t page)
{
	if (ram < 2 && page < page_count(machine, ram))
		machine->written.pages[ram][page / 64] |= UINT64_C(1) << page % 64;
}

void written_note(struct machine *machine, uint64_t gpa, uint64_t len)
{
	unsigned int ram = gpa >= MEMORY_HIGH_START;
	uint64_t first = gpa - machine->memory.ram[ram].gpa;

	if (!written_on(machine) || prepare(machine))
		return;
	for (uint64_t page = first / PAGE; page <= (first + len - 1) / PAGE; page++)
		note_page(machine, ram, page);
}

/* --- by the log --- */

/* The slots are numbered in the order in which memory_create made them. */
static int collect_log_of(struct machine *machine, unsigned int space)
{
	struct written *written = &machine->written;
	struct kvm_dirty_log log = {.slot = space * MEMORY_SPACE, .dirty_bitmap = written->log};
	int ret = 0;

	for (unsigned int ram = 0; ram < 2 && ret >= 0; ram++) {
		if (!machine->memory.ram[ram].size)
			continue;
		ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_GET_DIRTY_LOG, &log);
		for (size_t i = 0; i < word_count(machine, ram) && ret >= 0; i++)
			written->pages[ram][i] |= written->log[i];
		log.slot++;
	}
	return ret;
}

static int collect_log(struct machine *machine)
{
	int ret = 0;

	for (unsigned int space = 0; space < memory_spaces(machine) && ret >= 0; space++)
		ret = collect_log_of(machine, space);
	return ret;
}

/* --- by rings --- */

/* api.rst 8.29: entries are taken in order, and are KVM's again once they say so. */
static void collect_ring(struct vcpu *vcpu)
{
	struct written_ring *ring = &vcpu->written;
	uint32_t size = vcpu->machine->written.ring_size;

	for (;; ring->next++) {
		struct kvm_dirty_gfn *entry = &ring->entries[ring->next % size];

		if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY))
			return;
		note_page(vcpu->machine, SLOT(entry), entry->offset);
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	}
}

static void collect_rings(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		if (machine->vcpus[i].written.entries)
			collect_ring(&machine->vcpus[i]);
}

static int collect(struct machine *machine)
{
	int ret = prepare(machine);

	if (ret || !machine->written.ring_size)
		return ret ? ret : collect_log(machine);
	collect_rings(machine);
	return 0;
}

/* What was taken of them is KVM's again, and its pages are guarded. */
static int reset_rings(struct machine *machine)
{
	return machine->written.ring_size
		       ? ls_ioctl(machine->engine, machine->vm, KVM_RESET_DIRTY_RINGS, 0)
		       : 0;
}

int written_collect(struct machine *machine)
{
	int ret = collect(machine);

	if (ret >= 0)
		ret = reset_rings(machine);
	return ret < 0 ? ret : 0;
}

/* --- pages that stay told --- */

static int keep_log(struct machine *machine)
{
	const struct kvm_enable_cap keep = {.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
					    .args = {KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE}};

	return ls_ioctl(machine->engine, LS_SYSTEM, KVM_CHECK_EXTENSION, keep.cap) > 0
		       ? ls_ioctl_ptr(machine->engine, machine->vm, KVM_ENABLE_CAP, &keep)
		       : -ENOTSUP;
}

int machine_written_keep(struct machine *machine)
{
	int ret = machine->written.ring_size ? 0 : keep_log(machine);

	machine->written.keep = ret >= 0;
	return ret < 0 ? ret : 0;
}

static int clear_log(struct machine *machine)
{
	struct written *written = &machine->written;
	struct kvm_clear_dirty_log all = {.dirty_bitmap = written->log};
	int ret = 0;

	for (unsigned int ram = 0; ram < 2 && ret >= 0; ram++) {
		if (!machine->memory.ram[ram].size)
			continue;
		all.num_pages = (uint32_t)page_count(machine, ram);
		memset(written->log, 0xff, word_count(machine, ram) * sizeof(uint64_t));
		ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_CLEAR_DIRTY_LOG, &all);
		all.slot++;
	}
	return ret;
}

int machine_written_restart(struct machine *machine)
{
	int ret;

	machine_lock(machine);
	ret = collect(machine);
	if (ret >= 0)
		ret = machine->written.ring_size ? reset_rings(machine) : clear_log(machine);
	for (unsigned int ram = 0; ram < 2 && ret >= 0; ram++)
		memset(machine->written.pages[ram], 0, word_count(machine, ram) * sizeof(uint64_t));
	machine_unlock(machine);
	return ret < 0 ? ret : 0;
}

/* --- which of them --- */

/* Entries of a ring; 0: the engine has none. */
static uint32_t enable_rings(struct machine *machine)
{
	struct ls_engine *engine = machine->engine;
	int most = ls_ioctl(engine, LS_SYSTEM, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING);
	uint32_t size = most > 0 && (uint32_t)most < RING_BYTES ? (uint32_t)most : RING_BYTES;
	const struct kvm_enable_cap enable = {.cap = KVM_CAP_DIRTY_LOG_RING, .args = {size}};

	if (most <= 0 || !engine->ops->mmap_at ||
	    ls_ioctl_ptr(engine, machine->vm, KVM_ENABLE_CAP, &enable) < 0)
		return 0;
	return size / (uint32_t)sizeof(struct kvm_dirty_gfn);
}

int written_start(struct machine *machine, struct ls_error *err)
{
	enum machine_dirty wanted = machine->config.dirty;

	machine->written.ring_size =
		written_on(machine) && wanted != MACHINE_DIRTY_LOG ? enable_rings(machine) : 0;
	if (!written_on(machine) || wanted != MACHINE_DIRTY_RING || machine->written.ring_size)
		return 0;
	return ls_error_set(err, -ENOTSUP,
			    "engine %s has no dirty rings (KVM_CAP_DIRTY_LOG_RING); use its log",
			    machine->engine->ops->name);
}

static size_t ring_bytes(const struct vcpu *vcpu)
{
	return vcpu->machine->written.ring_size * sizeof(struct kvm_dirty_gfn);
}

int written_start_vcpu(struct vcpu *vcpu, struct ls_error *err)
{
	struct ls_engine *engine = vcpu->machine->engine;

	if (!vcpu->machine->written.ring_size)
		return 0;
	vcpu->written.entries = engine->ops->mmap_at(
		engine, vcpu->fd, (size_t)KVM_DIRTY_LOG_PAGE_OFFSET * PAGE, ring_bytes(vcpu));
	return vcpu->written.entries
		       ? 0
		       : ls_error_set(err, -ENOMEM, "cannot map the dirty ring of vCPU %u",
				      vcpu->index);
}

void written_end_vcpu(struct vcpu *vcpu)
{
	if (vcpu->written.entries)
		munmap(vcpu->written.entries, ring_bytes(vcpu));
	vcpu->written.entries = NULL;
}

void written_free(struct machine *machine)
{
	struct written *written = &machine->written;

	for (unsigned int ram = 0; ram < 2; ram++) {
		free(written->pages[ram]);
		written->pages[ram] = NULL;
	}
	free(written->log);
	written->log = NULL;
}

/* --- for whoever asks --- */

static void tell(struct machine *machine, unsigned int ram,
		 void (*page)(void *opaque, uint64_t gpa, const uint8_t *bytes), void *opaque)
{
	const struct memory_slot *slot = &machine->memory.ram[ram];

	for (size_t word = 0; word < word_count(machine, ram); word++) {
		uint64_t bits = machine->written.pages[ram][word];

		if (!machine->written.keep)
			machine->written.pages[ram][word] = 0;
		for (; bits; bits &= bits - 1) {
			uint64_t at = (word * 64 + (unsigned int)__builtin_ctzll(bits)) * PAGE;

			recording_note(machine, slot->gpa + at, slot->host + at);
			history_note(machine, slot->gpa + at);
			page(opaque, slot->gpa + at, slot->host + at);
		}
	}
}

int machine_written(struct machine *machine,
		    void (*page)(void *opaque, uint64_t gpa, const uint8_t *bytes), void *opaque)
{
	int ret;

	machine_lock(machine);
	ret = machine->written.keep ? collect(machine) : written_collect(machine);
	for (unsigned int ram = 0; ram < 2 && ret >= 0; ram++)
		tell(machine, ram, page, opaque);
	machine_unlock(machine);
	return ret < 0 ? ret : 0;
}
