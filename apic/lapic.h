/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One local APIC: xAPIC and x2APIC (SDM 3A chapter 11, APM 2 chapter 16).
 *
 * The owner is a vCPU. It routes memory accesses here while lapic_mmio_claims(), RDMSR and
 * WRMSR of 0x1B, 0x6E0 and 0x800-0x8FF, CR8, and polls lapic_pending(). Nothing locks: the
 * owner holds the VM's lock around every call but lapic_pending().
 */
#ifndef LOCKSTEP_APIC_LAPIC_H
#define LOCKSTEP_APIC_LAPIC_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include <lockstep/clock.h>

#include "apic/bus.h"

/* Register offsets (SDM 3A:11.4.1, table 11-1). The x2APIC MSR is 0x800 + (offset >> 4). */
enum lapic_register {
	LAPIC_ID = 0x020,
	LAPIC_VERSION = 0x030,
	LAPIC_TPR = 0x080,
	LAPIC_APR = 0x090,
	LAPIC_PPR = 0x0a0,
	LAPIC_EOI = 0x0b0,
	LAPIC_RRD = 0x0c0,
	LAPIC_LDR = 0x0d0,
	LAPIC_DFR = 0x0e0,
	LAPIC_SVR = 0x0f0,
	LAPIC_ISR = 0x100, /* eight registers each */
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_LVT_CMCI = 0x2f0,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
	LAPIC_SELF_IPI = 0x3f0, /* x2APIC only */
};

#define LAPIC_SVR_ENABLE          (1u << 8)
#define LAPIC_SVR_SUPPRESS_EOI    (1u << 12)
#define LAPIC_LVT_MODE            (7u << 8)
#define LAPIC_LVT_REMOTE_IRR      (1u << 14)
#define LAPIC_LVT_LEVEL           (1u << 15)
#define LAPIC_LVT_MASKED          (1u << 16)
#define LAPIC_TIMER_MODE          (3u << 17)
#define LAPIC_TIMER_ONE_SHOT      (0u << 17)
#define LAPIC_TIMER_PERIODIC      (1u << 17)
#define LAPIC_TIMER_TSC_DEADLINE  (2u << 17)
#define LAPIC_ESR_SEND_VECTOR     (1u << 5)
#define LAPIC_ESR_RECEIVE_VECTOR  (1u << 6)
#define LAPIC_ESR_ILLEGAL_ADDRESS (1u << 7)

#define LAPIC_BASE_BSP     (1ull << 8)
#define LAPIC_BASE_EXTD    (1ull << 10)
#define LAPIC_BASE_ENABLE  (1ull << 11)
#define LAPIC_BASE_DEFAULT 0xfee00000ull

#define LAPIC_MSR_BASE         0x1bu
#define LAPIC_MSR_TSC_DEADLINE 0x6e0u
#define LAPIC_MSR_X2APIC       0x800u /* to 0x8ff */

/* Version registers: integrated, max LVT entry in 23:16, bit 24 EOI-broadcast suppression. */
#define LAPIC_VERSION_INTEL          0x00050014u
#define LAPIC_VERSION_INTEL_CMCI     0x00060014u
#define LAPIC_VERSION_AMD            0x00050010u
#define LAPIC_VERSION_SUPPRESSES_EOI (1u << 24)

/* lapic_pending(): an 8259 has an interrupt; lapic_accept() gets its vector by INTA. */
#define LAPIC_EXTINT 0x100

enum lapic_note {
	LAPIC_NOTE_ACCEPTED, /* edge */
	LAPIC_NOTE_ACCEPTED_LEVEL,
	LAPIC_NOTE_EOI,
	LAPIC_NOTE_TIMER_ARMED,
	LAPIC_NOTE_TIMER_EXPIRED,
};

struct lapic_ops {
	/* lapic_pending() has a new value >= 0: re-poll, leave HLT. Never NULL. */
	void (*changed)(void *owner);
	/* Messages and LVTs that are no vectors. NULL drops them. INIT does not reset this
	 * APIC by itself: the owner calls lapic_reset_init() when it takes the INIT. */
	void (*nmi)(void *owner);
	void (*smi)(void *owner);
	void (*init)(void *owner);
	void (*sipi)(void *owner, uint8_t vector);
	/* AVIC's doorbell (APM 2:15.29.8.2). NULL: there is no AVIC. */
	void (*doorbell)(void *owner);
	/* Interrupt acknowledge cycle for LAPIC_EXTINT: pic_acknowledge(). */
	int (*inta)(void *owner);
	/* The TSC this vCPU's RDTSC reads, and the first ns of clock time at which it will be
	 * >= @tsc (a past time if it is already; LS_NEVER if it never will be). Needed where
	 * TSC-deadline mode is offered. */
	uint64_t (*tsc_now)(void *owner);
	uint64_t (*tsc_to_ns)(void *owner, uint64_t tsc);
	/* For whoever watches: what has just happened; @value: vector, or a time. May be NULL. */
	void (*note)(void *owner, enum lapic_note note, uint64_t value);
};

