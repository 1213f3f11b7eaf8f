/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/image.h"

#include <stdlib.h>
#include <string.h>

#include "machine/chip_state.h"
#include "machine/cpu_model.h"
#include "machine/doorbell.h"
#include "machine/host_clock.h"
#include "machine/internal.h"
#include "machine/parts.h"
#include "machine/vcpu_state.h"

/* --- the machine's own part, and its devices' --- */

static const struct record_field machine_fields[] = {
	RECORD_FIELD(struct machine, wires_up),
	RECORD_FIELD(struct machine, suspended),
	RECORD_FIELD(struct machine, quiet_since),
	RECORD_FIELD(struct machine, turns.next),
	RECORD_FIELD(struct machine, turns.dead_since),
	RECORD_FIELD(struct machine, turns.executed),
	RECORD_FIELD(struct machine, turns.cut),
	RECORD_FIELD(struct machine, turns.end),
	RECORD_FIELD(struct machine, turns.began),
	RECORD_FIELD(struct machine, turn),
	RECORD_FIELD(struct machine, state_hash.last),
	RECORD_FIELD(struct machine, state_hash.value),
	RECORD_FIELD(struct machine, ports.unclaimed),
	RECORD_FIELD(struct machine, mmio.unclaimed),
};
static const struct record_table machine_table = {
	.name = "machine", .version = 1, RECORD_FIELDS(machine_fields)};

static struct parts machine_parts(struct machine *machine)
{
	struct parts parts = {0};

	parts_add(&parts, &machine_table, machine, "machine");
	for (size_t i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		if (device->state)
			parts_add(&parts, device->state, device->opaque, "%s", device->name);
		if (device->add_parts)
			device->add_parts(device->opaque, &parts);
	}
	return parts;
}

/* --- processors --- */

const struct kvm_cpuid2 *machine_image_cpuid(const struct machine_image *image, unsigned int vcpu)
{
	return vcpu < image->vcpu_count ? vcpu_state_cpuid(image->vcpus[vcpu]) : NULL;
}

int machine_image_check_cpu(struct machine *machine, const struct machine_image *image,
			    struct ls_error *err)
{
	/* What it has shown before it shows again. */
	if (!strcmp(image->engine, machine->engine->ops->name) && machine_ext(machine)->cpu_model)
		return 0;
	return cpu_model_check(machine, machine_image_cpuid(image, 0), err);
}

/* --- out of a machine --- */

static int image_new(struct machine_image *image, unsigned int vcpus, struct ls_error *err)
{
	image->vcpus = calloc(vcpus, sizeof(*image->vcpus));
	image->own = calloc(vcpus + 1, sizeof(*image->own));
	image->chips = chip_state_new();
	if (!image->vcpus || !image->own || !image->chips)
		return ls_error_set(err, -ENOMEM, "no memory for the machine's state");
	for (; image->vcpu_count < vcpus; image->vcpu_count++) {
		image->vcpus[image->vcpu_count] = vcpu_state_new();
		if (!image->vcpus[image->vcpu_count])
			return ls_error_set(err, -ENOMEM, "no memory for the vCPUs' state");
	}
	return 0;
}

static int capture_own(struct machine *machine, int handle, struct own_words *own,
		       struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);

	if (!ext->state_save)
		return 0;
	own->bytes = ext->state_save(machine->engine, handle, &own->size, err);
	return own->bytes ? 0 : ls_error_set(err, -EIO, "the engine does not save its state");
}

static int capture_vcpu(struct vcpu *vcpu, struct vcpu_state *state, struct own_words *own,
			struct ls_error *err)
{
	int ret = vcpu_state_save(vcpu, state, err);

	return ret ? ret : capture_own(vcpu->machine, vcpu->fd, own, err);
}

/* Nothing hangs in the air: accesses, requests that wait in a doorbell, and the interrupts that
 * answer both, which may go to any vCPU. */
static void settle(struct machine *machine)
{
	machine_settle(machine);
	machine_lock(machine);
	doorbells_settle(machine);
	routes_settle(machine);
	if (written_on(machine))
		written_collect(machine); /* for a machine that goes on on another engine */
	machine_unlock(machine);
}

int machine_image_capture(struct machine *machine, struct machine_image *image,
			  struct ls_error *err)
{
	struct parts parts;
	int ret = image_new(image, machine->vcpu_count, err);

	if (ret)
		return ret;
	snprintf(image->engine, sizeof(image->engine), "%s", machine->engine->ops->name);
	settle(machine);
	for (unsigned int i = 0; i < machine->vcpu_count && !ret; i++)
		ret = capture_vcpu(&machine->vcpus[i], image->vcpus[i], &image->own[1 + i], err);
	if (ret)
		return ret;
	machine_lock(machine);
	image->time = machine->clock->now(machine->clock);
	chip_state_read(machine, image->chips);
	ret = capture_own(machine, machine->vm, &image->own[0], err);
	parts = machine_parts(machine);
	parts_encode(&image->devices, &parts);
	parts_free(&parts);
	machine_unlock(machine);
	if (!ret && image->devices.failed)
		ret = ls_error_set(err, -ENOMEM, "no memory for the devices' state");
	return ret;
}

/* --- and into one --- */

/* What the same engine has saved it knows to the letter. */
static bool has_own(struct machine *machine, const struct machine_image *image)
{
	return machine_ext(machine)->state_load && image->own[0].bytes &&
	       !strcmp(image->engine, machine->engine->ops->name);
}

