/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN's consistency checks: the predicates of checks.def. */
#include "sim/cpu/cet.h"
#include "sim/cpu/check_report.h"
#include "sim/svm-model/inputs.h"

#define V(input) check_input(in, input)

#define always NULL

static bool vmrun_intercepted(struct check_inputs *in)
{
	return V(VMCB_INTERCEPTS_4) & 1;
}

static bool asid_not_zero(struct check_inputs *in)
{
	return V(VMCB_GUEST_ASID);
}

/* --- control registers --- */

static bool efer_svme(struct check_inputs *in)
{
	return V(VMCB_EFER) & EFER_SVME;
}

static bool efer_reserved(struct check_inputs *in)
{
	return !(V(VMCB_EFER) & V(SVM_EFER_RESERVED));
}

static bool cr0_cache(struct check_inputs *in)
{
	return (V(VMCB_CR0) & (CR0_NW | CR0_CD)) != CR0_NW;
}

static bool cr0_high(struct check_inputs *in)
{
	return !(V(VMCB_CR0) >> 32);
}

/* As the processor will be: EFER.LMA is not looked at. */
static bool long_mode(struct check_inputs *in)
{
	return (V(VMCB_EFER) & EFER_LME) && (V(VMCB_CR0) & CR0_PG);
}

static bool long_mode_pae(struct check_inputs *in)
{
	return long_mode(in) && (V(VMCB_CR4) & CR4_PAE);
}

static u64 above(u64 bits)
{
	return bits < 64 ? ~(BIT(bits) - 1) : 0;
}

/* Bits 63:52, and those that no physical address has. Outside long mode CR3 has 32 bits, and the
 * others are ignored. */
static bool cr3_reserved(struct check_inputs *in)
{
	u64 lam = V(SVM_HAS_LAM) ? CR3_LAM_U57 | CR3_LAM_U48 : 0;

	return !(V(VMCB_CR3) & above(V(SVM_PHYSICAL_BITS)) & ~lam);
}

static bool cr4_reserved(struct check_inputs *in)
{
	return !(V(VMCB_CR4) & V(SVM_CR4_RESERVED));
}

static bool dr6_high(struct check_inputs *in)
{
	return !(V(VMCB_DR6) >> 32);
}

static bool dr7_high(struct check_inputs *in)
{
	return !(V(VMCB_DR7) >> 32);
}

static bool cr4_pae(struct check_inputs *in)
{
	return V(VMCB_CR4) & CR4_PAE;
}

static bool cr0_pe(struct check_inputs *in)
{
	return V(VMCB_CR0) & CR0_PE;
}

#define ATTRIB_L BIT(9)
#define ATTRIB_D BIT(10)

static bool cs_not_both(struct check_inputs *in)
{
	return (V(VMCB_CS_ATTRIB) & (ATTRIB_L | ATTRIB_D)) != (ATTRIB_L | ATTRIB_D);
}

/* --- CET --- */

static bool has_cet(struct check_inputs *in)
{
	return V(SVM_HAS_CET);
}

static bool cet_enabled(struct check_inputs *in)
{
	return V(VMCB_CR4) & CR4_CET;
}

static bool cr0_wp(struct check_inputs *in)
{
	return V(VMCB_CR0) & CR0_WP;
}

static bool virtual_8086(struct check_inputs *in)
{
	return cet_enabled(in) && (V(VMCB_RFLAGS) & FLAG_VM);
}

static bool no_user_shadow_stack(struct check_inputs *in)
{
	return !(V(SVM_U_CET) & CET_SH_STK_EN);
}

/* AMD has shadow stacks alone: SH_STK_EN and WR_SHSTK_EN (APM 2:18.13). */
static bool s_cet_reserved(struct check_inputs *in)
{
	return !(V(VMCB_S_CET) & ~UINT64_C(3));
}

/* --- permission maps: bits 11:0 of their addresses are ignored (APM 2:15.10.1, 15.11) --- */

/* "Extend to an address greater than or equal to the maximum supported": the map's last byte that
 * has a meaning is held against the last address that there is. */
static bool map_fits(u64 base, u64 last, u64 physical_bits)
{
	u64 page = base & ~PAGE_OFFSET_MASK;

	return !(page >> physical_bits) && page + last < BIT(physical_bits) - 1;
}

