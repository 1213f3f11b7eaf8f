/* SPDX-License-Identifier: Apache-2.0 */
/* Where a processor with VMX stands, as lines for a person. */
#include <inttypes.h>

#include "sim/vmx-model/explain.h"
#include "sim/vmx-model/vmx.h"

static void print_controls(const struct vmx *vmx, FILE *to)
{
	fprintf(to,
		"controls in force: pin=%08" PRIx32 " primary=%08" PRIx32 " secondary=%08" PRIx32
		" tertiary=%" PRIx64 " exit=%08" PRIx32 " entry=%08" PRIx32 "\n",
		vmx->pin, vmx->primary, vmx->secondary, vmx->tertiary, vmx->exit_controls,
		vmx->entry_controls);
}

static void print_virtual_interrupts(const struct cpu *cpu, FILE *to)
{
	if (VMX_SECONDARY(cpu, VIRTUAL_INTERRUPT_DELIVERY))
		fprintf(to, "virtual interrupts: RVI=%02x SVI=%02x, %s recognized\n",
			vmx_request_vector(cpu), vmx_service_vector(cpu),
			vmx_of(cpu)->virtual_interrupt ? "one is" : "none is");
}

static void print_vmcs(const struct vmx *vmx, FILE *to)
{
	const u64 *value = vmx->value;

	fprintf(to, "current VMCS: %" PRIx64 ", %s%s\n", vmx->current,
		vmx->launched ? "launched" : "clear", vmx->shadow ? ", a shadow VMCS" : "");
	fprintf(to,
		"last exit: reason=%" PRIx64 " qualification=%" PRIx64 ", last error: %" PRIu64
		"\n",
		value[VMCS_EXIT_REASON], value[VMCS_EXIT_QUALIFICATION],
		value[VMCS_INSTRUCTION_ERROR]);
	fprintf(to, "guest: RIP=%" PRIx64 " EPTP=%" PRIx64 " VPID=%" PRIx64 "\n",
		value[VMCS_GUEST_RIP], value[VMCS_EPTP], value[VMCS_VPID]);
}

void vmx_print_info(const struct cpu *cpu, FILE *to)
{
	const struct vmx *vmx = vmx_of(cpu);

	if (!vmx->on) {
		fprintf(to, "outside VMX operation\n");
		return;
	}
	fprintf(to, "VMX %s operation\n", cpu->guest ? "non-root" : "root");
	if (vmx->current == VMCS_NONE)
		fprintf(to, "no current VMCS\n");
	else
		print_vmcs(vmx, to);
	if (cpu->guest) {
		print_controls(vmx, to);
		print_virtual_interrupts(cpu, to);
	}
	fprintf(to, "refused entries: %" PRIu64 "\n", vmx->failures);
	if (vmx->failures)
		fprintf(to, "%s\n", vmx->failure);
}
