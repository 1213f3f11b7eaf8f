/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a machine holds but its memory: in KVM's words, which any engine takes, beside them
 * those of the engine's own (extension.h: state_save), and its devices' records. What a hand-over
 * between engines carries, and a snapshot's file keeps.
 */
#ifndef LOCKSTEP_MACHINE_IMAGE_H
#define LOCKSTEP_MACHINE_IMAGE_H

#include "record/record.h"

#include <lockstep/engine.h>

struct machine;
struct vcpu_state;
struct chip_state;

#define IMAGE_ENGINE_ROOM 32

/* In the engine's own words; no bytes: it has none. */
struct own_words {
	void *bytes;
	size_t size;
};

struct machine_image {
	char engine[IMAGE_ENGINE_ROOM];
	uint64_t time; /* guest time, in ns */
	unsigned int vcpu_count;
	struct vcpu_state **vcpus;
	struct own_words *own; /* the VM's, then each vCPU's */
	struct chip_state *chips;
	struct record_buffer devices;
};

/* While nothing runs, between two instructions of every vCPU. */
int machine_image_capture(struct machine *machine, struct machine_image *image,
			  struct ls_error *err);
/* Into a machine of the same configuration whose vCPUs have the image's CPUID. Memory is what it
 * was. */
int machine_image_apply(struct machine *machine, const struct machine_image *image,
			struct ls_error *err);
/* For the machine that it is of: what other engines would need goes. */
void machine_image_keep_own(struct machine_image *image);
/* Bytes that it then takes. */
size_t machine_image_size(const struct machine_image *image);
void machine_image_free(struct machine_image *image);

const struct kvm_cpuid2 *machine_image_cpuid(const struct machine_image *image, unsigned int vcpu);
/* Whether the machine's engine can show the guest these processors: 0, or -ENOTSUP. */
int machine_image_check_cpu(struct machine *machine, const struct machine_image *image,
			    struct ls_error *err);

/* As a file has it: vCPUs and chips, and devices apart. */
void machine_image_encode(struct record_buffer *to, const struct machine_image *image);
int machine_image_decode(struct record_reader *from, struct machine_image *image,
			 struct ls_error *err);

#endif
