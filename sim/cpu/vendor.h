/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with VMX or SVM does beyond one without: the interpreter asks its model through
 * one struct of operations, chosen with the CPU model. Everything here is asked only while
 * cpu->guest or cpu->arbitrates says so; outside, virtualization costs nothing.
 */
#ifndef LOCKSTEP_SIM_CPU_VENDOR_H
#define LOCKSTEP_SIM_CPU_VENDOR_H

#include "sim/cpu/op.h"

enum intercept {
#define INTERCEPT(identifier, info) INTERCEPT_##identifier,
#include "sim/cpu/intercepts.def"
#undef INTERCEPT
	INTERCEPT_COUNT,
};

/* The info of INTERCEPT_IO. */
#define INTERCEPT_IO_PORT      UINT64_C(0xffff)
#define INTERCEPT_IO_SIZE      UINT64_C(0x70000) /* in bytes */
#define INTERCEPT_IO_IN        BIT(20)
#define INTERCEPT_IO_STRING    BIT(21)
#define INTERCEPT_IO_IMMEDIATE BIT(22) /* the port is in the instruction, not in DX */

/* How a control register is reached. */
enum cr_access { CR_MOV, CR_CLTS, CR_LMSW, CR_SMSW };

/* The instructions of the extensions themselves. */
enum vendor_instruction {
	VENDOR_VMCALL,
	VENDOR_VMMCALL,
	VENDOR_VMRUN,
	VENDOR_VMLOAD,
	VENDOR_VMSAVE,
	VENDOR_STGI,
	VENDOR_CLGI,
	VENDOR_INVLPGA,
	VENDOR_SKINIT,
	VENDOR_VMXON,
	VENDOR_VMXOFF,
	VENDOR_VMCLEAR,
	VENDOR_VMPTRLD,
	VENDOR_VMPTRST,
	VENDOR_VMREAD,
	VENDOR_VMWRITE,
	VENDOR_VMLAUNCH,
	VENDOR_VMRESUME,
	VENDOR_VMFUNC,
	VENDOR_INVEPT,
	VENDOR_INVVPID,
};

/* An access to the page at cpu->apic_access_end. */
enum vendor_access {
	VENDOR_READ,
	VENDOR_WRITE,
	VENDOR_MODIFY, /* a read for which a write is to follow */
	VENDOR_FETCH,
};

/* What is to become of a guest's access to a register of the x2APIC. */
enum vendor_msr {
	VENDOR_MSR_AS_EVER,
	VENDOR_MSR_DONE,
	VENDOR_MSR_REFUSED, /* #GP(0) */
};

/* What is to become of an event at the moment at which it would be taken. */
enum vendor_gate {
	GATE_OPEN, /* it is taken as ever */
	GATE_HELD, /* it waits */
	GATE_DONE, /* it is dealt with: a VM exit, or redirected */
};

/* Where events of the models' own stand among the others (SDM 3A:7.9, table 7-2; 3C:26.2, 3C:27.7;
 * APM 2:15.21). */
enum vendor_stage {
	STAGE_FIRST,           /* before SMI and INIT: TPR below threshold, APIC-write exits */
	STAGE_BEFORE_TRAP,     /* monitor trap flag */
	STAGE_AFTER_TRAP,      /* VMX-preemption timer, NMI windows, virtual NMIs */
	STAGE_AFTER_NMI,       /* interrupt windows, VMX's virtual interrupts */
	STAGE_AFTER_INTERRUPT, /* SVM's virtual interrupts */
};

struct vendor_ops {
	const char *name;
	size_t state_size; /* of what cpu->virtualization points to */
	/* Called with RESET (and INIT: @init). */
	void (*reset)(struct cpu *cpu, bool init);
	/* A startup IPI is taken. May be NULL. */
	void (*startup)(struct cpu *cpu);

	/* --- instructions --- */
	/* One of the extension's own. Returns the RIP at which to go on, which may be another
	 * world's; raises what the manuals say. */
	u64 (*instruction)(struct cpu *cpu, const struct op *op, enum vendor_instruction which);
	/* While cpu->guest: comes back if the guest may execute @op. Else vendor_exit, or raises.
	 */
	void (*intercept)(struct cpu *cpu, const struct op *op, enum intercept what, u64 info);
	/* MOV from CR0, 2, 3, 4 and 8, SMSW: exits, or returns what the guest sees. */
	u64 (*read_cr)(struct cpu *cpu, const struct op *op, enum cr_access how,
		       unsigned int number);
	/* MOV to these, CLTS, LMSW (with @value as it would be written): exits, or returns true
	 * with the value that goes into the register by the rules for everybody; false if there is
	 * nothing left to do. */
	bool (*write_cr)(struct cpu *cpu, const struct op *op, enum cr_access how,
			 unsigned int number, u64 *value);
	/* MSRs whose access column says VENDOR. False: #GP. */
	bool (*msr_read)(struct cpu *cpu, u32 number, u64 *value, bool host);
	bool (*msr_write)(struct cpu *cpu, u32 number, u64 value, bool host);

