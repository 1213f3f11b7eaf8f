/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One logical processor as the interpreter sees it. What is hot stands first. Fields that are
 * architectural are listed in state.def, which save, restore and dumps go by.
 */
#ifndef LOCKSTEP_SIM_CPU_CPU_H
#define LOCKSTEP_SIM_CPU_CPU_H

#include <linux/kvm.h>
#include <setjmp.h>

#include "mmu/control_registers.h"
#include "mmu/slots.h"
#include "mmu/tlb.h"
#include "mmu/types.h"
#include "mmu/walk.h"

#include "sim/cpu/features.h"
#include "sim/cpu/msr_index.h"
#include "sim/cpu/world.h"

struct op;
struct cpu;
struct lapic;
struct trace_cache;
struct sim_params;
struct msr_policy;
struct recorder;
struct vendor_ops;

/*
 * The register file is one array, so that operands and address parts resolve to a byte offset
 * at decode: general registers, a zero, the RIP at which the running trace starts (between
 * traces: RIP itself), and the segment bases (their only copy).
 */
enum {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_ZERO,
	REG_RIP,
	REG_SEG_BASE, /* + enum segment_index */
	REG_COUNT = REG_SEG_BASE + 8,
};

enum segment_index { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

/* The hidden part of a segment register. Access rights are laid out as VMX does (SDM 3C:24.4.1,
 * table 24-2), which is the descriptor's second dword shifted right by 8. The base stands in
 * cpu->reg[REG_SEG_BASE + index] (LDTR and TR included). */
struct segment {
	u16 selector;
	u32 limit;  /* in bytes, granularity applied */
	u32 rights; /* SEG_TYPE … SEG_UNUSABLE */
};

#define SEG_TYPE     0x0000fu
#define SEG_S	     0x00010u /* code or data */
#define SEG_DPL	     0x00060u
#define SEG_DPL_SHIFT 5
#define SEG_P	     0x00080u
#define SEG_AVL	     0x01000u
#define SEG_L	     0x02000u
#define SEG_DB	     0x04000u
#define SEG_G	     0x08000u
#define SEG_UNUSABLE 0x10000u
#define SEG_TYPE_ACCESSED   0x1u
#define SEG_TYPE_WRITABLE   0x2u /* data */
#define SEG_TYPE_READABLE   0x2u /* code */
#define SEG_TYPE_EXPAND_DOWN 0x4u /* data */
#define SEG_TYPE_CONFORMING 0x4u /* code */
#define SEG_TYPE_CODE	    0x8u

struct descriptor_table {
	u64 base;
	u32 limit;
};

/* RFLAGS bits (SDM 1:3.4.3). */
#define FLAG_CF	  UINT64_C(0x000001)
#define FLAG_FIXED UINT64_C(0x000002)
#define FLAG_PF	  UINT64_C(0x000004)
#define FLAG_AF	  UINT64_C(0x000010)
#define FLAG_ZF	  UINT64_C(0x000040)
#define FLAG_SF	  UINT64_C(0x000080)
#define FLAG_TF	  UINT64_C(0x000100)
#define FLAG_IF	  UINT64_C(0x000200)
#define FLAG_DF	  UINT64_C(0x000400)
#define FLAG_OF	  UINT64_C(0x000800)
#define FLAG_IOPL UINT64_C(0x003000)
#define FLAG_NT	  UINT64_C(0x004000)
#define FLAG_RF	  UINT64_C(0x010000)
#define FLAG_VM	  UINT64_C(0x020000)
#define FLAG_AC	  UINT64_C(0x040000)
#define FLAG_VIF  UINT64_C(0x080000)
#define FLAG_VIP  UINT64_C(0x100000)
#define FLAG_ID	  UINT64_C(0x200000)
#define FLAG_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define FLAG_KNOWN UINT64_C(0x3f7fd7)

/* Vectors (SDM 3A:6.3). */
enum {
	VECTOR_DE = 0, VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_BR = 5,
	VECTOR_UD = 6, VECTOR_NM = 7, VECTOR_DF = 8, VECTOR_TS = 10, VECTOR_NP = 11, VECTOR_SS = 12,
	VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MF = 16, VECTOR_AC = 17, VECTOR_MC = 18,
	VECTOR_XM = 19, VECTOR_VE = 20, VECTOR_CP = 21, VECTOR_SX = 30,
};

union vec {
	u8 b[64];
	u16 w[32];
	u32 d[16];
	u64 q[8];
	s8 sb[64];
	s16 sw[32];
	s32 sd[16];
	s64 sq[8];
	float f32[16];
	double f64[8];
} __attribute__((aligned(64)));

/* A physical x87 register R0..R7; MMX register i is the mantissa of R(i). */
struct fpu_register {
	u64 mantissa;
	u16 sign_exponent;
};

struct fpu {
	struct fpu_register r[8]; /* physical: ST(i) is r[(TOP + i) & 7] */
	u16 control;
	u16 status; /* TOP in bits 13:11, as stored */
	u16 tag;    /* two bits a physical register: 3 empty, 0 used (see fpu.h) */
	u16 opcode; /* FOP, 11 bits */
	u64 ip, dp; /* last instruction and operand, offset part */
	u16 cs, ds; /* their selectors */
};

/* Reasons to look up between traces; any bit set in cpu->event leaves the fast path. Set by
 * other threads with atomic OR. */
enum {
	EVENT_KICK = 1 << 0,	  /* return to user space */
	EVENT_INTERRUPT = 1 << 1, /* the local APIC or PIC may have something deliverable */
	EVENT_NMI = 1 << 2,
	EVENT_SMI = 1 << 3,
	EVENT_INIT = 1 << 4,
	EVENT_SIPI = 1 << 5,
	EVENT_TRAP = 1 << 6,	  /* a #DB trap is due (cpu->pending_debug) */
	EVENT_STEP = 1 << 7,	  /* TF, a shadow or a breakpoint: one instruction at a time */
	EVENT_SHOOTDOWN = 1 << 8, /* another vCPU asks for TLB or trace work */
	EVENT_MACHINE_CHECK = 1 << 9,
	EVENT_STOP = 1 << 10, /* the processor asks to leave before all else: cpu->exit says why */
	EVENT_VENDOR = 1 << 11, /* an event of VMX's or SVM's own may be due: vendor.h */
};

/* Blocking after STI and MOV SS / POP SS (SDM 3A:6.8.3), for one instruction. */
enum { SHADOW_NONE, SHADOW_STI = 1, SHADOW_MOV_SS = 2 };

enum cpu_activity {
	ACTIVITY_RUNNING,
	ACTIVITY_HALTED,
	ACTIVITY_WAIT_SIPI,
	ACTIVITY_SHUTDOWN,
	ACTIVITY_WAITING, /* in MWAIT, UMWAIT or TPAUSE */
};

/* An access outside memory slots, or a port access: fragments of the instruction in progress
 * that were completed by user space, so that its re-execution finds their results. */
#define CPU_IO_FRAGMENTS 16
struct cpu_io_access {
	u64 address; /* gpa, port, or number of an MSR */
	u64 data;
	u8 size;
	bool write;
	bool port;
	u8 msr_reason;	/* KVM_MSR_EXIT_REASON_*: an MSR; 0: none */
	bool msr_error; /* user space answered with #GP */
};
struct cpu_io {
	struct cpu_io_access fragment[CPU_IO_FRAGMENTS];
	unsigned int completed; /* fragments answered so far */
	unsigned int consumed;	/* of these, taken by the current execution */
};

#define USER_INTERRUPT_VALID 0x100

#define RETURN_STACK 16u

/* Why cpu_run returned. */
enum cpu_exit {
	CPU_EXIT_NONE,
	CPU_EXIT_BUDGET,   /* the instruction bound was reached */
	CPU_EXIT_EVENT,	   /* cpu->event has EVENT_KICK */
	CPU_EXIT_IO,	   /* cpu->io.fragment[completed] waits for user space */
	CPU_EXIT_HALT,	   /* activity is no longer running */
	CPU_EXIT_SHUTDOWN, /* triple fault */
	CPU_EXIT_DEBUG,	   /* cpu->debugger.vector is the debugger's */
	CPU_EXIT_TPR,	   /* CR8 was lowered, and the local APIC is user space's */
	CPU_EXIT_INTERRUPT_WINDOW, /* an interrupt could be taken now, if user space had one */
};

/* What the processor asks of the engine around it. */
struct cpu_platform {
	/* An access that no slot holds. True if it was answered below the seam (local APIC,
	 * I/O APIC, PIC, PIT), else user space will. */
	bool (*mmio)(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write);
	bool (*port)(struct cpu *cpu, u16 port, void *data, unsigned int size, bool write);
	/* Acknowledges the 8259 behind LINT0 or the bare INTR pin; vector, or -1 if none. */
	int (*pic_acknowledge)(struct cpu *cpu);
	/* True if the 8259's INTR output is up and reaches this processor. */
	bool (*pic_pending)(struct cpu *cpu);
	/* A trace was made from @gpa's page: every other vCPU must give up its write permission
	 * before it returns. A write hit traces there: every other vCPU must drop them. */
	void (*code_page_made)(struct cpu *cpu, u64 gpa);
	void (*code_page_written)(struct cpu *cpu, u64 gpa);
	/* EVENT_SHOOTDOWN: does what other vCPUs asked of this one's TLB and traces. */
	void (*shootdown)(struct cpu *cpu);
	/* Stops every other vCPU between two instructions until it is given back. NULL where one
	 * thread runs all. */
	void (*bus_lock)(struct cpu *cpu);
	void (*bus_unlock)(struct cpu *cpu);
	/* The processor begins to wait until that ns of its time (UINT64_MAX: without end), when
	 * wait_expire is called. False if nothing could wake it. May be NULL. */
	bool (*wait)(struct cpu *cpu, u64 until);
	/* EVENT_VENDOR is to be posted at that ns of the processor's time; UINT64_MAX: no more. */
	void (*vendor_timer)(struct cpu *cpu, u64 until);
	/* SKINIT: the other processors that wait for a startup IPI note it (secure_startup). May be
	 * NULL. */
	void (*secure_startup)(struct cpu *cpu);
	/* A deadline may have moved: recompute the budget. */
	void (*reschedule)(struct cpu *cpu);
	/* A VM entry was refused, @text says why. May be NULL. */
	void (*entry_refused)(struct cpu *cpu, const char *text);
	/* FERR#: an x87 exception is pending under CR0.NE = 0 (IRQ 13 on a PC). May be NULL. */
	void (*ferr)(struct cpu *cpu);
	/* The VM's lock around calls into the interrupt chips; NULL where one thread runs all. */
	void (*lock)(struct cpu *cpu);
	void (*unlock)(struct cpu *cpu);
};

struct cpu {
	/* --- hot: touched by every handler --- */
	u64 reg[REG_COUNT];
	u64 flag_result;  /* lazy arithmetic flags: flags.h */
	u64 flag_aux;
	s64 budget;	  /* instructions left before the run loop must look up */
	u64 data_context; /* TLB context of ordinary data accesses */
	u64 locked_context; /* of locked ones; TLB_CONTEXT_NEVER if bus locks are looked for, too */
	u64 code_context; /* and of fetches; the same but for alignment checks */
	u32 event;	  /* EVENT_*: atomic */
	u8 canonical_shift; /* 64 - width of linear addresses: 16 or 7 */
	u32 mode;	  /* MODE_*: what decoding depends on, the traces' key */
	const struct op *op; /* the instruction that took a slow path or may fault */
	const struct op *return_point[RETURN_STACK]; /* guesses of near returns: dispatch.h */
	u32 return_top;
	struct tlb tlb;

