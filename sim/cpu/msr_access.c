/* SPDX-License-Identifier: Apache-2.0 */
/* How each kind of MSR is read and written: the access column of msrs.def. */
#include "sim/cpu/msr_access.h"
#include "apic/lapic.h"
#include "sim/cpu/apic_registers.h"
#include "sim/cpu/cet.h"
#include "sim/cpu/control.h"
#include "sim/cpu/debug_registers.h"
#include "sim/cpu/platform_lock.h"
#include "sim/cpu/pmu.h"
#include "sim/cpu/segment.h"
#include "sim/cpu/vendor.h"

/* --- storage --- */

READ(stored)
{
	UNUSED;
	*value = cpu->msr[row->index];
	return true;
}

WRITE(stored)
{
	UNUSED;
	cpu->msr[row->index] = value;
	return true;
}

ACCESS(PLAIN, read_stored, write_stored);

WRITE(host_only)
{
	if (!host)
		return false;
	cpu->msr[row->index] = value;
	return true;
}

ACCESS(FIXED, read_stored, write_host_only);

WRITE(canonical)
{
	return base_canonical(cpu, value) && write_stored(cpu, row, value, host);
}

ACCESS(CANONICAL, read_stored, write_canonical);

/* --- time --- */

READ(tsc)
{
	(void)row;
	*value = host ? cpu_tsc(cpu) : cpu_tsc_seen(cpu);
	return true;
}

/* cpu->msr[MSR_TSC] is what is added to the time to make the TSC. */
static void tsc_move(struct cpu *cpu, u64 delta)
{
	cpu->msr[MSR_TSC] += delta;
	if (!cpu->lapic)
		return;
	platform_lock(cpu);
	lapic_tsc_changed(cpu->lapic);
	platform_unlock(cpu);
}

/* SDM 3B:17.17.3: what a write adds to the TSC it adds to IA32_TSC_ADJUST, too. */
WRITE(tsc)
{
	u64 delta = value - cpu_tsc(cpu);

	UNUSED;
	if (!host)
		cpu->msr[MSR_TSC_ADJUST] += delta;
	tsc_move(cpu, delta);
	return true;
}

ACCESS(TSC, read_tsc, write_tsc);

/* A restore brings the TSC itself, so it only stores this register. */
WRITE(tsc_adjust)
{
	if (!host)
		tsc_move(cpu, value - cpu->msr[MSR_TSC_ADJUST]);
	return write_stored(cpu, row, value, host);
}

ACCESS(TSC_ADJUST, read_stored, write_tsc_adjust);

static bool has_tsc_aux(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_RDTSCP) || cpu_has(cpu, FEATURE_RDPID);
}

READ(tsc_aux)
{
	return has_tsc_aux(cpu) && read_stored(cpu, row, value, host);
}

WRITE(tsc_aux)
{
	return has_tsc_aux(cpu) && write_stored(cpu, row, value, host);
}

ACCESS(TSC_AUX, read_tsc_aux, write_tsc_aux);

/* --- SMM --- */

/* A guest may read it in SMM only, and only if IA32_VMX_MISC[15] says so, which it does not: KVM's
 * way to save it is all that there is. */
READ(smbase)
{
	(void)row;
	*value = cpu->smbase;
	return host;
}

WRITE(smbase)
{
	UNUSED;
	if (host)
		cpu->smbase = (u32)value;
	return host;
}

ACCESS(SMBASE, read_smbase, write_smbase);

/* --- local APIC --- */

/* The APIC base is there even if the APIC itself is user space's. */
READ(lapic)
{
	bool ok = true;

	UNUSED;
	platform_lock(cpu);
	if (row->number == LAPIC_MSR_BASE)
		*value = cpu_apic_base(cpu);
	else
		ok = cpu->lapic && !lapic_msr_read(cpu->lapic, row->number, value);
	platform_unlock(cpu);
	return ok;
}

WRITE(lapic)
{
	bool ok;

	platform_lock(cpu);
	if (row->number == LAPIC_MSR_BASE)
		ok = cpu_set_apic_base(cpu, value, host);
	else
		ok = cpu->lapic && !lapic_msr_write(cpu->lapic, row->number, value);
	platform_unlock(cpu);
	return ok;
}

ACCESS(LAPIC, read_lapic, write_lapic);

/* --- system configuration --- */

READ(efer)
{
	UNUSED;
	*value = cpu->efer;
	return true;
}

WRITE(efer)
{
	UNUSED;
	return control_set_efer(cpu, value, host);
}

ACCESS(EFER, read_efer, write_efer);

/* The loader protocol: software writes 0, executes CPUID and reads the revision. */
WRITE(microcode)
{
	return !host || write_stored(cpu, row, value, host);
}

ACCESS(MICROCODE, read_stored, write_microcode);

#define MISC_ENABLE_READ_ONLY (BIT(7) | BIT(11) | BIT(12))
#define MISC_ENABLE_KNOWN                                                                          \
	(BIT(0) | BIT(3) | BIT(16) | BIT(18) | BIT(22) | BIT(23) | BIT(34) | MISC_ENABLE_READ_ONLY)

