/* SPDX-License-Identifier: Apache-2.0 */
#include "accel/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PROBE_SECONDS 1
#define MEMORY_SIZE   0x8000
#define CODE          0x1000
#define DATA          0x2000
#define STAGE         0x4000
#define PAGE_TABLES   0x5000 /* PML4, page directory pointers, page directory */
#define MMIO          0x20000000
#define MMIO_WRITTEN  0x600d
#define MMIO_READ     0xcafe
#define CPUID_ROOM    256

#define CR0_PE_MP_ET_NE 0x33
#define CR0_PG          0x80000000ull
#define CR4_PAE         0x20
#define CR4_OSFXSR      0x200
#define CR4_OSXSAVE     0x40000
#define EFER_LME_LMA    0x500

/* It counts in memory how far it has come: registers are not kept at a shutdown. What fails ends in
 * UD2, without an IDT. */
__asm__(".pushsection .rodata\n"
	"probe_code:\n"
	"	movl $0x4000, %esi\n"
	"	incl (%rsi)\n" /* at CMPXCHG16B */
	"	movl $0x2000, %edi\n"
	"	xorl %eax, %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $5, %ebx\n"
	"	lock cmpxchg16b (%rdi)\n"
	"	jnz 1f\n"
	"	incl (%rsi)\n" /* at XSAVE */
	"	xorl %ecx, %ecx\n"
	"	movl $3, %eax\n"
	"	xsetbv\n"
	"	movl $0x3000, %edi\n"
	"	xsave (%rdi)\n"
	"	xrstor (%rdi)\n"
	"	incl (%rsi)\n" /* at MMIO */
	"	movl $0x20000000, %edi\n"
	"	movl $0x600d, (%rdi)\n"
	"	movl (%rdi), %eax\n"
	"	cmpl $0xcafe, %eax\n"
	"	jne 1f\n"
	"	incl (%rsi)\n" /* at HLT */
	"	hlt\n"
	"1:	ud2\n"
	"probe_code_end:\n"
	".popsection\n");
extern const uint8_t probe_code[], probe_code_end[];

static const char *const stages[] = {"64-bit code at CPL 0", "CMPXCHG16B", "XSAVE and XRSTOR",
				     "an MMIO access", "HLT"};

struct probe {
	struct ls_engine *engine;
	int vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

union probe_cpuid {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_ROOM * sizeof(struct kvm_cpuid_entry2)];
};

static int probe_call(struct probe *probe, int handle, unsigned long request, const char *name,
		      const void *arg, struct ls_error *err)
{
	int ret = ls_ioctl_ptr(probe->engine, handle, request, arg);

	return ret < 0 ? ls_error_set(err, ret, "%s: %s", name, strerror(-ret)) : ret;
}

#define CALL(probe, handle, request, arg, err)                                                     \
	probe_call(probe, handle, request, #request, arg, err)

/* The first GiB one to one, in pages of 2 MiB (SDM 3A:4.5). */
static void probe_fill_memory(struct probe *probe)
{
	uint64_t *tables = (uint64_t *)(probe->memory + PAGE_TABLES);

	memcpy(probe->memory + CODE, probe_code, (size_t)(probe_code_end - probe_code));
	tables[0] = (PAGE_TABLES + 0x1000) | 3;
	tables[512] = (PAGE_TABLES + 0x2000) | 3;
	for (uint64_t i = 0; i < 512; i++)
		tables[1024 + i] = i << 21 | 0x83;
}

static int probe_create_vm(struct probe *probe, struct ls_error *err)
{
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE};

	probe->memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe->memory == MAP_FAILED) {
		probe->memory = NULL;
		return ls_error_set(err, -ENOMEM, "no memory for the probe");
	}
	region.userspace_addr = (uintptr_t)probe->memory;
	probe_fill_memory(probe);
	probe->vm = CALL(probe, LS_SYSTEM, KVM_CREATE_VM, NULL, err);
	if (probe->vm < 0)
		return probe->vm;
	return CALL(probe, probe->vm, KVM_SET_USER_MEMORY_REGION, &region, err);
}

static int probe_set_cpuid(struct probe *probe, struct ls_error *err)
{
	union probe_cpuid *cpuid = calloc(1, sizeof(*cpuid));
	int ret;

	if (!cpuid)
		return ls_error_set(err, -ENOMEM, "no memory for the probe");
	cpuid->head.nent = CPUID_ROOM;
	ret = CALL(probe, LS_SYSTEM, KVM_GET_SUPPORTED_CPUID, cpuid, err);
	if (ret >= 0)
		ret = CALL(probe, probe->vcpu, KVM_SET_CPUID2, cpuid, err);
	free(cpuid);
	return ret;
}

