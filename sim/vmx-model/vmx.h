/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMX model (SDM 3C:24 to 31): one struct a processor. The current VMCS is kept in value[] from
 * VMPTRLD until VMCLEAR or another VMPTRLD puts it back into its region.
 */
#ifndef LOCKSTEP_SIM_VMX_MODEL_VMX_H
#define LOCKSTEP_SIM_VMX_MODEL_VMX_H

#include "mmu/second_stage.h"
#include "sim/cpu/check.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"
#include "sim/cpu/vmx_controls.h"
#include "sim/vmx-model/exit_reasons.h"
#include "sim/vmx-model/vmcs.h"

/* What RFLAGS.RF is in the guest's image (SDM 3C:28.3.3). */
enum vmx_rf { RF_AS_IS, RF_CLEAR, RF_SET };

/* The exit in the making. Fields that it does not bring are 0. */
struct vmx_exit {
	u32 reason;
	u32 length, information; /* of the instruction */
	u32 interruption, error; /* VM-exit interruption information */
	u32 vectoring, vectoring_error;
	u64 qualification, linear, physical;
	u64 pending_debug;
	u8 rf;            /* enum vmx_rf */
	u8 shadow;        /* SHADOW_* that is saved */
	bool keeps_debug; /* comes before a pending #DB, which is saved */
	bool nmi;         /* an NMI: it blocks others, once the host is there */
};

struct vmx {
	u64 value[VMCS_FIELD_COUNT];
	bool on, launched, shadow; /* shadow: the current VMCS is one */
	u64 region;                /* of VMXON */
	u64 current;               /* VMCS_NONE: none */
	/* The controls in force since the last VM entry; 0 where they are not activated. */
	u32 pin, primary, secondary, exit_controls, entry_controls;
	u64 tertiary;
	u64 timer_end;               /* TSC at which the preemption timer reaches 0 */
	u64 pause_first, pause_last; /* TSC, of a PAUSE loop */
	u64 boundary; /* time of the instruction boundary before exceptions in a row */
	struct vmx_exit exit;
	bool virtual_interrupt; /* is recognized */
	bool bus_locked;        /* by the guest, since its instruction began */
	/* The write to the APIC-access page whose emulation is due; size 0: none. */
	struct {
		u16 offset;
		u8 size;
	} apic_write;
	/* A trap-like exit that the virtual APIC asked for; reason 0: none. */
	struct {
		u32 reason;
		u64 qualification;
	} trap;
	/* While in SMM: what RSM goes back to (SDM 3C:32.14.1). */
	struct {
		bool vmxe, on, guest, nmi_virtual, iret_keeps_nmi, trap_due;
		u8 shadow;
		u64 pdpte[4];
	} smm;
	bool judged;        /* an entry passed with the controls and host state as they are */
	u64 failures;       /* VM entries that a check refused */
	char failure[4096]; /* and why the last of them was: explain.h */
	struct second_stage second;
	u64 second_eptp;     /* whose walks it remembers */
	u64 apic_access_end; /* of the last guest whose accesses were virtualized */
};

extern const struct vendor_ops vmx_ops;

ALWAYS_INLINE struct vmx *vmx_of(const struct cpu *cpu)
{
	return cpu->virtualization;
}

#define VMX_HAS(cpu, word, control) ((vmx_of(cpu)->word & (control)) != 0)
#define VMX_PIN(cpu, control)       VMX_HAS(cpu, pin, PIN_##control)
#define VMX_PRIMARY(cpu, control)   VMX_HAS(cpu, primary, PRIMARY_##control)
#define VMX_SECONDARY(cpu, control) VMX_HAS(cpu, secondary, SECONDARY_##control)
#define VMX_EXIT(cpu, control)      VMX_HAS(cpu, exit_controls, EXIT_##control)
#define VMX_ENTRY(cpu, control)     VMX_HAS(cpu, entry_controls, ENTRY_##control)

