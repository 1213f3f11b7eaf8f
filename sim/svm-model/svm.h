/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SVM model (APM 2:15): one struct a processor, filled by VMRUN and emptied by #VMEXIT. The
 * VMCB is fetched once, into value[]; what the processor itself brings to the checks stands behind
 * its fields.
 */
#ifndef LOCKSTEP_SIM_SVM_MODEL_SVM_H
#define LOCKSTEP_SIM_SVM_MODEL_SVM_H

#include "mmu/second_stage.h"
#include "sim/cpu/check.h"
#include "sim/cpu/msr.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/svm-model/exit_codes.h"
#include "sim/svm-model/vmcb.h"

/* Inputs of the checks: the VMCB's fields, then what the processor is and does. */
enum svm_input {
	SVM_INPUT_VMCB = VMCB_FIELD_COUNT - 1,
#define SVM_INPUT(identifier, name) SVM_##identifier,
#include "sim/svm-model/check_inputs.def"
#undef SVM_INPUT
	SVM_INPUT_COUNT
};

/* DebugCtl and the records of branches (APM 2:15.23). */
#define SVM_BRANCH_MSRS 5

/* What VMRUN keeps of the host. The manual leaves it open how much of that goes to the host
 * save area in memory (APM 2:15.30.4): nothing does, until an SMI takes the guest's place. */
struct svm_host {
	struct segment segment[4]; /* ES to DS */
	u64 base[4];
	struct descriptor_table gdtr, idtr;
	u64 efer, cr0, cr3, cr4, rflags, rip, rsp, rax, pat;
	u64 s_cet, ssp, isst;
	u64 branch[SVM_BRANCH_MSRS]; /* with LBR virtualization */
	bool step; /* VMRUN ran with RFLAGS.TF: the trap is due when it ends, with the #VMEXIT */
};

/* The exit in the making. */
struct svm_exit {
	u64 code, info1, info2;
	u64 next_rip;
	u64 interrupted; /* EXITINTINFO */
	bool fetch;      /* the guest's instruction bytes are wanted (APM 2:15.8.4) */
};

struct svm {
	u64 value[SVM_INPUT_COUNT];
	u64 vmcb; /* its physical address */
	bool gif;
	u16 pause_left; /* PAUSE filter */
	u64 last_pause; /* TSC */
	struct svm_host host;
	bool interrupted; /* by an SMI, the guest of value[] and this host: they are still RSM's */
	struct svm_exit exit;
	struct second_stage second;
	u32 second_asid;    /* whose walks it remembers */
	u64 avic_written;   /* registers below 400H, a bit each: what follows is yet to be done */
	u64 failures;       /* VMRUNs that a check refused */
	char failure[4096]; /* and why the last of them was */
};

extern const struct vendor_ops svm_ops;

ALWAYS_INLINE struct svm *svm_of(const struct cpu *cpu)
{
	return cpu->virtualization;
}

/* The intercept bit of an exit code below C0H. */
ALWAYS_INLINE bool svm_intercepted(const struct svm *svm, u64 code)
{
	return svm->value[VMCB_CR_INTERCEPTS + code / 32] >> code % 32 & 1;
}

ALWAYS_INLINE bool svm_nested_paging(const struct svm *svm)
{
	return svm->value[VMCB_NP_CONTROL] & NP_ENABLE;
}

ALWAYS_INLINE bool svm_virtual_branches(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_LBRV) && (svm_of(cpu)->value[VMCB_VIRT_EXT] & VIRT_LBR);
}

ALWAYS_INLINE bool svm_masks_interrupts(const struct svm *svm)
{
	return svm->value[VMCB_V_INTR] & V_INTR_MASKING;
}

ALWAYS_INLINE bool svm_has_vgif(const struct svm *svm)
{
	return svm->value[VMCB_V_INTR] & V_GIF_ENABLE;
}

ALWAYS_INLINE bool svm_avic(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_AVIC) && (svm_of(cpu)->value[VMCB_V_INTR] & V_AVIC_ENABLE);
}

ALWAYS_INLINE bool svm_x2avic(const struct cpu *cpu)
{
	return svm_avic(cpu) && cpu_has(cpu, FEATURE_X2AVIC) &&
	       (svm_of(cpu)->value[VMCB_V_INTR] & V_X2AVIC_ENABLE);
}

/* What follows from GIF, the guest and VM_CR; behind it, cpu_update_mode(). Without GIF, breakpoint
 * registers match nothing (APM 2:15.17, table 15-10). */
ALWAYS_INLINE void svm_update_arbitration(struct cpu *cpu)
{
	cpu->arbitrates = cpu->guest || !svm_of(cpu)->gif || (cpu->msr[MSR_VM_CR] & VM_CR_R_INIT);
	cpu->breakpoints_off = !svm_of(cpu)->gif;
}

/* --- instructions.c --- */
u64 svm_instruction(struct cpu *cpu, const struct op *op, enum vendor_instruction which);

/* --- secure_startup.c (APM 2:15.27) --- */
/* SKINIT; returns the loader's entry point. */
u64 svm_skinit(struct cpu *cpu);
/* vendor_ops.startup: after another processor's SKINIT it begins as the loader does. */
void svm_startup(struct cpu *cpu);

