/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/shared_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static int memory_share(struct shared_memory *memory, uint8_t *at, uint64_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) || pwrite(fd, at, size, 0) != (ssize_t)size ||
	    mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		rc = -errno;
	memory->seen = rc ? NULL : malloc(size);
	if (!memory->seen) {
		close(fd);
		return rc ? rc : -ENOMEM;
	}
	memcpy(memory->seen, at, size);
	memory->fd = fd;
	memory->base = at;
	memory->size = size;
	return 0;
}

int shared_memory_set(struct shared_memory *memory,
		      const struct kvm_userspace_memory_region *region)
{
	uint8_t *at = (uint8_t *)region->userspace_addr;

	if (!region->memory_size)
		return 0;
	if (memory->base && memory->base == at)
		return region->memory_size == memory->size ? 0 : -EINVAL;
	if (memory->base || region->guest_phys_addr || region->memory_size & 0xfffff ||
	    region->flags & KVM_MEM_READONLY)
		return -EINVAL;
	return memory_share(memory, at, region->memory_size);
}

int shared_memory_dirty_log(struct shared_memory *memory, const struct kvm_dirty_log *log)
{
	uint8_t *bitmap = log->dirty_bitmap;

	if (log->slot || !memory->base)
		return -ENOENT;
	memset(bitmap, 0, (memory->size / PAGE + 63) / 64 * 8);
	for (uint64_t page = 0; page < memory->size / PAGE; page++) {
		const uint8_t *now = memory->base + page * PAGE;
		uint8_t *before = memory->seen + page * PAGE;

		if (!memcmp(now, before, PAGE))
			continue;
		memcpy(before, now, PAGE);
		bitmap[page / 8] |= (uint8_t)(1 << page % 8);
	}
	return 0;
}

void shared_memory_free(struct shared_memory *memory)
{
	if (memory->base)
		close(memory->fd);
	free(memory->seen);
	*memory = (struct shared_memory){0};
}
