/* SPDX-License-Identifier: Apache-2.0 */
/* What VMX or SVM keeps, for a state from which a run goes on to the byte. */
#include "sim/exact_state.h"
#include "sim/svm-model/svm.h"
#include "sim/vmx-model/vmx.h"

#define FIELD(member) RECORD_FIELD(struct vmx, member)
static const struct record_field vmx_fields[] = {
	FIELD(value),
	FIELD(on),
	FIELD(launched),
	FIELD(shadow),
	FIELD(region),
	FIELD(current),
	FIELD(pin),
	FIELD(primary),
	FIELD(secondary),
	FIELD(tertiary),
	FIELD(exit_controls),
	FIELD(entry_controls),
	FIELD(timer_end),
	FIELD(pause_first),
	FIELD(pause_last),
	FIELD(boundary),
	FIELD(failures),
	FIELD(failure),
	FIELD(virtual_interrupt),
	FIELD(bus_locked),
	FIELD(apic_write.offset),
	FIELD(apic_write.size),
	FIELD(trap.reason),
	FIELD(trap.qualification),
	FIELD(smm.vmxe),
	FIELD(smm.on),
	FIELD(smm.guest),
	FIELD(smm.nmi_virtual),
	FIELD(smm.iret_keeps_nmi),
	FIELD(smm.trap_due),
	FIELD(smm.shadow),
	FIELD(smm.pdpte),
};
#undef FIELD
static const struct record_table vmx_table = {
	.name = "VMX", .version = 2, RECORD_FIELDS(vmx_fields)};

#define FIELD(member) RECORD_FIELD(struct svm, member)
#define HOST(member)  RECORD_FIELD(struct svm, host.member)
static const struct record_field svm_fields[] = {
	FIELD(value),
	FIELD(vmcb),
	FIELD(gif),
	FIELD(exit.code),
	FIELD(exit.info1),
	FIELD(pause_left),
	FIELD(last_pause),
	FIELD(interrupted),
	FIELD(avic_written),
	FIELD(failures),
	FIELD(failure),
	RECORD_FIELD_OF_EACH(struct svm, host.segment, selector),
	RECORD_FIELD_OF_EACH(struct svm, host.segment, limit),
	RECORD_FIELD_OF_EACH(struct svm, host.segment, rights),
	HOST(base),
	HOST(gdtr.base),
	HOST(gdtr.limit),
	HOST(idtr.base),
	HOST(idtr.limit),
	HOST(efer),
	HOST(cr0),
	HOST(cr3),
	HOST(cr4),
	HOST(rflags),
	HOST(rip),
	HOST(rsp),
	HOST(rax),
	HOST(pat),
	HOST(s_cet),
	HOST(ssp),
	HOST(isst),
	HOST(branch),
	HOST(step),
};
#undef FIELD
#undef HOST
static const struct record_table svm_table = {
	.name = "SVM", .version = 2, RECORD_FIELDS(svm_fields)};

static const struct record_table *table_of(const struct cpu *cpu)
{
	if (cpu->vendor == &vmx_ops)
		return &vmx_table;
	return cpu->vendor == &svm_ops ? &svm_table : NULL;
}

void exact_save_model(const struct cpu *cpu, struct record_buffer *to)
{
	if (table_of(cpu))
		record_encode(to, table_of(cpu), cpu->virtualization);
}

int exact_load_model(struct cpu *cpu, struct record_reader *from, struct ls_error *err)
{
	return table_of(cpu) ? record_decode(from, table_of(cpu), cpu->virtualization, NULL, err)
			     : 0;
}