static int probe_set_registers(struct probe *probe, struct ls_error *err)
{
	struct kvm_regs regs = {.rip = CODE, .rflags = 2};
	struct kvm_sregs sregs;
	int ret = CALL(probe, probe->vcpu, KVM_GET_SREGS, &sregs, err);

	if (ret < 0)
		return ret;
	sregs.cs = (struct kvm_segment){.limit = 0xffffffff,
					.selector = 8,
					.type = 0xb,
					.present = 1,
					.s = 1,
					.l = 1,
					.g = 1};
	sregs.ds = sregs.es = sregs.ss = (struct kvm_segment){.limit = 0xffffffff,
							      .selector = 16,
							      .type = 3,
							      .present = 1,
							      .s = 1,
							      .db = 1,
							      .g = 1};
	sregs.cr0 = CR0_PE_MP_ET_NE | CR0_PG;
	sregs.cr3 = PAGE_TABLES;
	sregs.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE;
	sregs.efer = EFER_LME_LMA;
	ret = CALL(probe, probe->vcpu, KVM_SET_SREGS, &sregs, err);
	return ret < 0 ? ret : CALL(probe, probe->vcpu, KVM_SET_REGS, &regs, err);
}

static int probe_create_vcpu(struct probe *probe, struct ls_error *err)
{
	int ret;

	probe->vcpu = CALL(probe, probe->vm, KVM_CREATE_VCPU, NULL, err);
	if (probe->vcpu < 0)
		return probe->vcpu;
	probe->run = probe->engine->ops->mmap(probe->engine, probe->vcpu);
	if (!probe->run)
		return ls_error_set(err, -ENOMEM, "cannot map the probe's run page");
	ret = probe_set_cpuid(probe, err);
	return ret < 0 ? ret : probe_set_registers(probe, err);
}

/* Stops the vCPU when the time is over; twice, for a kick may fall just before an entry. */
static void *probe_watch(void *argument)
{
	struct probe *probe = argument;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PROBE_SECONDS;
	pthread_mutex_lock(&probe->lock);
	while (!probe->done) {
		if (pthread_cond_timedwait(&probe->changed, &probe->lock, &until) != ETIMEDOUT)
			continue;
		__atomic_store_n(&probe->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		probe->engine->ops->kick(probe->engine, probe->vcpu);
		until.tv_nsec += 10000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	}
	pthread_mutex_unlock(&probe->lock);
	return NULL;
}

/* True if the vCPU is to go on. */
static bool probe_take_exit(struct kvm_run *run)
{
	uint32_t value = MMIO_READ, written = 0;

	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != MMIO || run->mmio.len != 4)
		return false;
	memcpy(&written, run->mmio.data, 4);
	if (run->mmio.is_write)
		return written == MMIO_WRITTEN;
	memcpy(run->mmio.data, &value, 4);
	return true;
}

static int probe_judge(struct probe *probe, int ret, struct ls_error *err)
{
	const char *name = probe->engine->ops->name;
	uint32_t stage;

	memcpy(&stage, probe->memory + STAGE, sizeof(stage));
	if (stage >= sizeof(stages) / sizeof(stages[0]))
		stage = 0;
	if (ret == -EINTR)
		return ls_error_set(err, -ETIME, "engine %s did not get past %s in a second", name,
				    stages[stage]);
	if (ret < 0)
		return ls_error_set(err, ret, "engine %s stops at %s: %s", name, stages[stage],
				    strerror(-ret));
	if (probe->run->exit_reason != KVM_EXIT_HLT)
		return ls_error_set(err, -ENOTSUP, "engine %s stops at %s (exit reason %u)", name,
				    stages[stage], probe->run->exit_reason);
	return 0;
}

static int probe_run(struct probe *probe, struct ls_error *err)
{
	pthread_t watch;
	int ret = pthread_create(&watch, NULL, probe_watch, probe);

	if (ret)
		return ls_error_set(err, -ret, "cannot start a thread: %s", strerror(ret));
	do {
		ret = ls_ioctl(probe->engine, probe->vcpu, KVM_RUN, 0);
	} while (ret >= 0 && probe_take_exit(probe->run));
	pthread_mutex_lock(&probe->lock);
	probe->done = true;
	pthread_cond_signal(&probe->changed);
	pthread_mutex_unlock(&probe->lock);
	pthread_join(watch, NULL);
	return probe_judge(probe, ret, err);
}

int accel_probe(struct ls_engine *engine, struct ls_error *err)
{
	struct probe probe = {.engine = engine, .vm = -1, .vcpu = -1};
	int ret;

	pthread_mutex_init(&probe.lock, NULL);
	pthread_cond_init(&probe.changed, NULL);
	ret = probe_create_vm(&probe, err);
	if (ret >= 0)
		ret = probe_create_vcpu(&probe, err);
	if (ret >= 0)
		ret = probe_run(&probe, err);
	if (probe.vcpu >= 0)
		engine->ops->close(engine, probe.vcpu);
	if (probe.vm >= 0)
		engine->ops->close(engine, probe.vm);
	if (probe.memory)
		munmap(probe.memory, MEMORY_SIZE);
	pthread_cond_destroy(&probe.changed);
	pthread_mutex_destroy(&probe.lock);
	return ret;
}