struct lapic_config {
	uint32_t id;            /* initial APIC ID; the xAPIC ID is its low 8 bits */
	bool bsp;               /* IA32_APIC_BASE[8] */
	bool lint0_extint;      /* LVT LINT0 comes up as ExtINT on the BSP, as firmware leaves
				 * it (KVM_X86_QUIRK_LINT0_REENABLED) */
	uint32_t version;       /* LAPIC_VERSION_*; CMCI exists if max LVT entry >= 6 */
	uint64_t timer_hz;      /* bus clock before the divider; 0 means 1 GHz */
	uint64_t min_period_ns; /* floor of a periodic timer's period (min_timer_period_us) */
	bool pmi_masks;         /* a PMI sets the LVT's mask: Intel (SDM 3B:20.6.3.5) */
};

/* What CPUID says, hence may change until the vCPU first runs: see lapic_set_features. */
struct lapic_features {
	bool x2apic;
	bool tsc_deadline;
	uint8_t phys_bits; /* MAXPHYADDR */
};

struct lapic {
	int pending;       /* -1, vector or LAPIC_EXTINT; read it with lapic_pending() */
	uint32_t regs[64]; /* by offset >> 4: registers as last written, IRR, ISR, TMR; never
			    * PPR, current count (computed); ID by mode */
	uint64_t base;     /* IA32_APIC_BASE */
	uint32_t errors;   /* collected for the next write to ESR */
	bool lint[2];      /* levels of the pins */
	bool extint;       /* an ExtINT message waits for its INTA */

	struct ls_timer timer;
	uint64_t timer_start; /* ns at which counting began */
	uint64_t timer_count; /* counts from timer_start to the next expiry; 0: stopped */
	uint64_t tsc_deadline;

	struct lapic_config config;
	struct lapic_features features;
	struct ls_clock *clock;
	struct apic_bus *bus;
	const struct lapic_ops *ops;
	void *owner;
};

/* Power-up state: enabled in xAPIC mode at 0xFEE00000, software-disabled. Does not add itself
 * to @bus: apic_bus_add(). @features starts as x2apic, tsc_deadline, 52 bits. */
void lapic_init(struct lapic *lapic, const struct lapic_config *config, struct ls_clock *clock,
		struct apic_bus *bus, const struct lapic_ops *ops, void *owner);
/* Disarms the timer. */
void lapic_destroy(struct lapic *lapic);
void lapic_set_features(struct lapic *lapic, const struct lapic_features *features);

/* RESET#: as lapic_init left it. INIT keeps APIC ID and IA32_APIC_BASE (SDM 3A:11.4.7.3). */
void lapic_reset(struct lapic *lapic);
void lapic_reset_init(struct lapic *lapic);

static inline bool lapic_enabled(const struct lapic *lapic) /* CPUID.1:EDX.APIC */
{
	return lapic->base & LAPIC_BASE_ENABLE;
}

static inline bool lapic_x2apic(const struct lapic *lapic)
{
	return (lapic->base & (LAPIC_BASE_ENABLE | LAPIC_BASE_EXTD)) ==
	       (LAPIC_BASE_ENABLE | LAPIC_BASE_EXTD);
}

/* What physical destinations are compared with. An ID that 8 bits cannot hold must not alias
 * another processor's: firmware on hardware never leaves such a processor in xAPIC mode (SDM
 * 3A:11.12.8.1 allows it no xAPIC ID). INIT and SIPI still find it by its 32-bit ID. */
static inline uint32_t lapic_id(const struct lapic *lapic)
{
	if (lapic_x2apic(lapic) || lapic->config.id > 0xff)
		return lapic->config.id;
	return lapic->regs[LAPIC_ID >> 4] >> 24;
}

static inline bool lapic_software_enabled(const struct lapic *lapic)
{
	return lapic_enabled(lapic) && (lapic->regs[LAPIC_SVR >> 4] & LAPIC_SVR_ENABLE);
}