/* --- instructions.c --- */
u64 vmx_instruction(struct cpu *cpu, const struct op *op, enum vendor_instruction which);

/* --- result.c: how the instructions tell their outcome (SDM 3C:31.2); return the RIP behind --- */
enum vmx_error {
	VMX_ERROR_VMCALL_ROOT = 1,
	VMX_ERROR_VMCLEAR_ADDRESS = 2,
	VMX_ERROR_VMCLEAR_VMXON = 3,
	VMX_ERROR_LAUNCH_NOT_CLEAR = 4,
	VMX_ERROR_RESUME_NOT_LAUNCHED = 5,
	VMX_ERROR_CONTROLS = 7,
	VMX_ERROR_HOST = 8,
	VMX_ERROR_VMPTRLD_ADDRESS = 9,
	VMX_ERROR_VMPTRLD_VMXON = 10,
	VMX_ERROR_VMPTRLD_REVISION = 11,
	VMX_ERROR_UNSUPPORTED_FIELD = 12,
	VMX_ERROR_READ_ONLY_FIELD = 13,
	VMX_ERROR_VMXON_ROOT = 15,
	VMX_ERROR_MOV_SS = 26,
	VMX_ERROR_INVALID_OPERAND = 28,
};
u64 vmx_succeed(struct cpu *cpu, const struct op *op);
u64 vmx_fail_invalid(struct cpu *cpu, const struct op *op);
u64 vmx_fail(struct cpu *cpu, const struct op *op, enum vmx_error error);

/* --- region.c: the current VMCS and its region in memory --- */
bool vmx_address_valid(const struct cpu *cpu, u64 address);
void vmx_put_back(struct cpu *cpu);
void vmx_take(struct cpu *cpu, u64 address);

/* --- field_access.c --- */
u64 vmx_read_field(struct cpu *cpu, const struct op *op);
u64 vmx_write_field(struct cpu *cpu, const struct op *op);

/* --- invalidate.c --- */
u64 vmx_invept(struct cpu *cpu, const struct op *op);
u64 vmx_invvpid(struct cpu *cpu, const struct op *op);

/* --- entry.c --- */
u64 vmx_enter(struct cpu *cpu, const struct op *op, bool launch);
/* True if the current VMCS passes the checks; @injects: its event counts. */
bool vmx_could_resume(struct cpu *cpu, bool injects);
/* The controls in force are those of the current VMCS. */
void vmx_adopt_controls(struct cpu *cpu);
/* The guest's PDPTEs, from the VMCS with EPT, else from memory (SDM 3C:27.3.2.4). They have been
 * checked. */
void vmx_load_pdptes(struct cpu *cpu, u64 *pdpte);
/* The guest of the current VMCS, whose registers are there, is in as if it had been entered. */
void vmx_go_on(struct cpu *cpu);

/* --- record.c: for who watches; @caller: RIP of the instruction that enters --- */
void vmx_record_entry(struct cpu *cpu, u64 caller);
void vmx_record_exit(struct cpu *cpu);
/* @row and all others that fail. */
void vmx_record_failures(struct cpu *cpu, struct check_inputs *in, const struct check_row *row);

/* --- guest_state.c --- */
void vmx_load_guest(struct cpu *cpu);
void vmx_save_guest(struct cpu *cpu);

/* --- host_state.c --- */
/* vendor_ops.host_paging. */
void vmx_host_paging(const struct cpu *cpu, struct walk_registers *walk);
void vmx_load_host(struct cpu *cpu);

/* --- msr_area.c: 0, or the number of the entry, from 1, that could not be done --- */
u32 vmx_load_msrs(struct cpu *cpu, u64 address, u32 count);
u32 vmx_store_msrs(struct cpu *cpu, u64 address, u32 count);

/* --- inject.c --- */
void vmx_inject(struct cpu *cpu);