	/* --- the rest of the user-visible state --- */
	u64 rflags; /* all but the arithmetic flags, which are lazy */
	struct segment seg[SEG_COUNT];
	struct descriptor_table gdtr, idtr;
	u64 cr0, cr2, cr3, cr4, efer, xcr0;
	u64 dr[8]; /* DR4 and DR5 unused */
	u32 pkru;
	u8 cpl;
	u8 shadow;	   /* SHADOW_*, blocks until the next instruction has completed */
	bool nmi_blocked;
	bool nmi_virtual;    /* what is blocked are virtual NMIs: real ones are not, and exit */
	bool iret_keeps_nmi; /* IRET does not end the blocking (SDM 3C:26.3) */
	bool smm;
	bool nmi_pending, smi_pending, init_pending, sipi_pending;
	bool init_received; /* for KVM_MP_STATE_INIT_RECEIVED: waits for a SIPI after an INIT */
	u8 sipi_vector;
	u8 activity; /* enum cpu_activity */
	u8 cr8;		    /* without a local APIC below the seam; else it is that one's TPR */
	u16 user_interrupt; /* USER_INTERRUPT_VALID and the vector of KVM_INTERRUPT, or 0 */
	u64 pending_debug; /* DR6 bits of the #DB trap due after the current instruction */
	u64 ssp;	   /* shadow stack pointer */
	u64 msr[MSR_INDEX_COUNT];