static int apply_own(struct machine *machine, const struct machine_image *image,
		     struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);
	int ret = ext->state_load(machine->engine, machine->vm, image->own[0].bytes,
				  image->own[0].size, err);

	for (unsigned int i = 0; i < image->vcpu_count && !ret; i++)
		ret = ext->state_load(machine->engine, machine->vcpus[i].fd,
				      image->own[1 + i].bytes, image->own[1 + i].size, err);
	return ret;
}

static int apply_kvm(struct machine *machine, const struct machine_image *image,
		     struct ls_error *err)
{
	const struct ls_extension *ext = machine_ext(machine);
	int ret = 0;

	if (machine->host_clock)
		host_clock_set(machine->host_clock, image->time);
	else
		ext->clock_advance(machine->engine, machine->vm, image->time);
	chip_state_write_clock(machine, image->chips);
	for (unsigned int i = 0; i < image->vcpu_count && !ret; i++)
		ret = vcpu_state_load(&machine->vcpus[i], image->vcpus[i], err);
	/* After the local APICs: an I/O APIC sends again what is due. */
	if (!ret)
		chip_state_write(machine, image->chips);
	return ret;
}

/* Who looks whether anything could wake a vCPU asks its run page, which only KVM_RUN fills in. */
static void show_if_flag(struct vcpu *vcpu)
{
	struct kvm_regs regs = {0};

	ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_GET_REGS, &regs);
	vcpu->run->if_flag = regs.rflags >> 9 & 1;
}

int machine_image_apply(struct machine *machine, const struct machine_image *image,
			struct ls_error *err)
{
	struct record_reader devices = {image->devices.bytes, image->devices.size};
	struct parts parts;
	int ret;

	if (image->vcpu_count != machine->vcpu_count)
		return ls_error_set(err, -EINVAL, "there is the state of %u vCPUs, not of %u",
				    image->vcpu_count, machine->vcpu_count);
	machine_lock(machine);
	ret = has_own(machine, image) ? apply_own(machine, image, err)
				      : apply_kvm(machine, image, err);
	for (unsigned int i = 0; i < machine->vcpu_count; i++)
		show_if_flag(&machine->vcpus[i]);
	if (!ret) {
		parts = machine_parts(machine);
		ret = parts_decode(&devices, &parts, machine->clock, err);
		parts_free(&parts);
	}
	machine_unlock(machine);
	return ret;
}

void machine_image_keep_own(struct machine_image *image)
{
	for (unsigned int i = 0; i < image->vcpu_count; i++) {
		free(image->vcpus[i]);
		image->vcpus[i] = NULL;
	}
	free(image->chips);
	image->chips = NULL;
}

size_t machine_image_size(const struct machine_image *image)
{
	size_t size = sizeof(*image) + image->devices.size;

	for (unsigned int i = 0; i <= image->vcpu_count; i++)
		size += image->own[i].size;
	return size;
}

void machine_image_free(struct machine_image *image)
{
	for (unsigned int i = 0; i < image->vcpu_count; i++)
		free(image->vcpus[i]);
	for (unsigned int i = 0; image->own && i <= image->vcpu_count; i++)
		free(image->own[i].bytes);
	free(image->vcpus);
	free(image->own);
	free(image->chips);
	record_buffer_free(&image->devices);
	*image = (struct machine_image){0};
}

/* --- as bytes --- */

static void encode_own(struct record_buffer *to, const struct own_words *own)
{
	record_put_u64(to, own->size);
	record_put(to, own->bytes, own->size);
}

void machine_image_encode(struct record_buffer *to, const struct machine_image *image)
{
	record_put_string(to, image->engine);
	record_put_u64(to, image->time);
	record_put_u64(to, image->vcpu_count);
	record_encode(to, &chip_state_table, image->chips);
	encode_own(to, &image->own[0]);
	for (unsigned int i = 0; i < image->vcpu_count; i++) {
		record_encode(to, &vcpu_state_table, image->vcpus[i]);
		encode_own(to, &image->own[1 + i]);
	}
}

static int decode_own(struct record_reader *from, struct own_words *own, struct ls_error *err)
{
	const void *bytes = NULL;
	uint64_t size;

	if (record_take_u64(from, &size))
		bytes = record_take(from, size);
	if (!bytes)
		return ls_error_set(err, -EINVAL, "the engine's state ends early");
	if (!size)
		return 0;
	own->bytes = malloc(size);
	own->size = size;
	if (!own->bytes)
		return ls_error_set(err, -ENOMEM, "no memory for the engine's state");
	memcpy(own->bytes, bytes, size);
	return 0;
}

int machine_image_decode(struct record_reader *from, struct machine_image *image,
			 struct ls_error *err)
{
	uint64_t vcpus;
	int ret;

	if (!record_take_string(from, image->engine, sizeof(image->engine)) ||
	    !record_take_u64(from, &image->time) || !record_take_u64(from, &vcpus) || !vcpus ||
	    vcpus > MACHINE_MAX_VCPUS)
		return ls_error_set(err, -EINVAL, "the vCPUs' state makes no sense");
	ret = image_new(image, (unsigned int)vcpus, err);
	/* No table of an image has timers: they need no clock. */
	if (!ret)
		ret = record_decode(from, &chip_state_table, image->chips, NULL, err);
	if (!ret)
		ret = decode_own(from, &image->own[0], err);
	for (unsigned int i = 0; i < vcpus && !ret; i++) {
		ret = record_decode(from, &vcpu_state_table, image->vcpus[i], NULL, err);
		if (!ret)
			ret = decode_own(from, &image->own[1 + i], err);
	}
	return ret;
}
