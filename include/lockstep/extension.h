/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What KVM's ABI has no word for. Every member may be NULL: an engine offers what it can, and
 * its user does without the rest.
 */
#ifndef LOCKSTEP_EXTENSION_H
#define LOCKSTEP_EXTENSION_H

#include <stdbool.h>

#include <lockstep/clock.h>
#include <lockstep/engine.h>
#include <lockstep/trace.h>

/*
 * Exit reason of a bounded KVM_RUN whose bound was reached: see vcpu_run_until. Outside KVM's
 * own numbers (KVM_EXIT_* of Linux ends below 64).
 */
#define LS_EXIT_BOUND 0x4c530001u
/* The vCPU met a shutdown condition (triple fault) is KVM_EXIT_SHUTDOWN, as KVM's. */

/* What kvm_debug_exit_arch.exception tells of stops at vcpu_break's places, beyond the vectors. */
#define LS_DEBUG_VM_ENTRY 0x100u
#define LS_DEBUG_VM_EXIT  0x101u

/* What a vCPU has counted since it was created. */
struct ls_vcpu_stats {
	uint64_t instructions;	/* retired; a REP instruction counts once */
	uint64_t interrupts;	/* external interrupts and NMIs delivered */
	uint64_t exceptions;	/* faults, traps and aborts delivered */
	uint64_t page_walks;	/* guest page walks made */
	uint64_t tlb_lookups;	/* translations asked of the second-level TLB */
	uint64_t tlb_hits;	/* of these, answered without a walk */
	uint64_t traces_built;	/* pre-decoded traces made */
	uint64_t traces_dropped; /* of these, invalidated by a write to their page */
	uint64_t exits;		/* returns of KVM_RUN */
};

/* One table behind `lockstep list`. Rows are printed in order; every row has `columns` cells. */
struct ls_table {
	const char *name;	   /* as `lockstep list` takes it: "checks", "cpus" … */
	unsigned int columns;
	const char *const *titles; /* column titles, lower case, fit for JSON keys */
	size_t rows;
	/* Returns the cell's text; owned by the engine, valid until the next call. */
	const char *(*cell)(struct ls_engine *engine, size_t row, unsigned int column);
};

/* An instruction as the engine's own table has it. The strings are the table's. */
struct ls_instruction {
	const char *mnemonic, *encoding; /* as in `lockstep list opcodes`; NULL: there is none */
	unsigned int length;
	uint64_t undefined; /* arithmetic flags in RFLAGS that it leaves undefined */
	bool varies;        /* its result is left to the implementation, as RCPPS's */
	char manual[48];    /* where the manual has it */
};

/* A VMCS or VMCB that somebody printed or kept: those of its fields that are known. */
struct ls_dump_field {
	uint32_t field; /* the encoding in a VMCS, the offset in a VMCB */
	uint64_t value;
	const char *name;
};
struct ls_dump {
	bool svm;	    /* it is of a VMCB */
	const char *format; /* "a dump of kvm_intel or Xen" */
	unsigned int count;
	const struct ls_dump_field *fields;
};

struct ls_extension {
	/* It runs code of level 3 alone, and what leads from there to a handler's first instruction:
	 * neither interrupts nor their chips, no MSRs, one vCPU. */
	bool user_only;

	/* --- time ---
	 * The VM's clock. The engine's chips arm timers on it; the machine's may too. */
	struct ls_clock *(*vm_clock)(struct ls_engine *engine, int vm);
	/* Earliest armed deadline in ns, LS_NEVER if none. */
	uint64_t (*clock_next_deadline)(struct ls_engine *engine, int vm);
	/* Moves the VM's clock forward to @now (never back) and fires what is due. A halted
	 * vCPU's local time follows. */
	void (*clock_advance)(struct ls_engine *engine, int vm, uint64_t now);

	/* --- bounded runs ---
	 * Local time of a vCPU in ns: VM time when it last started plus its own instructions. */
	uint64_t (*vcpu_time)(struct ls_engine *engine, int vcpu);
	/* Until the bound is taken away with LS_NEVER, KVM_RUN returns with LS_EXIT_BOUND at the
	 * exact instruction at which the vCPU's local time reaches @until, or the earliest armed
	 * deadline if that comes first; and HLT with nothing pending returns KVM_EXIT_HLT instead
	 * of blocking. */
	int (*vcpu_run_until)(struct ls_engine *engine, int vcpu, uint64_t until);
	/* With @on, runs of this vCPU move the VM's clock to deadlines of the engine's own chips and
	 * go on. Bounded ones, of a vCPU beside which none could run (it is the VM's only one), end
	 * at those of user space's timers only; unbounded ones take the clock along as they go. */
	int (*vcpu_drive_clock)(struct ls_engine *engine, int vcpu, bool on);
	/* @fn is called, on a vCPU's thread, when time needs user space: the last vCPU that ran
	 * without a bound begins to wait, or one that drives the clock has come to a deadline of
	 * user space's timers. NULL: no longer. While no vCPU runs. */
	void (*vm_watch_time)(struct ls_engine *engine, int vm, void (*fn)(void *opaque),
			      void *opaque);
	/* Stops with LS_EXIT_BOUND after exactly @n more retired instructions; LS_NEVER: no limit.
	 * Works beside vcpu_run_until. */
	int (*vcpu_limit)(struct ls_engine *engine, int vcpu, uint64_t n);
	/* True if KVM_RUN would execute or deliver something now (not halted, not waiting for
	 * SIPI, or halted with an event to take). */
	bool (*vcpu_runnable)(struct ls_engine *engine, int vcpu);