	/* RDMSR and WRMSR of 800H to 8FFH by a guest that didn't exit. May be NULL. */
	enum vendor_msr (*x2apic)(struct cpu *cpu, u32 number, u64 *value, bool write);

	/* --- exceptions, while cpu->guest --- */
	/* Of cpu->exception, before it changes CR2, DR6 or memory; once as it came, and once more
	 * if it became #DF. True: the exit is made. */
	bool (*exception)(struct cpu *cpu);
	/* A triple fault, or a machine check without CR4.MCE. True: the exit is made. */
	bool (*shutdown)(struct cpu *cpu);
	/* The second stage refused an access (walk.second tells): does not come back. @access is
	 * SECOND_STAGE_TABLE where there is no linear address, PDPTEs being loaded. */
	void (*second_stage_fault)(struct cpu *cpu, u64 linear, unsigned int access,
				   const struct walk_result *walk);

	/* While cpu->apic_access_end is set. Does the access, or leaves the guest; a write may have
	 * consequences behind the instruction, which then has to run alone. @data is NULL where
	 * nothing is moved: it only may leave. */
	void (*apic_access)(struct cpu *cpu, u64 address, void *data, unsigned int size,
			    enum vendor_access access);

	/* While cpu->locks_watched: the instruction is about to lock the bus. Leaves the guest before
	 * it, or comes back; the instruction runs alone. */
	void (*bus_lock)(struct cpu *cpu);

	/* --- events between instructions, while cpu->arbitrates --- */
	/* EVENT_MACHINE_CHECK, _SMI, _INIT, _SIPI, _NMI. */
	enum vendor_gate (*gate)(struct cpu *cpu, u32 event);
	/* Whether that would be GATE_HELD now; the same with no effect. */
	bool (*holds)(const struct cpu *cpu, u32 event);
	/* An external interrupt is there: instead of RFLAGS.IF and the shadow. */
	enum vendor_gate (*interrupt)(struct cpu *cpu);
	/* The model's own events of that stage. True: one was taken. Called only after
	 * EVENT_VENDOR was posted; what stays due posts it again. */
	bool (*due)(struct cpu *cpu, enum vendor_stage stage);
	/* True if one of these would wake a halted processor. */
	bool (*would_wake)(struct cpu *cpu);

	/* --- for a debugger, while cpu->guest --- */
	/* CR0, CR3, CR4 and EFER as the hypervisor will have them again. */
	void (*host_paging)(const struct cpu *cpu, struct walk_registers *walk);

	/* --- the model's state from outside (only of a processor that has one) --- */
	/* It was set, or all translations were dropped: makes what follows from it. */
	void (*settle)(struct cpu *cpu);
	/* The PAT of the hypervisor, where its guest has one of its own now; else NULL. May be NULL. */
	u64 *(*host_pat)(struct cpu *cpu);
	/* KVM_GET_NESTED_STATE: returns how large it is, and writes it if @room holds it. */
	u32 (*get_nested)(struct cpu *cpu, struct kvm_nested_state *to, u32 room);
	/* KVM_SET_NESTED_STATE. The general registers, control registers, segments and MSRs are a
	 * guest's already, if it has one. 0, or -EINVAL with nothing but the hypervisor left. */
	int (*set_nested)(struct cpu *cpu, const struct kvm_nested_state *from);

	/* --- system management mode --- */
	/* Before the state goes to SMRAM, and behind its return. NULL: nothing to do. */
	void (*enter_smm)(struct cpu *cpu);
	void (*leave_smm)(struct cpu *cpu);

	/* --- exits --- */
	/* The exit that vendor_exit asked for: RIP stands at the instruction that did not run. */
	void (*exit)(struct cpu *cpu);
};

/* A processor that offers neither. */
extern const struct vendor_ops vendor_none;

/*
 * Leaves the instruction in progress (or the event in delivery: then cpu->delivering tells of it)
 * with nothing committed, and has the run loop call the model's exit. What the exit is about the
 * model has noted in its own state.
 */
_Noreturn void vendor_exit(struct cpu *cpu);

/* A VM entry was refused: tells the engine why. */
void vendor_refused(struct cpu *cpu, const char *text);

/* The events that were held back are looked at again: a gate may have opened. */
void vendor_reopen(struct cpu *cpu);

/* In a body: the hypervisor may have taken this instruction from its guest. */
#define INTERCEPT(cpu, op, what, info)                                                             \
	do {                                                                                       \
		if (unlikely((cpu)->guest))                                                        \
			(cpu)->vendor->intercept(cpu, op, INTERCEPT_##what, info);                 \
	} while (0)

#endif