	union vec vec[32];
	u64 opmask[8];
	struct fpu fpu;
	u32 mxcsr;

	/* --- what the model offers, from KVM_SET_CPUID2 --- */
	bool amd; /* vendor string is AuthenticAMD (or HygonGenuine) */
	u8 physical_bits, linear_bits;
	u32 feature[FEATURE_WORDS]; /* bit sets indexed by enum cpu_feature */
	u64 cr4_reserved;	    /* bits that fault, derived from the features */
	u64 cr0_must, cr4_must;	    /* bits that can't be cleared in VMX operation (SDM 3C:24.8) */
	u64 efer_reserved;
	u64 xcr0_supported, xss_supported;
	struct kvm_cpuid2 *cpuid;

	/* --- running --- */
	/* VMX or SVM: vendor.h. */
	const struct vendor_ops *vendor;
	void *virtualization; /* the model's own state */
	bool guest;	      /* in VMX non-root operation, or between VMRUN and #VMEXIT */
	bool locks_watched;   /* the hypervisor wants to know of its guest's bus locks */
	bool breakpoints_off; /* the breakpoint registers match nothing: GIF = 0 */
	bool secure_startup;  /* a SIPI will begin as SKINIT's loader did; others set it: atomic */
	bool arbitrates;      /* the model has a say in events: cpu->guest, GIF = 0, VMX root operation */
	/* What a guest sees of the TSC: multiplied, a fixed-point number, and moved. */
	struct {
		u64 offset, multiplier;
		u8 fraction; /* bits of the multiplier behind the point; 0: it is not multiplied */
	} guest_tsc;
	u32 control_mode; /* the part of cpu->mode that privilege does not change */
	struct walk_registers walk; /* mirrors of the registers above: cpu_update_paging */
	/* The last byte of the page whose accesses are the model's (vendor.h: apic_access); 0: none.
	 * It never gets TLB tags. */
	u64 apic_access_end;
	struct slots *slots;
	struct lapic *lapic;
	struct trace_cache *traces;
	struct recorder *recorder; /* NULL: nobody watches (recorder.h) */
	u32 recorder_wants;	   /* RECORDER_*, of its sink */
	const struct cpu_platform *platform;
	void *vcpu; /* the engine's own object */
	const struct sim_params *params; /* NULL: defaults */
	const struct msr_policy *msr_policy; /* atomic; NULL: every MSR access is decided here */
	u32 tsc_khz;			     /* 0: the parameter's */
	u64 random_count; /* draws of RDRAND and RDSEED so far */
	/* MONITOR, MWAIT and their kin: wait.h */
	struct {
		bool armed; /* for the next wait; nothing was stored there since */
		u64 gpa;
	} monitor;
	struct {
		bool for_store, masked_too, limited;
		u8 end; /* enum wait_end */
	} wait;

