/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/internal.h"
#include "machine/snapshot.h"

unsigned int memory_spaces(const struct machine *machine)
{
	int count = ls_ioctl(machine->engine, LS_SYSTEM, KVM_CHECK_EXTENSION,
			     KVM_CAP_MULTI_ADDRESS_SPACE);

	return count > 1 ? (unsigned int)count : 1;
}

static int memory_add_slot(struct machine *machine, const struct memory_slot *slot, uint32_t flags,
			   struct ls_error *err)
{
	struct kvm_userspace_memory_region region = {
		.slot = machine->memory.next_slot++,
		.flags = flags,
		.guest_phys_addr = slot->gpa,
		.memory_size = slot->size,
		.userspace_addr = (uintptr_t)slot->host,
	};
	int ret = 0;

	for (unsigned int space = 0; space < memory_spaces(machine) && ret >= 0; space++) {
		ret = ls_ioctl_ptr(machine->engine, machine->vm, KVM_SET_USER_MEMORY_REGION,
				   &region);
		region.slot += MEMORY_SPACE;
	}
	if (ret < 0)
		return ls_error_set(err, ret,
				    "the engine refused a memory slot of 0x%" PRIx64
				    " bytes at 0x%" PRIx64 ": %s",
				    slot->size, slot->gpa, strerror(-ret));
	return 0;
}