/* True if an access to @gpa belongs to lapic_mmio_*: xAPIC mode and inside its page. */
static inline bool lapic_mmio_claims(const struct lapic *lapic, uint64_t gpa)
{
	return (lapic->base & (LAPIC_BASE_ENABLE | LAPIC_BASE_EXTD)) == LAPIC_BASE_ENABLE &&
	       !((gpa ^ lapic->base) & ~0xfffull & ((1ull << 52) - 1));
}

/* --- registers, xAPIC mode: @offset is a multiple of 16 ---
 * A reserved offset reads 0 and logs "illegal register address"; 0 or -1 tells which. */
int lapic_read(struct lapic *lapic, uint32_t offset, uint32_t *value);
int lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value);
/*
 * The same for an access of @len bytes anywhere in the page. SDM 3A:11.4.1 defines aligned
 * 32-bit accesses only and leaves the rest to the processor: here (as in KVM) a read of 1, 2 or
 * 4 bytes inside the first four bytes of a register returns those bytes, other reads return 0,
 * and a write that is not 4 bytes at a multiple of 16 is dropped.
 */
void lapic_mmio_read(struct lapic *lapic, uint32_t offset, void *data, unsigned int len);
void lapic_mmio_write(struct lapic *lapic, uint32_t offset, const void *data, unsigned int len);

/* --- MSRs 0x1B, 0x6E0, 0x800-0x8FF: 0, or -1 for #GP(0) --- */
int lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value);
int lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value);
/* False if the x2APIC has no such register, or refuses that value, with #GP(0): also for APICs that
 * are not in that mode. @lapic NULL: as AMD's processors have it. */
bool lapic_x2apic_allows(const struct lapic *lapic, uint32_t offset, bool write, uint64_t value);

/* IA32_APIC_BASE. The guest may only make the transitions of SDM 3A:11.12.5; the host
 * (KVM_SET_SREGS, KVM_SET_MSRS) may set any valid mode. -1: refused. */
int lapic_set_base(struct lapic *lapic, uint64_t value, bool host);

/* CR8, also while the APIC is disabled: TPR bits 7:4. */
static inline uint8_t lapic_get_cr8(const struct lapic *lapic)
{
	return lapic->regs[LAPIC_TPR >> 4] >> 4 & 0xf;
}
void lapic_set_cr8(struct lapic *lapic, uint8_t cr8);
uint8_t lapic_get_ppr(const struct lapic *lapic);

/* --- interrupts --- */

/* The highest deliverable vector, LAPIC_EXTINT (which goes first), or -1. No lock needed. */
static inline int lapic_pending(const struct lapic *lapic)
{
	return __atomic_load_n(&lapic->pending, __ATOMIC_RELAXED);
}

/* INTA: moves the pending vector from IRR to ISR and returns it; runs ops->inta for
 * LAPIC_EXTINT; the spurious vector (SVR bits 7:0) if nothing is deliverable any more. */
int lapic_accept(struct lapic *lapic);

/* A bus message has arrived. True if taken; @coalesced (may be NULL) is set to false if a
 * fixed vector's IRR bit was not set before. */
bool lapic_receive(struct lapic *lapic, const struct apic_message *message, bool *coalesced);

/* What a write of @low to the ICR sends, but for destination and width; false if it sends nothing.
 */
bool lapic_icr_message(uint32_t low, struct apic_message *message);

/* Pin levels: LINT0 (INTR) and LINT1 (NMI). */
void lapic_set_lint(struct lapic *lapic, unsigned int pin, bool level);

/* A local source (LAPIC_LVT_*) signals once: PMI, thermal, CMCI. True if delivered. */
bool lapic_local_interrupt(struct lapic *lapic, enum lapic_register lvt);

/* Highest vector in IRR or ISR, or -1. */
int lapic_highest_irr(const struct lapic *lapic);
int lapic_highest_isr(const struct lapic *lapic);

/* The vCPU's TSC was written or scaled: a TSC deadline moves in clock time. */
void lapic_tsc_changed(struct lapic *lapic);

/* --- KVM_GET_LAPIC, KVM_SET_LAPIC: -EINVAL if the APIC ID contradicts the x2APIC ID.
 * @ids32: KVM_X2APIC_API_USE_32BIT_IDS. Base and TSC deadline travel as MSRs; set the base
 * first. */
void lapic_get_state(struct lapic *lapic, struct kvm_lapic_state *state, bool ids32);
int lapic_set_state(struct lapic *lapic, const struct kvm_lapic_state *state, bool ids32);

#endif