	struct address_space space;
	jmp_buf unwind;
	enum cpu_exit exit;
	bool exception_due; /* cpu->exception waits to be delivered */
	u64 last_exception; /* cpu_retired when the last one was due: dispatch.c */
	bool rerun_alone;   /* the instruction at RIP needs cpu->single */
	bool interrupt_waits; /* EVENT_INTERRUPT was put off until RFLAGS.IF = 1 */
	u8 shadow_running;   /* the shadow that covers the instruction now running alone */
	u64 rf_running;	     /* RFLAGS.RF as it was before that instruction */
	bool single;	  /* the instruction runs alone: MMIO and ports are allowed */
	u16 host_x87_clear; /* exception flags that the host's x87 is known not to have (exec/x87.h) */
	struct cpu_io io;
	u8 bounce[64] __attribute__((aligned(64))); /* read-modify-write off the fast path */
	struct {
		u64 linear;
		unsigned int size;
		/* where it lies, if in one page of memory that may be written; else host is NULL */
		u8 *host;
		u64 gpa;
		struct slot *slot;
	} bounced;
	bool bus_locked; /* by this processor, until that buffer is written back */

	/* the exception being raised */
	struct {
		u8 vector;
		bool has_error;
		u32 error;
		u64 address;  /* CR2 for #PF, DR6 bits for #DB */
		bool injected; /* by user space: CR2 and DR6 hold them already */
	} exception;