static int memory_map_new(struct memory_slot *slot, struct ls_error *err)
{
	void *host = mmap(NULL, slot->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (host == MAP_FAILED)
		return ls_error_set(err, -ENOMEM,
				    "cannot map %" PRIu64
				    " MiB of guest memory: %s; give the machine less",
				    slot->size >> 20, strerror(errno));
	slot->host = host;
	return 0;
}

int memory_map_file(const struct snapshot *snapshot, struct memory_slot *slot, struct ls_error *err)
{
	const struct snapshot_range *ranges;
	unsigned int count = snapshot_ranges(snapshot, &ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (ranges[i].gpa != slot->gpa || ranges[i].size != slot->size)
			continue;
		slot->host = snapshot_map(snapshot, &ranges[i], err);
		return slot->host ? 0 : -ENOMEM;
	}
	return ls_error_set(err, -EINVAL, "the snapshot has no memory at 0x%" PRIx64, slot->gpa);
}

static int memory_map(struct machine *machine, struct memory_slot *slot, struct ls_error *err)
{
	if (machine->image)
		return memory_map_file(machine->config.snapshot, slot, err);
	return memory_map_new(slot, err);
}

static uint32_t ram_flags(const struct machine *machine)
{
	return written_on(machine) ? KVM_MEM_LOG_DIRTY_PAGES : 0;
}

/* The firmware of a snapshot ends at 4 GiB. */
static int memory_map_saved_rom(struct machine *machine, struct ls_error *err)
{
	struct memory_slot *rom = &machine->memory.rom;
	const struct snapshot_range *ranges;
	unsigned int count = snapshot_ranges(machine->config.snapshot, &ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (ranges[i].gpa + ranges[i].size != MEMORY_HIGH_START)
			continue;
		rom->gpa = ranges[i].gpa;
		rom->size = ranges[i].size;
		rom->host = snapshot_map(machine->config.snapshot, &ranges[i], err);
		return rom->host ? memory_add_slot(machine, rom, KVM_MEM_READONLY, err) : -ENOMEM;
	}
	return 0;
}

int memory_create(struct machine *machine, struct ls_error *err)
{
	struct memory *memory = &machine->memory;
	uint64_t size = machine->config.memory;
	int ret;

	if (size < MACHINE_MIN_MEMORY || size > 1ull << 40 || size & 0xfff)
		return ls_error_set(err, -EINVAL,
				    "memory of %" PRIu64 " bytes is not possible; give a multiple "
				    "of 4 KiB from 2 MiB to 1 TiB",
				    size);
	memory->ram[0].size = size < MEMORY_LOW_END ? size : MEMORY_LOW_END;
	memory->ram[1].gpa = MEMORY_HIGH_START;
	memory->ram[1].size = size - memory->ram[0].size;
	for (int i = 0; i < 2; i++) {
		struct memory_slot *ram = &memory->ram[i];

		if (!ram->size)
			continue;
		ret = memory_map(machine, ram, err);
		if (!ret)
			ret = memory_add_slot(machine, ram, ram_flags(machine), err);
		if (ret)
			return ret;
	}
	return machine->image ? memory_map_saved_rom(machine, err) : 0;
}

int memory_attach(struct machine *machine, struct ls_error *err)
{
	struct memory *memory = &machine->memory;
	int ret = 0;

	memory->next_slot = 0;
	for (int i = 0; i < 2 && !ret; i++) {
		if (memory->ram[i].host)
			ret = memory_add_slot(machine, &memory->ram[i], ram_flags(machine), err);
	}
	if (!ret && memory->rom.host)
		ret = memory_add_slot(machine, &memory->rom, KVM_MEM_READONLY, err);
	return ret;
}

int memory_map_rom(struct machine *machine, const void *image, uint64_t size, struct ls_error *err)
{
	struct memory_slot *rom = &machine->memory.rom;
	int ret;

	if (rom->host) /* a reset: contents cannot have changed */
		return 0;
	rom->gpa = MEMORY_HIGH_START - size;
	rom->size = size;
	ret = memory_map_new(rom, err);
	if (ret)
		return ret;
	memcpy(rom->host, image, size);
	return memory_add_slot(machine, rom, KVM_MEM_READONLY, err);
}

void memory_destroy(struct machine *machine)
{
	struct memory_slot *slots[] = {&machine->memory.ram[0], &machine->memory.ram[1],
				       &machine->memory.rom};

	for (size_t i = 0; i < 3; i++) {
		if (slots[i]->host)
			munmap(slots[i]->host, slots[i]->size);
		slots[i]->host = NULL;
	}
	written_free(machine);
	state_hash_free(machine);
	history_free(machine);
}

static void *slot_ptr(const struct memory_slot *slot, uint64_t gpa, uint64_t len)
{
	uint64_t offset = gpa - slot->gpa;

	if (gpa < slot->gpa || offset >= slot->size || len > slot->size - offset)
		return NULL;
	return slot->host + offset;
}

void *machine_memory_ptr(struct machine *machine, uint64_t gpa, uint64_t len)
{
	void *low = slot_ptr(&machine->memory.ram[0], gpa, len);

	return low ? low : slot_ptr(&machine->memory.ram[1], gpa, len);
}

void machine_memory_written(struct machine *machine, uint64_t gpa, uint64_t len)
{
	const struct ls_extension *ext = machine_ext(machine);

	if (!len)
		return;
	if (ext->memory_written)
		ext->memory_written(machine->engine, machine->vm, gpa, len);
	else
		written_note(machine, gpa, len);
}

int machine_dma_read(struct machine *machine, uint64_t gpa, void *to, uint64_t len)
{
	const void *from = machine_memory_ptr(machine, gpa, len);

	if (!from)
		from = slot_ptr(&machine->memory.rom, gpa, len);
	if (!from)
		return -EFAULT;
	memcpy(to, from, len);
	return 0;
}

int machine_dma_write(struct machine *machine, uint64_t gpa, const void *from, uint64_t len)
{
	void *to = machine_memory_ptr(machine, gpa, len);

	if (!to)
		return -EFAULT;
	memcpy(to, from, len);
	machine_memory_written(machine, gpa, len);
	return 0;
}

int machine_dma_zero(struct machine *machine, uint64_t gpa, uint64_t len)
{
	void *to = machine_memory_ptr(machine, gpa, len);

	if (!to)
		return -EFAULT;
	memset(to, 0, len);
	machine_memory_written(machine, gpa, len);
	return 0;
}

uint64_t machine_memory_low(struct machine *machine)
{
	return machine->memory.ram[0].size;
}

uint64_t machine_memory_high(struct machine *machine)
{
	return machine->memory.ram[1].size;
}
