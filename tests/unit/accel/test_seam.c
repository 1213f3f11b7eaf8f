/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What code above the seam builds on, as Linux's Documentation/virt/kvm/api.rst has it: the same
 * expectations of sim and, with LOCKSTEP_ENGINE=kvm on a host that has one, of a real KVM. What an
 * engine does not offer is left out, as above the seam.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/sim/kvm_rig.h"

#define PAGES      (KVM_MEMORY / 4096)
#define DIRTY_PAGE 5
#define RING_BYTES 4096u
#define NO_MSR     0x4b564dffu /* nothing's: beyond KVM's own range of 4B564D00H */

static bool offers(struct kvm_rig *rig, unsigned long cap)
{
	return ls_ioctl(rig->engine, LS_SYSTEM, KVM_CHECK_EXTENSION, cap) > 0;
}

static int enable(struct kvm_rig *rig, uint32_t cap, uint64_t argument)
{
	struct kvm_enable_cap enable = {.cap = cap, .args = {argument}};

	return kvm_call(rig, KVM_ENABLE_CAP, &enable);
}

static void log_dirty(struct kvm_rig *rig)
{
	struct kvm_userspace_memory_region region = {.flags = KVM_MEM_LOG_DIRTY_PAGES,
						     .memory_size = KVM_MEMORY,
						     .userspace_addr = (uintptr_t)rig->memory};

	CHECK_EQUAL(kvm_call(rig, KVM_SET_USER_MEMORY_REGION, &region), 0);
}

/* movb %al, 0x5000; hlt */
#define STORE_AND_HALT 0xa2, 0x00, 0x50, 0xf4

/* 4.8: a bit for each page written since the last call. A KVM may take the page of the code for
 * written, too; none that the guest has not touched. */
static void test_dirty_log(void)
{
	uint8_t bitmap[PAGES / 8] = {0};
	struct kvm_dirty_log log = {.dirty_bitmap = bitmap};
	struct kvm_rig rig;

	kvm_open(&rig, NULL, false);
	log_dirty(&rig);
	kvm_code(&rig, CODE, STORE_AND_HALT);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_call(&rig, KVM_GET_DIRTY_LOG, &log), 0);
	CHECK_EQUAL(bitmap[0] & ~(1 << CODE / 4096), 1 << DIRTY_PAGE);
	for (unsigned int i = 1; i < PAGES / 8; i++)
		CHECK_EQUAL(bitmap[i], 0);
	CHECK_EQUAL(kvm_call(&rig, KVM_GET_DIRTY_LOG, &log), 0);
	CHECK_EQUAL(bitmap[0], 0);
	kvm_close(&rig);
}

/* Takes what is in the ring from @next on, and returns how often the page was among it. */
static unsigned int harvest(struct kvm_dirty_gfn *ring, unsigned int *next)
{
	unsigned int times = 0;

	for (; ring[*next].flags == KVM_DIRTY_GFN_F_DIRTY;
	     ring[(*next)++].flags = KVM_DIRTY_GFN_F_RESET)
		times += ring[*next].offset == DIRTY_PAGE;
	return times;
}

/* 8.29: the vCPU's ring tells of a page once until KVM_RESET_DIRTY_RINGS. */
static void test_dirty_ring(void)
{
	struct kvm_dirty_gfn *ring;
	struct kvm_rig rig;
	unsigned int next = 0;

	kvm_open_with(&rig, NULL, false, KVM_CAP_DIRTY_LOG_RING, RING_BYTES);
	if (!offers(&rig, KVM_CAP_DIRTY_LOG_RING)) {
		kvm_close(&rig);
		return;
	}
	log_dirty(&rig);
	ring = rig.engine->ops->mmap_at(rig.engine, rig.vcpu, KVM_DIRTY_LOG_PAGE_OFFSET * 4096,
					RING_BYTES);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	kvm_code(&rig, CODE, STORE_AND_HALT, 0xeb, 0xfa); /* and again */
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(harvest(ring, &next), 1);
	CHECK_EQUAL(kvm_call(&rig, KVM_RESET_DIRTY_RINGS, NULL), next);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(harvest(ring, &next), 1);
	munmap(ring, RING_BYTES);
	kvm_close(&rig);
}

/* 7.26: an MSR that is none's goes to user space, whose answer the guest gets. */
static void test_msr_exit(void)
{
	struct kvm_rig rig;

	kvm_open(&rig, NULL, false);
	CHECK_EQUAL(enable(&rig, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_UNKNOWN), 0);
	kvm_code(&rig, CODE, 0x66, 0xb9, 0xff, 0x4d, 0x56, 0x4b, /* mov $NO_MSR, %ecx */
		 0x0f, 0x32, 0xf4);                              /* rdmsr; hlt */
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_X86_RDMSR);
	CHECK_EQUAL(rig.run->msr.reason, KVM_MSR_EXIT_REASON_UNKNOWN);
	CHECK_EQUAL(rig.run->msr.index, NO_MSR);
	rig.run->msr.data = 0x1234567890abcdef;
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	CHECK_EQUAL(kvm_regs(&rig).rax, 0x90abcdef);
	CHECK_EQUAL(kvm_regs(&rig).rdx, 0x12345678);
	kvm_close(&rig);
}