	/* Of a debugger above the seam (KVM_SET_GUEST_DEBUG): debugger.c. */
	struct {
		u32 control; /* KVM_GUESTDBG_*, 0: none */
		u64 dr[8];   /* watched instead of the guest's with KVM_GUESTDBG_USE_HW_BP */
		u32 vector;  /* what it is shown: #DB with these bits of DR6, #BP, LS_DEBUG_* */
		u64 dr6;
		u32 events; /* DEBUGGER_*: where it stops, too (extension.h: vcpu_break) */
		bool watches_physical;
		u64 physical; /* the same before instructions there (vcpu_break_physical) */
	} debugger;

	/* The event in delivery: a fault inside it is combined with it (SDM 3A:6.15, table 6-5). */
	struct {
		bool active;
		u8 vector;
		u8 type; /* enum event_type */
		bool has_error;
		u32 error;
		u8 length;     /* of the instruction that asked for it */
		bool injected; /* by VM entry: no instruction asked for it */
	} delivering;
	struct {
		bool on;  /* a VM exit follows each instruction or event (SDM 3C:26.5.2) */
		bool due;
	} monitor_trap;
	u64 nmi_unblocked; /* cpu_retired at the last IRET that ended a blocking */
	bool no_step;	/* the instruction in progress has settled TF's trap itself: debug.c */
	bool machine_check_pending;
	u32 smbase;

	/* time: instructions retired since creation = retired - budget while a run is on */
	u64 retired; /* count at which budget would be 0 */
	u64 time_base; /* ns of local time at retired == 0, see cpu_time */
	u64 time_bound; /* local time that must not pass unseen; the budget may end before it */

	/* performance counters: pmu.h. Counters are bits here. */
	struct {
		u8 version;	/* of the architectural unit; on AMD 1, with PerfMonV2 2 */
		bool any_thread; /* the AnyThread bits exist */
		u8 general_width, fixed_width;
		u16 counters;	/* there are */
		u32 events;	/* that the processor counts, by the bits of CPUID.0AH:EBX */
		u16 counting;	/* now */
		u16 high;	/* EDGE: the condition holds now */
		bool privileged; /* a change of the privilege matters */
		u8 privilege;	/* enum pmu_privilege that this was worked out for */
		u64 settled;	/* instructions retired when the values were last made true */
		u64 deadline;	/* and when the next overflow interrupts */
	} pmu;