/* --- exit.c --- */
/* Begins to describe one; the caller adds to it. */
struct vmx_exit *vmx_begin_exit(struct cpu *cpu, u32 reason);
/* By an access of an instruction or of event delivery. */
struct vmx_exit *vmx_begin_fault_exit(struct cpu *cpu, u32 reason);
/* By the instruction @op, which is left undone. */
_Noreturn void vmx_leave(struct cpu *cpu, const struct op *op, u32 reason, u64 qualification);
/* The world switch of the exit described: vendor_ops.exit, or between two instructions. */
void vmx_switch_to_host(struct cpu *cpu);
/* The guest's state into value[], as an exit now would; the guest goes on. */
void vmx_note_guest(struct cpu *cpu);
/* VM-entry failure behind the checks of controls and host (SDM 3C:27.8). */
void vmx_refuse(struct cpu *cpu, u32 reason, u64 qualification);
/* Pending debug exceptions for the exit described (SDM 3C:28.3.4). */
void vmx_note_pending_debug(struct cpu *cpu);
/* The information field of an event. */
u32 vmx_event_information(u8 vector, unsigned int type, bool has_error);

/* --- instruction_information.c (SDM 3C:28.2.5, tables 28-8 to 28-16) --- */
u32 vmx_operand_information(const struct op *op);
u64 vmx_operand_displacement(struct cpu *cpu, const struct op *op);

/* --- intercept.c --- */
void vmx_intercept(struct cpu *cpu, const struct op *op, enum intercept what, u64 info);

/* --- control_registers.c --- */
u64 vmx_read_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number);
bool vmx_write_cr(struct cpu *cpu, const struct op *op, enum cr_access how, unsigned int number,
		  u64 *value);
/* What can't be cleared where the processor is now (SDM 3C:24.8). */
void vmx_fix_control_registers(struct cpu *cpu);

/* --- permission.c: bitmaps --- */
bool vmx_bit_at(struct cpu *cpu, u64 bitmap, u32 n);
bool vmx_port_exits(struct cpu *cpu, u16 port, unsigned int size);
bool vmx_msr_exits(struct cpu *cpu, u32 number, bool write);

/* --- events.c --- */
enum vendor_gate vmx_gate(struct cpu *cpu, u32 event);
bool vmx_holds(const struct cpu *cpu, u32 event);
enum vendor_gate vmx_interrupt(struct cpu *cpu);
bool vmx_due(struct cpu *cpu, enum vendor_stage stage);
bool vmx_would_wake(struct cpu *cpu);
bool vmx_exception(struct cpu *cpu);
bool vmx_shutdown(struct cpu *cpu);
void vmx_bus_lock(struct cpu *cpu);

/* True if the fault in hand is of an IRET that has ended blocking by NMI. */
bool vmx_unblocked_nmi(const struct cpu *cpu);

/* --- virtual_apic.c --- */
u64 vmx_virtual_apic_get(struct cpu *cpu, u32 offset, unsigned int size);
void vmx_virtual_apic_set(struct cpu *cpu, u32 offset, u64 value, unsigned int size);
/* What VM entry does with it, once the guest's state is there. */
void vmx_begin_virtual_apic(struct cpu *cpu);
void vmx_virtualize_tpr(struct cpu *cpu);
void vmx_virtualize_eoi(struct cpu *cpu);
void vmx_virtualize_self_ipi(struct cpu *cpu, u8 vector);
u8 vmx_virtual_cr8(struct cpu *cpu);
void vmx_set_virtual_cr8(struct cpu *cpu, u8 value);
/* The guest exits behind the instruction or event in progress. */
void vmx_exit_behind(struct cpu *cpu, u32 reason, u64 qualification);

/* VIRR and VISR, by the offset of their first register. */
void vmx_virtual_vector_set(struct cpu *cpu, u32 bank, u8 vector, bool on);
u8 vmx_virtual_vector_highest(struct cpu *cpu, u32 bank);