	/* --- state ---
	 * All that a VM (but its memory) or a vCPU holds, in words of the engine's own, from which a
	 * run goes on to the byte as it would have. Between two instructions, with no access
	 * unanswered. Loading is into a VM of the same kind, first the VM's state, then its vCPUs'. */
	/* Returns bytes to free(), or NULL with *err filled. */
	void *(*state_save)(struct ls_engine *engine, int handle, size_t *size,
			    struct ls_error *err);
	int (*state_load)(struct ls_engine *engine, int handle, const void *bytes, size_t size,
			  struct ls_error *err);

	/* --- memory ---
	 * User space wrote guest memory [gpa, gpa + len) itself (DMA, loader, debugger). */
	void (*memory_written)(struct ls_engine *engine, int vm, uint64_t gpa, uint64_t len);

	/* --- for a debugger ---
	 * Whose registers the vCPU has: 1, or 2 while a guest of the hypervisor in the machine runs. */
	unsigned int (*vcpu_level)(struct ls_engine *engine, int vcpu);
	/* Where an address is in the machine's physical memory, for the software of @level, 1 or not
	 * above vcpu_level: a linear one, or one that it takes for physical. Changes nothing. -EFAULT:
	 * nowhere. */
	int (*vcpu_translate)(struct ls_engine *engine, int vcpu, unsigned int level, bool linear,
			      uint64_t address, uint64_t *gpa);
	/* From here on KVM_RUN returns with KVM_EXIT_DEBUG also behind each entry of such a guest,
	 * and each exit. Not while it runs. */
	int (*vcpu_break)(struct ls_engine *engine, int vcpu, bool vm_entry, bool vm_exit);
	/* And, as a #DB, before each instruction that begins at this address of the machine's physical
	 * memory, by whatever linear address and at whatever level; the next run goes over it.
	 * UINT64_MAX: nowhere. */
	int (*vcpu_break_physical)(struct ls_engine *engine, int vcpu, uint64_t gpa);

	/* --- traces ---
	 * From here on the vCPU, which must not be running, writes the events that @sink wants, as
	 * far as the engine can produce them; NULL: none. Call it again after a change of
	 * sink->events. */
	int (*vcpu_trace)(struct ls_engine *engine, int vcpu, struct ls_trace_sink *sink);

	/* --- refused VM entries ---
	 * @fn is called, on a vCPU's thread, with a line for each VM entry of a hypervisor in the
	 * guest that a rule of the architecture refused: which, what it found and wanted, and all
	 * others that are broken. NULL: no longer. While no vCPU runs. */
	void (*vm_watch_refusals)(struct ls_engine *engine, int vm,
				  void (*fn)(void *opaque, unsigned int vcpu, const char *text),
				  void *opaque);

	/* What @bytes begin with in the mode that the vCPU is in. */
	int (*vcpu_instruction)(struct ls_engine *engine, int vcpu, const uint8_t *bytes,
				unsigned int size, struct ls_instruction *instruction);

	/* --- tables, models, parameters, figures --- */
	const struct ls_table *(*table)(struct ls_engine *engine, const char *name);
	/* Builds the CPUID leaves for @spec (NULL: the engine's first model), "NAME[,+feature,-feature,key=value...]", for vCPU
	 * number @index of @count. @cpuid->nent holds the room on entry, the number on return. */
	int (*cpu_model)(struct ls_engine *engine, const char *spec, unsigned int index,
			 unsigned int count, struct kvm_cpuid2 *cpuid, struct ls_error *err);
	/* What KVM_SET_MSRS has to tell a vCPU of @spec beside its CPUID leaves: the registers that
	 * say what it offers. @msrs->nmsrs holds the room on entry, the number on return. */
	int (*cpu_model_msrs)(struct ls_engine *engine, const char *spec, struct kvm_msrs *msrs,
			      struct ls_error *err);
	/* Calls @msr for each MSR of a processor with these leaves, with its value after RESET. 0,
	 * or -ENOMEM. */
	int (*cpuid_msrs)(struct ls_engine *engine, const struct kvm_cpuid2 *cpuid,
			  void (*msr)(void *opaque, uint32_t number, uint64_t value), void *opaque);
	/* Module parameters, by KVM's names (`lockstep list params`). Before KVM_CREATE_VM. */
	int (*set_param)(struct ls_engine *engine, const char *name, const char *value,
			 struct ls_error *err);
	/* Says which checks the control block dumped in @data fails (text or binary, with a NUL
	 * behind its @size bytes), on the processor @spec, NULL for one that offers everything.
	 * Returns a string to free(), or NULL. */
	char *(*explain)(struct ls_engine *engine, const char *spec, const char *data, size_t size,
			 struct ls_error *err);
	/* The two halves of that. Calls @found with each dump in @data. -EINVAL: there is none. */
	int (*dump_read)(struct ls_engine *engine, const char *data, size_t size,
			 void (*found)(void *opaque, const struct ls_dump *dump), void *opaque,
			 struct ls_error *err);
	char *(*dump_explain)(struct ls_engine *engine, const char *spec,
			      const struct ls_dump *const *dumps, size_t count,
			      struct ls_error *err);
	int (*vcpu_stats)(struct ls_engine *engine, int vcpu, struct ls_vcpu_stats *stats);
	/* Adds every architectural register of the vCPU, in the order of `lockstep list state`, to
	 * @hash (hash.h). The vCPU must not be running. */
	uint64_t (*vcpu_state_hash)(struct ls_engine *engine, int vcpu, uint64_t hash);
	/* Human-readable dump for the monitor: @what is "registers", "tlb", "apic", "vmx" or "svm". Returns a
	 * string to free(), or NULL if it does not know @what. */
	char *(*vcpu_info)(struct ls_engine *engine, int vcpu, const char *what);
};

#endif