WRITE(misc_enable)
{
	u64 kept = host ? 0 : MISC_ENABLE_READ_ONLY;

	if (value & ~MISC_ENABLE_KNOWN)
		return false;
	value = (value & ~kept) | (cpu->msr[row->index] & kept);
	return write_stored(cpu, row, value, host);
}

ACCESS(MISC_ENABLE, read_stored, write_misc_enable);

/* BTF, AMD's LBR, and on Intel what a PMI freezes (SDM 3B:18.4.7); Intel's branch records and the
 * trace store are not there. LBR then means nothing: it may be written and reads as 0 (SDM
 * 3B:18.4.1). */
WRITE(debugctl)
{
	bool freezes = !cpu->amd && cpu->pmu.version >= 2 && cpu_has(cpu, FEATURE_PDCM);

	if (!freezes && (value & (DEBUGCTL_FREEZE_LBRS | DEBUGCTL_FREEZE_COUNTERS)))
		return false;
	write_stored(cpu, row, cpu->amd ? value : value & ~DEBUGCTL_LBR, host);
	cpu_update_mode(cpu);
	return true;
}

ACCESS(DEBUGCTL, read_stored, write_debugctl);

#define HWCR_IGNORED      (BIT(3) | BIT(6) | BIT(8)) /* TLB cache, flush filter, IGNNE */
#define HWCR_MC_STATUS    BIT(18)                    /* McStatusWrEn */
#define HWCR_TSC_FREQ_SEL BIT(24)

/* SmmLock stays set (APM 2:15.32.1). */
WRITE(hwcr)
{
	value &= ~HWCR_IGNORED;
	if (!host)
		value |= cpu->msr[row->index] & HWCR_SMMLOCK;
	return !(value & ~(HWCR_SMMLOCK | HWCR_MC_STATUS | HWCR_TSC_FREQ_SEL)) &&
	       write_stored(cpu, row, value, host);
}

ACCESS(HWCR, read_stored, write_hwcr);

/* Locked until the next reset (SDM 3C:24.7). */
WRITE(feature_control)
{
	if (!host && (cpu->msr[row->index] & FEATURE_CONTROL_LOCK))
		return false;
	if ((value & FEATURE_CONTROL_VMXON) && !cpu_has(cpu, FEATURE_VMX))
		return false;
	return write_stored(cpu, row, value, host);
}

ACCESS(FEATURE_CONTROL, read_stored, write_feature_control);

/* --- what belongs to VMX or SVM --- */

READ(vendor)
{
	return cpu->vendor->msr_read(cpu, row->number, value, host);
}

WRITE(vendor)
{
	return cpu->vendor->msr_write(cpu, row->number, value, host);
}

ACCESS(VENDOR, read_vendor, write_vendor);

/* A signal, not a value. Of the physical APIC ID that is written the APM shows 8 bits, its physical
 * APIC ID table 12 and the processors' own manuals (PPR, AvicDoorbell) 32: no more are reserved. */
WRITE(doorbell)
{
	(void)row;
	if (host)
		return false;
	platform_lock(cpu);
	cpu_ring_doorbell(cpu, value);
	platform_unlock(cpu);
	return true;
}

ACCESS(DOORBELL, NULL, write_doorbell);

/* --- machine check --- */

/* SDM 3B:16.3.1.3, 16.3.2.1: software writes all ones or zero; else #GP. */
WRITE(mc_ctl)
{
	return (value == 0 || value == UINT64_MAX || host) && write_stored(cpu, row, value, host);
}

ACCESS(MC_CTL, read_stored, write_mc_ctl);

/* SDM 3B:16.3.2.2: only zero may be written; AMD allows all with HWCR.McStatusWrEn. */
WRITE(mc_status)
{
	bool open = host || (cpu->amd && (cpu->msr[MSR_HWCR] & HWCR_MC_STATUS));

	return (value == 0 || open) && write_stored(cpu, row, value, host);
}

ACCESS(MC_STATUS, read_stored, write_mc_status);

/* --- memory types --- */

static bool mtrr_type_valid(u8 type)
{
	return type < 8 && (0x73 >> type & 1); /* UC WC WT WP WB: SDM 3A table 12-8 */
}

static bool all_types_valid(u64 value, unsigned int allowed)
{
	for (unsigned int i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || !(allowed >> (value & 0xff) & 1))
			return false;
	return true;
}

/* User space's is the hypervisor's (api.rst 4.114); a guest's is part of the nested state. */
static u64 *pat_of(struct cpu *cpu, bool host)
{
	u64 *outer = host && cpu->guest && cpu->vendor->host_pat ? cpu->vendor->host_pat(cpu) : NULL;

	return outer ? outer : &cpu->msr[MSR_PAT];
}

READ(pat)
{
	(void)row;
	*value = *pat_of(cpu, host);
	return true;
}