/* --- virtual_interrupts.c --- */
/* RVI and SVI. */
u8 vmx_request_vector(const struct cpu *cpu);
u8 vmx_service_vector(const struct cpu *cpu);
void vmx_set_request_vector(struct cpu *cpu, u8 vector);
void vmx_set_service_vector(struct cpu *cpu, u8 vector);
void vmx_evaluate_virtual_interrupts(struct cpu *cpu);
/* Delivers the one that is recognized, if the guest is open to it. */
bool vmx_take_virtual_interrupt(struct cpu *cpu);
bool vmx_is_notification(const struct cpu *cpu, int vector);
void vmx_process_posted(struct cpu *cpu);

/* --- ipi.c: @low, the ICR's low half --- */
#define VMX_ICR_RESERVED 0xfff32000u
bool vmx_is_self_ipi(struct cpu *cpu, u32 low);
/* False: the hypervisor has to see to it. */
bool vmx_virtualize_ipi(struct cpu *cpu, u32 low, u32 target);

/* --- x2apic.c --- */
enum vendor_msr vmx_x2apic(struct cpu *cpu, u32 number, u64 *value, bool write);

/* --- apic_access.c --- */
void vmx_apic_access(struct cpu *cpu, u64 address, void *data, unsigned int size,
		     enum vendor_access access);
/* APIC-write emulation, if it is due. */
void vmx_emulate_apic_write(struct cpu *cpu);

/* --- vmx.c --- */
/* Out of VMX operation, as after RESET. */
void vmx_turn_off(struct cpu *cpu);

/* --- nested_state.c --- */
u32 vmx_get_nested(struct cpu *cpu, struct kvm_nested_state *to, u32 room);
int vmx_set_nested(struct cpu *cpu, const struct kvm_nested_state *from);

/* --- smm.c --- */
void vmx_enter_smm(struct cpu *cpu);
void vmx_leave_smm(struct cpu *cpu);
/* SMM is as if it had interrupted VMX operation, or the guest of the current VMCS. */
void vmx_interrupt_root(struct cpu *cpu);
void vmx_interrupt_guest(struct cpu *cpu, bool trap_due);

/* --- instruction_timeout.c --- */
/* Asked at each exception. True: the exit is made. */
bool vmx_timed_out(struct cpu *cpu);

/* --- preemption_timer.c --- */
void vmx_start_timer(struct cpu *cpu);
/* It ends when the TSC, shifted by VMX_TIMER_RATE, is @deadline. */
void vmx_set_timer(struct cpu *cpu, u64 deadline);
void vmx_stop_timer(struct cpu *cpu);
void vmx_save_timer(struct cpu *cpu);
bool vmx_timer_expired(struct cpu *cpu);

/* --- function.c --- */
u64 vmx_function(struct cpu *cpu, const struct op *op);
bool vmx_eptp_valid(const struct cpu *cpu, u64 eptp);

/* --- virtualization_exception.c --- */
/* Raises #VE for the EPT violation described instead of the exit, if it may be. */
void vmx_convert_violation(struct cpu *cpu, const struct walk_result *walk);

/* --- translation.c: EPT and VPID --- */
void vmx_enter_world(struct cpu *cpu);
void vmx_leave_world(struct cpu *cpu);
/* Another EPT pointer within the guest. */
void vmx_change_world(struct cpu *cpu);
void vmx_second_stage_fault(struct cpu *cpu, u64 linear, unsigned int access,
			    const struct walk_result *walk);
/* The worlds of a VPID, and of an EPT pointer, by cpu_flush_worlds. */
u64 vmx_world_of_vpid(u16 vpid);
u64 vmx_world_of_eptp(u64 eptp);
#define VMX_WORLD_GUEST BIT(63)
#define VMX_WORLD_EPT   BIT(40)
#define VMX_WORLD_VPID  (VMX_WORLD_GUEST | UINT64_C(0xffff) << 41)
#define VMX_WORLD_EPTP  ((UINT64_C(1) << 41) - 1)
#define VMX_WORLD_APIC  BIT(57) /* accesses to the APIC-access page are virtualized */

#endif
