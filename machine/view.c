/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/view.h"

#include "machine/internal.h"
#include "machine/nested.h"

#define PAGE 4096u

unsigned int machine_level(struct machine *machine, unsigned int vcpu)
{
	const struct ls_extension *ext = machine_ext(machine);
	struct vcpu *of = &machine->vcpus[vcpu];

	if (ext->vcpu_level)
		return ext->vcpu_level(machine->engine, of->fd);
	return nested_in_guest(of) ? 2 : 1;
}

/* KVM knows the level that runs, and what that one takes for physical only if it is the first. */
static bool translate_by_kvm(struct machine *machine, const struct machine_view *view,
			     unsigned int running, uint64_t address, uint64_t *gpa)
{
	struct kvm_translation translation = {.linear_address = address};
	int fd = machine->vcpus[view->vcpu].fd;

	if (view->physical) {
		*gpa = address;
		return view->level == 1 || running == 1;
	}
	if (view->level && view->level != running)
		return false;
	if (ls_ioctl_ptr(machine->engine, fd, KVM_TRANSLATE, &translation) < 0)
		return false;
	*gpa = translation.physical_address;
	return translation.valid;
}

bool machine_view_translate(struct machine *machine, const struct machine_view *view,
			    uint64_t address, uint64_t *gpa)
{
	const struct ls_extension *ext = machine_ext(machine);
	unsigned int running = machine_level(machine, view->vcpu);

	if (!ext->vcpu_translate)
		return translate_by_kvm(machine, view, running, address, gpa);
	return !ext->vcpu_translate(machine->engine, machine->vcpus[view->vcpu].fd,
				    view->level ? view->level : running, !view->physical, address,
				    gpa);
}

static size_t in_page(uint64_t address, size_t n)
{
	size_t left = PAGE - address % PAGE;

	return n < left ? n : left;
}

size_t machine_view_read(struct machine *machine, const struct machine_view *view, uint64_t address,
			 void *to, size_t n)
{
	size_t done = 0, piece;
	uint64_t gpa;

	for (; done < n; done += piece) {
		piece = in_page(address + done, n - done);
		if (!machine_view_translate(machine, view, address + done, &gpa) ||
		    machine_dma_read(machine, gpa, (uint8_t *)to + done, piece))
			break;
	}
	return done;
}

size_t machine_view_write(struct machine *machine, const struct machine_view *view,
			  uint64_t address, const void *from, size_t n)
{
	size_t done = 0, piece;
	uint64_t gpa;

	for (; done < n; done += piece) {
		piece = in_page(address + done, n - done);
		if (!machine_view_translate(machine, view, address + done, &gpa) ||
		    machine_dma_write(machine, gpa, (const uint8_t *)from + done, piece))
			break;
	}
	return done;
}