/* Three pages, of the third only the bits for the last port's wider accesses. */
static bool iopm_address(struct check_inputs *in)
{
	return map_fits(V(VMCB_IOPM_BASE_PA), 2 * PAGE_SIZE_4K, V(SVM_PHYSICAL_BITS));
}

static bool msrpm_address(struct check_inputs *in)
{
	return map_fits(V(VMCB_MSRPM_BASE_PA), 2 * PAGE_SIZE_4K - 1, V(SVM_PHYSICAL_BITS));
}

/* --- event injection --- */

static bool injects(struct check_inputs *in)
{
	return V(VMCB_EVENTINJ) & INJ_VALID;
}

static bool inject_type(struct check_inputs *in)
{
	switch (INJ_TYPE(V(VMCB_EVENTINJ))) {
	case INJ_INTR:
	case INJ_NMI:
	case INJ_EXCEPTION:
	case INJ_SOFTWARE:
		return true;
	default:
		return false;
	}
}

static bool injects_exception(struct check_inputs *in)
{
	return injects(in) && INJ_TYPE(V(VMCB_EVENTINJ)) == INJ_EXCEPTION;
}

/* #DE, #DB, #BP to #DF, #TS to #PF, #MF to #XF, and #SX; #CP with CET. 9 (coprocessor segment
 * overrun) is no processor's any more; #HV and #VC are of SEV, which is not offered (APM 2:8.1,
 * table 8-1). */
#define EXCEPTIONS (0xfdfbu & ~BIT(9) & ~BIT(15)) | 0xf0000u | (u32)BIT(30)

static bool inject_vector(struct check_inputs *in)
{
	u32 exceptions = EXCEPTIONS | (V(SVM_HAS_CET) ? (u32)BIT(VECTOR_CP) : 0);
	u8 vector = INJ_VECTOR(V(VMCB_EVENTINJ));

	return vector < 32 && (exceptions >> vector & 1);
}

/* The manual's example is the one that it has: BOUND is no instruction of 64-bit mode. */
static bool injects_bound_range(struct check_inputs *in)
{
	return injects_exception(in) && INJ_VECTOR(V(VMCB_EVENTINJ)) == VECTOR_BR;
}

static bool not_64bit(struct check_inputs *in)
{
	return !long_mode(in) || !(V(VMCB_CS_ATTRIB) & ATTRIB_L);
}

static bool virtual_nmi(struct check_inputs *in)
{
	return V(VMCB_V_INTR) & V_NMI_ENABLE;
}

static bool nmi_intercepted(struct check_inputs *in)
{
	return V(VMCB_INTERCEPTS_3) & BIT(1);
}

/* --- nested paging --- */

static bool nested_paging(struct check_inputs *in)
{
	return V(VMCB_NP_CONTROL) & NP_ENABLE;
}

static bool host_paging(struct check_inputs *in)
{
	return V(SVM_HOST_CR0) & CR0_PG;
}

/* With nested paging the guest's PDPTEs are read at every walk (APM 2:15.25.10). */
static bool loads_pdptes(struct check_inputs *in)
{
	return (V(VMCB_CR0) & CR0_PG) && (V(VMCB_CR4) & CR4_PAE) && !(V(VMCB_EFER) & EFER_LME) &&
	       !nested_paging(in);
}

#define PDPTE_P   BIT(0)
#define PDPTE_MBZ UINT64_C(0x1e6) /* bits 8:5 and 2:1 (APM 2:5.2.3, figure 5-10) */

static bool pdptes_reserved(struct check_inputs *in)
{
	u64 reserved = above(V(SVM_PHYSICAL_BITS)) | PDPTE_MBZ;

	for (unsigned int i = SVM_MEMORY_PDPTE0; i <= SVM_MEMORY_PDPTE3; i++)
		if ((V(i) & PDPTE_P) && (V(i) & reserved))
			return false;
	return true;
}

/* N_CR3 has the form of a CR3 of the host's paging mode. */
static bool n_cr3_reserved(struct check_inputs *in)
{
	return !(V(SVM_HOST_EFER) & EFER_LMA) || !(V(VMCB_N_CR3) & above(V(SVM_PHYSICAL_BITS)));
}

/* UC, WC, WT, WP, WB and UC- (APM 2:7.8.1, table 7-9). */
static bool g_pat_types(struct check_inputs *in)
{
	u64 pat = V(VMCB_G_PAT);

	for (unsigned int i = 0; i < 8; i++, pat >>= 8)
		if ((pat & 0xff) > 7 || !(0xf3 >> (pat & 0xff) & 1))
			return false;
	return true;
}