	struct {
		u64 interrupts, exceptions, page_walks, tlb_lookups, tlb_hits, traces_built,
			traces_dropped;
	} stats;
};

#define SEG_BASE(cpu, index) ((cpu)->reg[REG_SEG_BASE + (index)])

ALWAYS_INLINE bool cpu_has(const struct cpu *cpu, enum cpu_feature feature)
{
	return cpu->feature[feature / 32] >> (feature % 32) & 1;
}

/* @gpa is the model's business, not memory. */
ALWAYS_INLINE bool cpu_apic_access(const struct cpu *cpu, u64 gpa)
{
	return (gpa | PAGE_OFFSET_MASK) == cpu->apic_access_end;
}

ALWAYS_INLINE bool cpu_long_mode(const struct cpu *cpu)
{
	return cpu->efer & EFER_LMA;
}

ALWAYS_INLINE bool cpu_64bit(const struct cpu *cpu)
{
	return (cpu->efer & EFER_LMA) && (cpu->seg[SEG_CS].rights & SEG_L);
}

ALWAYS_INLINE bool cpu_real_mode(const struct cpu *cpu)
{
	return !(cpu->cr0 & CR0_PE);
}

ALWAYS_INLINE bool cpu_v86(const struct cpu *cpu)
{
	return cpu->rflags & FLAG_VM;
}

/* The breakpoints in force, laid out as DR0 to DR7: the guest's, or a debugger's. */
ALWAYS_INLINE const u64 *cpu_breakpoints(const struct cpu *cpu)
{
	return cpu->debugger.control & KVM_GUESTDBG_USE_HW_BP ? cpu->debugger.dr : cpu->dr;
}

ALWAYS_INLINE bool cpu_watches(const struct cpu *cpu)
{
	const u64 *dr = cpu_breakpoints(cpu);

	return (dr[7] & 0xff) && !(cpu->breakpoints_off && dr == cpu->dr);
}

/* Bus locks matter to somebody: locked accesses are looked at. */
ALWAYS_INLINE bool cpu_watches_locks(const struct cpu *cpu)
{
	return cpu->guest && cpu->locks_watched;
}

/* Instructions retired so far; exact between instructions (mid-trace: as of the trace start). */
ALWAYS_INLINE u64 cpu_retired(const struct cpu *cpu)
{
	return cpu->retired - (u64)cpu->budget;
}

/* --- dispatch.c --- */
/* Runs until the budget, an event or an exit. Delivers exceptions and interrupts itself. */
enum cpu_exit cpu_run(struct cpu *cpu);
/* Sets how many instructions may retire from here on (>= 0). */
void cpu_set_budget(struct cpu *cpu, s64 instructions);

/* --- reset.c --- */
void cpu_reset(struct cpu *cpu, bool init); /* RESET, or INIT which keeps what SDM 3A:9.1 says */

/* --- mode.c --- */
/* Recomputes mode, contexts and walk mirrors. Call after any change of CR0, CR4, EFER, CPL, CS,
 * SS, RFLAGS.{VM,AC,TF,RF}, XCR0, PKRU, DR7. Cheap; does not flush. */
void cpu_update_mode(struct cpu *cpu);
/* The same where nothing of these has changed but CPL, CS, SS and RFLAGS. */
void cpu_update_privilege(struct cpu *cpu);
/* The same where RFLAGS.IF was set, or a shadow began. */
void cpu_update_shadow(struct cpu *cpu);

/* --- address_space.c --- */
/* Address-space changes: a new CR3 (@keep: PCID's no-flush bit), a full flush. */
void cpu_switch_address_space(struct cpu *cpu, bool keep);
void cpu_flush_tlb(struct cpu *cpu);		   /* this world's all, global pages too */
void cpu_flush_all(struct cpu *cpu);		   /* every world's */
void cpu_flush_pcid(struct cpu *cpu, u16 pcid);    /* one PCID, non-global */
void cpu_flush_nonglobal(struct cpu *cpu);
void cpu_flush_linear(struct cpu *cpu, u64 linear); /* INVLPG */

#endif
