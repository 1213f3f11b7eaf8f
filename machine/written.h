/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of RAM were written since somebody asked (machine_written). The engine tells by its
 * dirty log (KVM_GET_DIRTY_LOG) or by a ring for each vCPU (KVM_CAP_DIRTY_LOG_RING), whose cost
 * goes with the pages that were written and not with the size of memory.
 */
#ifndef LOCKSTEP_MACHINE_WRITTEN_H
#define LOCKSTEP_MACHINE_WRITTEN_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/error.h>

struct machine;
struct vcpu;
struct kvm_dirty_gfn;

struct written {
	uint32_t ring_size; /* entries; 0: by the log */
	uint64_t *pages[2]; /* of memory.ram: a bit each, since they were last asked for */
	uint64_t *log;      /* room for one of KVM's */
	bool keep;          /* machine_written_keep */
};

struct written_ring {
	struct kvm_dirty_gfn *entries; /* NULL: by the log */
	uint32_t next;
};

/* Whether the config asks for it. */
bool written_on(const struct machine *machine);
/* For a new VM, before its first vCPU; then for each of these. */
int written_start(struct machine *machine, struct ls_error *err);
int written_start_vcpu(struct vcpu *vcpu, struct ls_error *err);
void written_end_vcpu(struct vcpu *vcpu);
/* What the engine can tell it has told: when a ring is full, and before the VM goes. Under the
 * machine lock. 0 or -errno. */
int written_collect(struct machine *machine);
/* The machine's own writes, where the engine cannot be told of them. */
void written_note(struct machine *machine, uint64_t gpa, uint64_t len);
void written_free(struct machine *machine);

#endif