/* --- AVIC: bits 11:0 of its pointers are reserved, and not looked at --- */

/* A bit that the processor does not know says nothing. */
static bool x2avic_bit(struct check_inputs *in)
{
	return V(SVM_HAS_X2AVIC) && (V(VMCB_V_INTR) & V_X2AVIC_ENABLE);
}

static bool avic_bit(struct check_inputs *in)
{
	return V(VMCB_V_INTR) & V_AVIC_ENABLE;
}

static bool avic(struct check_inputs *in)
{
	return V(SVM_HAS_AVIC) && avic_bit(in);
}

/* x2AVIC has no use for the logical APIC ID table (APM 2:15.29.10). */
static bool xavic(struct check_inputs *in)
{
	return avic(in) && !x2avic_bit(in);
}

static bool pointer_valid(struct check_inputs *in, enum vmcb_field field)
{
	return !(V(field) & above(V(SVM_PHYSICAL_BITS)));
}

static bool backing_page_address(struct check_inputs *in)
{
	return pointer_valid(in, VMCB_AVIC_BACKING_PAGE);
}

static bool logical_table_address(struct check_inputs *in)
{
	return pointer_valid(in, VMCB_AVIC_LOGICAL_TABLE);
}

static bool physical_table_address(struct check_inputs *in)
{
	return pointer_valid(in, VMCB_AVIC_PHYSICAL_TABLE);
}

#define XAVIC_MAX_INDEX  255
#define X2AVIC_MAX_INDEX 511 /* without x2AVIC_EXT; with it, all that the field can say */

static bool max_index(struct check_inputs *in)
{
	u64 index = AVIC_MAX_INDEX(V(VMCB_AVIC_PHYSICAL_TABLE));

	if (!x2avic_bit(in))
		return index <= XAVIC_MAX_INDEX;
	return index <= X2AVIC_MAX_INDEX || V(SVM_HAS_X2AVIC_EXT);
}

/* --- the table --- */

static const struct check_row rows[] = {
#define CHECK(identifier_, manual_, subject_, applies_, holds_, rule_)                             \
	{                                                                                          \
		.identifier = identifier_,                                                         \
		.manual = manual_,                                                                 \
		.rule = rule_,                                                                     \
		.subject = subject_,                                                               \
		.applies = applies_,                                                               \
		.holds = holds_,                                                                   \
	},
#include "sim/svm-model/checks.def"
#undef CHECK
};

static const char *input_name(unsigned int input)
{
	static const char *const own[] = {
#define SVM_INPUT(identifier, name) [SVM_##identifier - VMCB_FIELD_COUNT] = name,
#include "sim/svm-model/check_inputs.def"
#undef SVM_INPUT
	};

	return input < VMCB_FIELD_COUNT ? vmcb_fields[input].name : own[input - VMCB_FIELD_COUNT];
}

/* One group: the manual orders nothing. */
static const char *group_name(u8 group)
{
	(void)group;
	return "VMRUN";
}

static const char *outcome_name(u8 outcome)
{
	(void)outcome;
	return "VMEXIT_INVALID";
}

const struct check_table svm_checks = {rows, ARRAY_SIZE(rows), input_name, group_name,
				       outcome_name};

bool svm_could_resume(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	struct svm_inputs inputs;

	svm_inputs_open(&inputs, cpu, svm->value);
	svm_inputs_set(&inputs, SVM_HOST_CR0, svm->host.cr0);
	svm_inputs_set(&inputs, SVM_HOST_EFER, svm->host.efer);
	return !check_first_failure(&inputs.in, 0, UINT8_MAX);
}

const struct check_row *svm_check(struct cpu *cpu)
{
	struct svm *svm = svm_of(cpu);
	const struct check_row *row;
	struct svm_inputs inputs;

	svm_inputs_open(&inputs, cpu, svm->value);
	row = check_first_failure(&inputs.in, 0, UINT8_MAX);
	if (row) {
		svm->failures++;
		svm_record_failures(cpu, &inputs.in, row);
		check_report_failure(&inputs.in, row, svm->failure, sizeof(svm->failure));
		vendor_refused(cpu, svm->failure);
	}
	return row;
}
