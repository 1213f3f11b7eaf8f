/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's objects: what handles stand for. */
#ifndef LOCKSTEP_SIM_VM_H
#define LOCKSTEP_SIM_VM_H

#include <pthread.h>
#include <semaphore.h>

#include <lockstep/extension.h>

#include "apic/bus.h"
#include "apic/ioapic.h"
#include "apic/lapic.h"
#include "apic/pic.h"
#include "apic/pit.h"
#include "apic/routing.h"
#include "sim/clock.h"
#include "sim/cpu/cpu.h"
#include "sim/cpu/params.h"
#include "sim/vm_lock.h"

#define SIM_VCPUS_MAX	255
#define SIM_HANDLES_MAX 1024
#define SIM_RUN_BYTES	8192 /* struct kvm_run, and a page behind it for port data */
#define SIM_PIO_OFFSET	4096
#define SHOOTDOWNS_MAX	32

struct vm;
struct vcpu;

enum sim_handle_kind { HANDLE_FREE, HANDLE_VM, HANDLE_VCPU };

struct sim_handle {
	enum sim_handle_kind kind;
	void *object;
};

struct sim_engine {
	struct ls_engine base;
	struct sim_params params;
	pthread_mutex_t lock; /* guards handle[] */
	struct sim_handle handle[SIM_HANDLES_MAX];
	struct ls_table table; /* of `lockstep list`, the one asked for last */
	char cell[1024];
};

/* What another vCPU wants done to this one's TLB and traces. */
struct shootdown {
	u64 gpa;
	bool drop; /* drop the page's traces and end its monitors; else only take write permission */
};

struct vcpu {
	struct cpu cpu;
	struct lapic lapic;
	struct vm *vm;
	unsigned int id;
	struct kvm_run *run;
	bool io_pending; /* the exit in kvm_run waits for its answer */

	/* bounds, in ns of local time and in retired instructions */
	u64 until; /* LS_NEVER: none, and HLT blocks */
	bool drives_clock;
	u64 limit;

	struct ls_timer wait; /* ends MWAIT and its kin: sim/cpu/wait.h */
	struct ls_timer vendor_timer; /* of VMX: cpu_platform.vendor_timer */
	sem_t wake; /* something to look at while halted; posted from signal handlers, too */

	/* under vm->lock */
	bool in_guest;
	bool asleep; /* in KVM_RUN with nothing to do */
	pthread_t runner; /* while it is */
	struct shootdown shootdown[SHOOTDOWNS_MAX];
	unsigned int shootdowns;
	u64 exits;
};

struct vm {
	struct sim_engine *engine;
	struct vm_lock lock;  /* chips, clock, shootdowns */
	pthread_cond_t shot;  /* a vCPU has done its shootdowns or left the guest, or the bus is free */
	struct vcpu *bus_owner; /* nobody else is in the guest; NULL: the bus is free */
	struct slots slots;
	struct sim_clock clock;
	struct vcpu *vcpu[SIM_VCPUS_MAX];
	unsigned int vcpus;
	unsigned int asleep; /* of these */
	struct {
		void (*fn)(void *opaque); /* user space's, of extension.h; NULL: none */
		void *opaque;
	} watch_time;
	struct {
		void (*fn)(void *opaque, unsigned int vcpu, const char *text); /* the same */
		void *opaque;
	} watch_refusals;

	bool irqchip, has_pit;
	bool exception_payload, triple_fault_event; /* KVM_ENABLE_CAP's */
	struct msr_policy *msr_policy;		    /* the newest; vCPUs may still read older ones */
	u32 tsc_khz;				    /* of vCPUs to come; 0: the parameter's */
	s64 clock_offset; /* KVM_SET_CLOCK: added to the VM's time to make KVM_GET_CLOCK's */
	struct apic_bus bus;
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct irq_routing routing;
	struct kvm_irq_routing_entry *routes;
};

/* vm.c */
struct vm *vm_create(struct sim_engine *engine);
void vm_destroy(struct vm *vm);
int vm_ioctl(struct vm *vm, unsigned long request, unsigned long arg);
void vm_memory_written(struct vm *vm, u64 gpa, u64 length);

/* irqchip.c */
int irqchip_create(struct vm *vm);
int irqchip_create_pit(struct vm *vm);
int irqchip_ioctl(struct vm *vm, unsigned long request, unsigned long arg);

/* lapic_owner.c */
extern const struct lapic_ops lapic_owner_ops;

/* platform.c */
extern const struct cpu_platform vcpu_platform;
/* What ends the wait that vcpu->wait is armed for. */
void platform_resume_wait(struct vcpu *vcpu);
/* What vcpu->vendor_timer does. */
void platform_resume_vendor_timer(struct vcpu *vcpu);

/* vcpu.c */
struct vcpu *sim_vcpu_create(struct vm *vm, unsigned int id);
void sim_vcpu_destroy(struct vcpu *vcpu);
int vcpu_ioctl(struct vcpu *vcpu, unsigned long request, unsigned long arg);

/* user_irqchip.c */
int user_irqchip_interrupt(struct vcpu *vcpu, const struct kvm_interrupt *interrupt);
/* Around KVM_RUN: what struct kvm_run tells, and is told. -EINVAL for a CR8 that there is not. */
int user_irqchip_enter(struct vcpu *vcpu);
void user_irqchip_leave(struct vcpu *vcpu);
bool user_irqchip_pending(struct cpu *cpu);
int user_irqchip_acknowledge(struct cpu *cpu);

/* enable_cap.c */
int vm_enable_cap(struct vm *vm, const struct kvm_enable_cap *cap);

/* msr_exits.c */
int msr_exits_enable(struct vm *vm, u64 reasons);
int msr_exits_filter(struct vm *vm, const struct kvm_msr_filter *filter);
void msr_exits_free(struct vm *vm);
void vcpu_show_msr(struct vcpu *vcpu, const struct cpu_io_access *access);

/* sync_regs.c */
/* Around KVM_RUN: -EINVAL for bits that do not exist, or for state that can't be set. */
int sync_regs_enter(struct vcpu *vcpu);
void sync_regs_leave(struct vcpu *vcpu);

/* guest_debug.c */
void vcpu_show_debug(struct vcpu *vcpu);

/* run.c */
int sim_vcpu_run(struct vcpu *vcpu);
bool sim_vcpu_runnable(struct vcpu *vcpu);
u64 sim_vcpu_time(const struct vcpu *vcpu);
/* Wakes a halted vCPU to look at its events; any thread. */
void vcpu_wake(struct vcpu *vcpu);

/* shootdown.c */
void shootdown_others(struct vcpu *vcpu, u64 gpa, bool drop);
void shootdown_apply(struct vcpu *vcpu);
/* The machine wrote @gpa's page: drops its traces everywhere. */
void shootdown_all(struct vm *vm, u64 gpa);

/* bus_lock.c */
/* Under vm->lock: a vCPU enters the guest, when nobody owns the bus. */
void bus_enter(struct vcpu *vcpu);
void bus_leave(struct vcpu *vcpu);
/* Waits until no other vCPU is in the guest, and keeps them out. */
void bus_own(struct vcpu *vcpu);
void bus_give(struct vcpu *vcpu);

/* tables.c */
const struct ls_table *sim_table(struct ls_engine *engine, const char *name);

ALWAYS_INLINE struct vcpu *cpu_vcpu(const struct cpu *cpu)
{
	return cpu->vcpu;
}

#endif