/* --- entry.c --- */
/* VMRUN of the VMCB at @vmcb; returns the RIP to go on at. */
u64 svm_enter(struct cpu *cpu, const struct op *op, u64 vmcb);
/* What begins with a guest's run. */
void svm_begin_guest(struct cpu *cpu);
/* The PDPTEs of the guest whose state stands in value[]. */
void svm_load_pdptes(struct cpu *cpu);

/* --- check.c --- */
extern const struct check_table svm_checks;
/* The first rule that the VMCB in force breaks, or NULL. */
const struct check_row *svm_check(struct cpu *cpu);
/* True if a guest whose state stands in value[] passes them, with the host that is kept. */
bool svm_could_resume(struct cpu *cpu);

/* --- record.c: for who watches; @caller: RIP of the VMRUN --- */
void svm_record_entry(struct cpu *cpu, u64 caller);
void svm_record_exit(struct cpu *cpu);
/* @row and all others that fail. */
void svm_record_failures(struct cpu *cpu, struct check_inputs *in, const struct check_row *row);

/* --- model.c --- */
/* Without a guest, GIF set, as after RESET. */
void svm_turn_off(struct cpu *cpu);

/* --- nested_state.c --- */
u32 svm_get_nested(struct cpu *cpu, struct kvm_nested_state *to, u32 room);
int svm_set_nested(struct cpu *cpu, const struct kvm_nested_state *from);

/* --- host.c --- */
void svm_pack_host(const struct svm_host *host, u64 *value);
void svm_unpack_host(struct svm_host *host, const u64 *value);
/* True if the host that is kept could have run VMRUN. */
bool svm_host_valid(const struct cpu *cpu);

/* --- smm.c --- */
void svm_enter_smm(struct cpu *cpu);
void svm_leave_smm(struct cpu *cpu);
/* WRMSR of SMM_CTL; false: #GP. */
bool svm_write_smm_ctl(struct cpu *cpu, u64 value);

/* --- exit.c --- */
/* The guest's state into value[]. */
void svm_save_guest(struct cpu *cpu);
/* #VMEXIT between two instructions. */
void svm_exit(struct cpu *cpu, u64 code, u64 info1, u64 info2);
/* The guest's instruction is left undone; @op is it. */
_Noreturn void svm_leave(struct cpu *cpu, const struct op *op, u64 code, u64 info1, u64 info2);
/* The same for a fault of the second stage; @fetch: the instruction's bytes are wanted. */
_Noreturn void svm_leave_fault(struct cpu *cpu, u64 code, u64 info1, u64 info2, bool fetch);
/* vendor_ops.exit: the world switch of the exit noted. */
void svm_switch_to_host(struct cpu *cpu);
/* vendor_ops.host_paging. */
void svm_host_paging(const struct cpu *cpu, struct walk_registers *walk);
/* VMEXIT_INVALID: the guest has never run. */
void svm_refuse(struct cpu *cpu);
/* The event that was in delivery, as EXITINTINFO has it; 0 if none. */
u64 svm_interrupted(const struct cpu *cpu);

/* --- intercept.c --- */
void svm_intercept(struct cpu *cpu, const struct op *op, enum intercept what, u64 info);
u64 svm_read_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number);
bool svm_write_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number,
		  u64 *value);

/* --- permission.c --- */
/* IOPM and MSRPM: true if the access is intercepted. */
bool svm_port_intercepted(struct cpu *cpu, u16 port, unsigned int size);
bool svm_msr_intercepted(struct cpu *cpu, u32 number, bool write);

/* --- events.c --- */
enum vendor_gate svm_gate(struct cpu *cpu, u32 event);
bool svm_holds(const struct cpu *cpu, u32 event);
enum vendor_gate svm_interrupt(struct cpu *cpu);
bool svm_due(struct cpu *cpu, enum vendor_stage stage);
bool svm_would_wake(struct cpu *cpu);
/* V_INTR or V_NMI, taken or not. */
bool svm_virtual_event_pending(struct cpu *cpu);
bool svm_exception(struct cpu *cpu);
bool svm_shutdown(struct cpu *cpu);
void svm_bus_lock(struct cpu *cpu);
void svm_second_stage_fault(struct cpu *cpu, u64 linear, unsigned int access,
			    const struct walk_result *walk);

/* --- inject.c --- */
/* EVENTINJ's event is made the first thing that the guest meets. */
void svm_inject(struct cpu *cpu);

/* --- segments.c --- */
void svm_load_segment(struct cpu *cpu, enum segment_index index, const u64 *fields);
void svm_save_segment(const struct cpu *cpu, enum segment_index index, u64 *fields);
/* The same for one that is kept elsewhere. */
void svm_unpack_segment(struct segment *segment, u64 *base, enum segment_index index,
			const u64 *fields);
void svm_pack_segment(const struct segment *segment, u64 base, u64 *fields);
/* Addresses are made canonical, not checked (APM 2:15.5.1). */
u64 svm_canonical(const struct cpu *cpu, u64 address);

/* --- branches.c: LBR virtualization (APM 2:15.23) --- */
void svm_enter_branches(struct cpu *cpu);
void svm_leave_branches(struct cpu *cpu);

#endif