/* SDM 3A:12.12.2: the MTRRs' types and UC- (7). */
WRITE(pat)
{
	(void)row;
	if (!all_types_valid(value, 0xf3))
		return false;
	*pat_of(cpu, host) = value;
	return true;
}

ACCESS(PAT, read_pat, write_pat);

WRITE(mtrr_fixed)
{
	return all_types_valid(value, 0x73) && write_stored(cpu, row, value, host);
}

ACCESS(MTRR_FIXED, read_stored, write_mtrr_fixed);

static bool beyond_physical(const struct cpu *cpu, u64 value)
{
	return value >> cpu->physical_bits;
}

WRITE(mtrr_base)
{
	return mtrr_type_valid(value) && !(value & 0xf00) && !beyond_physical(cpu, value) &&
	       write_stored(cpu, row, value, host);
}

ACCESS(MTRR_BASE, read_stored, write_mtrr_base);

WRITE(mtrr_mask)
{
	return !(value & 0x7ff) && !beyond_physical(cpu, value) &&
	       write_stored(cpu, row, value, host);
}

ACCESS(MTRR_MASK, read_stored, write_mtrr_mask);

WRITE(mtrr_default)
{
	return mtrr_type_valid(value) && write_stored(cpu, row, value, host);
}

ACCESS(MTRR_DEFAULT, read_stored, write_mtrr_default);

/* --- speculation controls: storage, for nothing here speculates --- */

#define SPEC_IBRS  BIT(0)
#define SPEC_STIBP BIT(1)
#define SPEC_SSBD  BIT(2)
#define SPEC_BHI   BIT(10) /* BHI_DIS_S */

static u64 spec_ctrl_bits(const struct cpu *cpu)
{
	bool ibrs = cpu_has(cpu, FEATURE_SPEC_CTRL) || cpu_has(cpu, FEATURE_AMD_IBRS);
	bool stibp = cpu_has(cpu, FEATURE_STIBP) || cpu_has(cpu, FEATURE_AMD_STIBP);
	bool ssbd = cpu_has(cpu, FEATURE_SPEC_CTRL_SSBD) || cpu_has(cpu, FEATURE_AMD_SSBD);

	return (ibrs ? SPEC_IBRS : 0) | (stibp ? SPEC_STIBP : 0) | (ssbd ? SPEC_SSBD : 0) |
	       (cpu_has(cpu, FEATURE_BHI_CTRL) ? SPEC_BHI : 0);
}

READ(spec_ctrl)
{
	return spec_ctrl_bits(cpu) && read_stored(cpu, row, value, host);
}

WRITE(spec_ctrl)
{
	u64 bits = spec_ctrl_bits(cpu);

	return bits && !(value & ~bits) && write_stored(cpu, row, value, host);
}

ACCESS(SPEC_CTRL, read_spec_ctrl, write_spec_ctrl);

#define PRED_IBPB BIT(0)
#define PRED_SBPB BIT(7)

WRITE(pred_cmd)
{
	bool ibpb = cpu_has(cpu, FEATURE_SPEC_CTRL) || cpu_has(cpu, FEATURE_AMD_IBPB);
	bool sbpb = cpu_has(cpu, FEATURE_SBPB);

	UNUSED;
	return (ibpb || sbpb) && !(value & ~((ibpb ? PRED_IBPB : 0) | (sbpb ? PRED_SBPB : 0)));
}

ACCESS(PRED_CMD, NULL, write_pred_cmd);

/* --- CET, protection keys, extended state --- */

static bool has_cet(const struct cpu *cpu)
{
	return cpu_has(cpu, FEATURE_CET_SS) || cpu_has(cpu, FEATURE_CET_IBT);
}

READ(cet)
{
	return has_cet(cpu) && read_stored(cpu, row, value, host);
}

WRITE(cet)
{
	if (!has_cet(cpu) || !cet_control_valid(cpu, value))
		return false;
	write_stored(cpu, row, value, host);
	cpu_update_mode(cpu);
	return true;
}

ACCESS(CET, read_cet, write_cet);

/* cpu_update_mode drops the translations that other rights were seen with. */
WRITE(pkrs)
{
	write_stored(cpu, row, value, host);
	cpu_update_mode(cpu);
	return true;
}

ACCESS(PKRS, read_stored, write_pkrs);

WRITE(xss)
{
	return !(value & ~cpu->xss_supported) && write_stored(cpu, row, value, host);
}

ACCESS(XSS, read_stored, write_xss);

/* --- segment bases --- */

static enum segment_index segment_of(const struct msr_row *row)
{
	return row->index == MSR_FS_BASE ? SEG_FS : SEG_GS;
}

READ(segment_base)
{
	UNUSED;
	*value = SEG_BASE(cpu, segment_of(row));
	return true;
}

WRITE(segment_base)
{
	UNUSED;
	if (!base_canonical(cpu, value))
		return false;
	SEG_BASE(cpu, segment_of(row)) = value;
	return true;
}

ACCESS(SEGMENT_BASE, read_segment_base, write_segment_base);
