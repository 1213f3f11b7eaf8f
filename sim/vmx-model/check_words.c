/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vmx-model/check_words.h"

/* SDM 3A table 12-10: the types that PAT entries may have. */
bool pat_valid(u64 pat)
{
	for (unsigned int i = 0; i < 8; i++, pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
			return false;
	return true;
}

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC: a processor with CET, whose #CP has one, asks nothing of bit 11
 * (SDM 3C:27.2.1.3, IA32_VMX_BASIC[56]). */
bool vector_has_error_code(u64 vector)
{
	const u64 with = BIT(VECTOR_DF) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) |
			 BIT(VECTOR_GP) | BIT(VECTOR_PF) | BIT(VECTOR_AC);

	return vector < 32 && (with >> vector & 1);
}

bool granularity_valid(struct check_inputs *in, enum vmcs_field limit_field,
		       enum vmcs_field rights_field)
{
	u64 limit = check_input(in, limit_field), rights = check_input(in, rights_field);

	if ((limit & 0xfff) != 0xfff && (rights & SEG_G))
		return false;
	return !(limit & 0xfff00000) || (rights & SEG_G);
}

/* Bit 10, SUPPRESS, and bit 11, TRACKER, are not both 1. */
bool s_cet_valid(struct check_inputs *in, u64 value)
{
	return !(value & IN(S_CET_RESERVED)) && (value >> 10 & 3) != 3 &&
	       CANONICAL(value & ~PAGE_OFFSET_MASK);
}

bool eptp_memory_type(struct check_inputs *in)
{
	switch (F(EPTP) & 7) {
	case 0:
		return CAPABILITY(EPT_VPID) & EPT_VPID_UNCACHEABLE;
	case 6:
		return CAPABILITY(EPT_VPID) & EPT_VPID_WRITE_BACK;
	default:
		return false;
	}
}

bool eptp_walk_length(struct check_inputs *in)
{
	switch (F(EPTP) >> 3 & 7) {
	case 3:
		return CAPABILITY(EPT_VPID) & EPT_VPID_WALK_4;
	case 4:
		return CAPABILITY(EPT_VPID) & EPT_VPID_WALK_5;
	default:
		return false;
	}
}

bool injected_vector_valid(struct check_inputs *in)
{
	switch (INJECTED_TYPE) {
	case TYPE_NMI:
		return INJECTED_VECTOR == VECTOR_NMI;
	case TYPE_EXCEPTION:
		return INJECTED_VECTOR <= 31;
	case TYPE_OTHER:
		return INJECTED_VECTOR == 0;
	default:
		return true;
	}
}

bool cs_dpl_valid(struct check_inputs *in)
{
	switch (TYPE(CS)) {
	case 3:
		return DPL(CS) == 0;
	case 9:
	case 11:
		return DPL(CS) == DPL(SS);
	case 13:
	case 15:
		return DPL(CS) <= DPL(SS);
	default:
		return true; /* guest_cs_type fails */
	}
}

/* What may be injected in each activity state (SDM 3C:27.3.1.5). */
bool wakes_from_activity(struct check_inputs *in)
{
	u64 type = INJECTED_TYPE, vector = INJECTED_VECTOR;
	bool nmi = type == TYPE_NMI, exception = type == TYPE_EXCEPTION;

	switch (F(GUEST_ACTIVITY)) {
	case HLT:
		return type == TYPE_EXTERNAL || nmi || type == TYPE_OTHER ||
		       (exception && (vector == VECTOR_DB || vector == VECTOR_MC));
	case SHUTDOWN:
		return nmi || (exception && vector == VECTOR_MC);
	case WAIT_FOR_SIPI:
		return false;
	default:
		return true;
	}
}

bool pdpte_valid(struct check_inputs *in, u64 pdpte)
{
	return !(pdpte & 1) || !(pdpte & IN(PDPTE_RESERVED));
}