/* 4.97: a filter takes an MSR of the processor's from the guest; here all from 174H to 176H. */
static void test_msr_filter(void)
{
	static uint8_t none[1];
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			      .base = 0x174,
			      .nmsrs = 3,
			      .bitmap = none}};
	struct kvm_rig rig;

	kvm_open(&rig, NULL, false);
	CHECK_EQUAL(enable(&rig, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER), 0);
	CHECK_EQUAL(kvm_call(&rig, KVM_X86_SET_MSR_FILTER, &filter), 0);
	kvm_code(&rig, CODE, 0x66, 0xb9, 0x75, 0x01, 0x00, 0x00, /* mov $0x175, %ecx */
		 0x0f, 0x30, 0xf4);                              /* wrmsr; hlt */
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_X86_WRMSR);
	CHECK_EQUAL(rig.run->msr.reason, KVM_MSR_EXIT_REASON_FILTER);
	CHECK_EQUAL(rig.run->msr.index, 0x175);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	kvm_close(&rig);
}

/* 4.87: KVM_GUESTDBG_SINGLESTEP. */
static void test_single_step(void)
{
	struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};
	struct kvm_rig rig;

	kvm_open(&rig, NULL, false);
	kvm_code(&rig, CODE, 0x90, 0x40, 0x40, 0xf4); /* nop; inc %ax; inc %ax; hlt */
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_SET_GUEST_DEBUG, &debug), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_DEBUG);
		CHECK_EQUAL(rig.run->debug.arch.pc, CODE + i);
		CHECK_EQUAL(kvm_regs(&rig).rip, CODE + i);
	}
	CHECK_EQUAL(kvm_regs(&rig).rax & 0xffff, 2);
	kvm_close(&rig);
}

static void *kick_later(void *opaque)
{
	struct kvm_rig *rig = opaque;

	usleep(20000);
	rig->engine->ops->kick(rig->engine, rig->vcpu);
	return NULL;
}

/* engine.h: a kick ends the run, and only that one. */
static void test_kick(void)
{
	struct kvm_rig rig;
	pthread_t thread;

	kvm_open(&rig, NULL, false);
	kvm_code(&rig, CODE, 0xeb, 0xfe, 0xf4); /* jmp .; hlt */
	CHECK_EQUAL(pthread_create(&thread, NULL, kick_later, &rig), 0);
	CHECK_EQUAL(kvm_vcpu_call(&rig, KVM_RUN, NULL), -EINTR);
	pthread_join(thread, NULL);
	CHECK_EQUAL(kvm_regs(&rig).rip, CODE);
	kvm_set_rip(&rig, CODE + 2);
	CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
	kvm_close(&rig);
}

/* 4.59: a port whose writes raise an eventfd, without an exit. */
static void test_ioeventfd(void)
{
	struct kvm_ioeventfd event = {.addr = 0x510,
				      .len = 1,
				      .fd = eventfd(0, EFD_NONBLOCK),
				      .flags = KVM_IOEVENTFD_FLAG_PIO};
	struct kvm_rig rig;
	uint64_t times = 0;

	kvm_open(&rig, NULL, false);
	if (offers(&rig, KVM_CAP_IOEVENTFD)) {
		kvm_code(&rig, CODE, 0xba, 0x10, 0x05, 0xee, 0xee, 0xf4); /* out twice; hlt */
		CHECK_EQUAL(kvm_call(&rig, KVM_IOEVENTFD, &event), 0);
		CHECK_EQUAL(kvm_run(&rig), KVM_EXIT_HLT);
		CHECK_EQUAL(read(event.fd, &times, sizeof(times)), sizeof(times));
		CHECK_EQUAL(times, 2);
	}
	close(event.fd);
	kvm_close(&rig);
}

/* 4.75: irqfd raises a GSI; here the 8259's input 3, whose vector the guest takes. */
static void test_irqfd(void)
{
	struct kvm_irqfd irqfd = {.gsi = 3, .fd = (uint32_t)eventfd(0, EFD_NONBLOCK)};
	struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_PIC_MASTER};
	uint64_t one = 1;
	struct kvm_rig rig;

	kvm_open(&rig, NULL, true);
	if (offers(&rig, KVM_CAP_IRQFD)) {
		CHECK_EQUAL(kvm_call(&rig, KVM_GET_IRQCHIP, &chip), 0);
		CHECK_EQUAL(kvm_call(&rig, KVM_IRQFD, &irqfd), 0);
		CHECK_EQUAL(write((int)irqfd.fd, &one, sizeof(one)), sizeof(one));
		usleep(20000); /* the kernel passes it on by itself */
		CHECK_EQUAL(kvm_call(&rig, KVM_GET_IRQCHIP, &chip), 0);
		CHECK_EQUAL(chip.chip.pic.irr & 1 << 3, 1 << 3);
	}
	close((int)irqfd.fd);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"dirty log", test_dirty_log},
	{"dirty ring", test_dirty_ring},
	{"an unknown MSR goes to user space", test_msr_exit},
	{"a filtered MSR goes to user space", test_msr_filter},
	{"single steps", test_single_step},
	{"a kick ends a run", test_kick},
	{"ioeventfd", test_ioeventfd},
	{"irqfd", test_irqfd},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("accel/seam", tests)
