/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC's interrupt path, modes, pins and errors against SDM 3A chapter 11. */
#include "../check.h"
#include "fake_vm.h"

static struct fake_vm vm;
static struct lapic *const apic = &vm.cpu[0].lapic;

/* SDM 3A:11.4.7.1, table 11-1: state after power-up. */
static void test_reset_state(void)
{
	static const struct {
		uint32_t offset, value;
	} rows[] = {
		{LAPIC_ID, 0x01000000},
		{LAPIC_VERSION, 0x00050014},
		{LAPIC_TPR, 0},
		{LAPIC_PPR, 0},
		{LAPIC_LDR, 0},
		{LAPIC_DFR, 0xffffffff},
		{LAPIC_SVR, 0xff},
		{LAPIC_ESR, 0},
		{LAPIC_ICR, 0},
		{LAPIC_ICR_HIGH, 0},
		{LAPIC_LVT_TIMER, 0x10000},
		{LAPIC_LVT_THERMAL, 0x10000},
		{LAPIC_LVT_PERF, 0x10000},
		{LAPIC_LVT_LINT0, 0x10000},
		{LAPIC_LVT_LINT1, 0x10000},
		{LAPIC_LVT_ERROR, 0x10000},
		{LAPIC_TIMER_INITIAL, 0},
		{LAPIC_TIMER_CURRENT, 0},
		{LAPIC_TIMER_DIVIDE, 0},
		{LAPIC_ISR, 0},
		{LAPIC_ISR + 0x70, 0},
		{LAPIC_TMR, 0},
		{LAPIC_TMR + 0x70, 0},
		{LAPIC_IRR, 0},
		{LAPIC_IRR + 0x70, 0},
	};
	unsigned int i;

	fake_vm_reset(&vm, 2, (struct lapic_config){.version = LAPIC_VERSION_INTEL});
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQUAL(fake_read(&vm.cpu[1].lapic, rows[i].offset), rows[i].value);
	CHECK_EQUAL(vm.cpu[0].lapic.base, 0xfee00900); /* 11.4.4: EN, BSP */
	CHECK_EQUAL(vm.cpu[1].lapic.base, 0xfee00800);
	CHECK_EQUAL(lapic_pending(apic), -1);
}

/* 11.8.4: IRR on arrival, ISR on dispatch, nothing after EOI. */
static void test_fixed(void)
{
	fake_vm_init(&vm, 1);
	CU_ASSERT_TRUE(fake_raise(apic, 0x51, false));
	CHECK_EQUAL(lapic_pending(apic), 0x51);
	CHECK_EQUAL(vm.cpu[0].changed, 1);
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_IRR, 0x51));
	CHECK_EQUAL(lapic_accept(apic), 0x51);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_IRR, 0x51));
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_ISR, 0x51));
	CHECK_EQUAL(lapic_pending(apic), -1);
	/* One more of the same vector may wait in IRR behind the one in service. */
	fake_raise(apic, 0x51, false);
	fake_raise(apic, 0x51, false);
	CHECK_EQUAL(lapic_pending(apic), -1);
	lapic_write(apic, LAPIC_EOI, 0);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_ISR, 0x51));
	CHECK_EQUAL(lapic_pending(apic), 0x51);
	CHECK_EQUAL(vm.cpu[0].changed, 2);
	CHECK_EQUAL(lapic_accept(apic), 0x51);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_pending(apic), -1);
	CHECK_EQUAL(vm.eois, 0);         /* edges are not broadcast */
	lapic_write(apic, LAPIC_EOI, 0); /* with nothing in service: no effect */
	CHECK_EQUAL(vm.eois, 0);
}

/* 11.8.3: the highest vector first; a class must exceed the one in service to nest. */
static void test_priority(void)
{
	fake_vm_init(&vm, 1);
	fake_raise(apic, 0x40, false);
	fake_raise(apic, 0xff, false);
	fake_raise(apic, 0x4f, false);
	fake_raise(apic, 0x10, false);
	CHECK_EQUAL(lapic_accept(apic), 0xff);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_accept(apic), 0x4f);
	CHECK_EQUAL(lapic_pending(apic), -1); /* 0x40 is of the same class */
	fake_raise(apic, 0x50, false);
	CHECK_EQUAL(lapic_accept(apic), 0x50);
	lapic_write(apic, LAPIC_EOI, 0); /* ends 0x50, the highest in service */
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_ISR, 0x4f));
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_accept(apic), 0x40);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_accept(apic), 0x10);
}

/* 11.8.3.1: PPR is the higher class of TPR and the highest vector in service. */
static void test_ppr(void)
{
	static const struct {
		uint8_t tpr, isr, ppr;
	} rows[] = {{0x00, 0, 0x00},    {0x35, 0, 0x35},    {0x35, 0x45, 0x40}, {0x55, 0x45, 0x55},
		    {0xff, 0xee, 0xff}, {0x0f, 0x31, 0x30}, {0x45, 0x41, 0x45}};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_vm_init(&vm, 1);
		if (rows[i].isr) {
			fake_raise(apic, rows[i].isr, false);
			lapic_accept(apic);
		}
		lapic_write(apic, LAPIC_TPR, rows[i].tpr);
		CHECK_EQUAL(fake_read(apic, LAPIC_PPR), rows[i].ppr);
	}
}

/* 11.8.6: CR8 is TPR bits 7:4 and clears bits 3:0; both gate delivery. */
static void test_tpr_and_cr8(void)
{
	fake_vm_init(&vm, 1);
	fake_raise(apic, 0x61, false);
	lapic_write(apic, LAPIC_TPR, 0x6f);
	CHECK_EQUAL(lapic_get_cr8(apic), 6);
	CHECK_EQUAL(lapic_pending(apic), -1);
	lapic_set_cr8(apic, 5);
	CHECK_EQUAL(fake_read(apic, LAPIC_TPR), 0x50);
	CHECK_EQUAL(lapic_pending(apic), 0x61);
	CHECK_EQUAL(vm.cpu[0].changed, 2);
	/* 11.9: masked between signal and INTA, the spurious vector is dispensed, without an
	 * ISR bit, and the request stays. */
	lapic_write(apic, LAPIC_SVR, 0x1ef);
	lapic_set_cr8(apic, 15);
	CHECK_EQUAL(lapic_accept(apic), 0xef);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_ISR, 0xef));
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_IRR, 0x61));
}

/* 11.8.4, 11.8.5: TMR follows the trigger at acceptance; level EOIs are broadcast. */
static void test_trigger_mode(void)
{
	fake_vm_init(&vm, 1);
	fake_raise(apic, 0x79, true);
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_TMR, 0x79));
	lapic_accept(apic);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(vm.eois, 1);
	CHECK_EQUAL(vm.eoi_vector, 0x79);
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_TMR, 0x79)); /* until the next acceptance */
	fake_raise(apic, 0x79, false);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_TMR, 0x79));
	lapic_accept(apic);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(vm.eois, 1);
}

/* 11.8.5: SVR bit 12 suppresses the broadcast, where version bit 24 offers it. */
static void test_eoi_suppression(void)
{
	uint32_t version = LAPIC_VERSION_INTEL;
	unsigned int i;

	for (i = 0; i < 2; i++, version |= LAPIC_VERSION_SUPPRESSES_EOI) {
		fake_vm_reset(&vm, 1, (struct lapic_config){.version = version});
		lapic_write(apic, LAPIC_SVR, 0x11ff);
		CHECK_EQUAL(fake_read(apic, LAPIC_SVR), i ? 0x11ff : 0x1ff);
		fake_raise(apic, 0x79, true);
		lapic_accept(apic);
		lapic_write(apic, LAPIC_EOI, 0);
		CHECK_EQUAL(vm.eois, i ? 0 : 1);
	}
}

/* 11.4.7.2: software-disabled. */
static void test_software_disable(void)
{
	static const uint8_t modes[] = {APIC_NMI, APIC_SMI, APIC_INIT, APIC_SIPI};
	struct apic_message message = {.vector = 0x9a, .assert = true};
	uint32_t lvt;
	unsigned int i;

	fake_vm_init(&vm, 1);
	for (lvt = LAPIC_LVT_TIMER; lvt <= LAPIC_LVT_ERROR; lvt += 0x10)
		lapic_write(apic, lvt, 0x41);
	fake_raise(apic, 0x51, false);
	lapic_write(apic, LAPIC_SVR, 0xff);
	/* "Pending interrupts in the IRR and ISR registers are held" */
	CHECK_EQUAL(lapic_pending(apic), 0x51);
	CU_ASSERT_FALSE(fake_raise(apic, 0x52, false));
	for (i = 0; i < sizeof(modes); i++) {
		message.delivery_mode = modes[i];
		CU_ASSERT_TRUE(lapic_receive(apic, &message, NULL));
	}
	CHECK_EQUAL(vm.cpu[0].nmi, 1);
	CHECK_EQUAL(vm.cpu[0].smi, 1);
	CHECK_EQUAL(vm.cpu[0].init, 1);
	CHECK_EQUAL(vm.cpu[0].sipi, 1);
	CHECK_EQUAL(vm.cpu[0].sipi_vector, 0x9a);
	/* "The mask bits for all the LVT entries are set. Attempts to reset these bits will be
	 * ignored." Enabling does not reset them either. */
	for (lvt = LAPIC_LVT_TIMER; lvt <= LAPIC_LVT_ERROR; lvt += 0x10) {
		CHECK_EQUAL(fake_read(apic, lvt), 0x10041);
		lapic_write(apic, lvt, 0x42);
		CHECK_EQUAL(fake_read(apic, lvt), 0x10042);
	}
	lapic_write(apic, LAPIC_LVT_TIMER, 0x10042);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_TIMER), 0x10042);
	lapic_write(apic, LAPIC_SVR, 0x1ff);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_TIMER), 0x10042);
	lapic_write(apic, LAPIC_LVT_TIMER, 0x42);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_TIMER), 0x42);
}

/* 11.4.3: disabled by IA32_APIC_BASE; LINT0 and LINT1 are INTR and NMI; CR8 lives on. */
static void test_hardware_disable(void)
{
	struct apic_message nmi = {.delivery_mode = APIC_NMI, .assert = true};

	fake_vm_init(&vm, 2);
	struct lapic *ap = &vm.cpu[1].lapic;

	fake_raise(ap, 0x51, false);
	lapic_write(ap, LAPIC_ID, 0x07000000);
	CHECK_EQUAL(lapic_msr_write(ap, LAPIC_MSR_BASE, 0xfee00000), 0);
	CU_ASSERT_FALSE(lapic_enabled(ap));
	CU_ASSERT_FALSE(lapic_mmio_claims(ap, 0xfee00030));
	CU_ASSERT_FALSE(lapic_receive(ap, &nmi, NULL));
	CHECK_EQUAL(lapic_pending(ap), -1);
	lapic_set_lint(ap, 0, true);
	CHECK_EQUAL(lapic_pending(ap), LAPIC_EXTINT);
	CHECK_EQUAL(lapic_accept(ap), 0x28);
	lapic_set_lint(ap, 0, false);
	lapic_set_lint(ap, 1, true);
	lapic_set_lint(ap, 1, true);
	CHECK_EQUAL(vm.cpu[1].nmi, 1);
	lapic_set_cr8(ap, 9);
	CHECK_EQUAL(lapic_get_cr8(ap), 9);
	lapic_set_cr8(ap, 0);
	/* Back in xAPIC mode: as after power-up, and at a new address. */
	CHECK_EQUAL(lapic_msr_write(ap, LAPIC_MSR_BASE, 0xfed40800), 0);
	CU_ASSERT_TRUE(lapic_mmio_claims(ap, 0xfed40fff));
	CU_ASSERT_FALSE(lapic_mmio_claims(ap, 0xfee00000));
	CHECK_EQUAL(fake_read(ap, LAPIC_ID), 0x01000000);
	CHECK_EQUAL(fake_read(ap, LAPIC_SVR), 0xff);
	CHECK_EQUAL(fake_read(ap, LAPIC_IRR + 0x20), 0);
	CHECK_EQUAL(fake_read(ap, LAPIC_LVT_LINT0), 0x10000);
}

/* 11.12.5, figure 11-27, table 11-5: EN:EXTD transitions by WRMSR. */
static void test_mode_transitions(void)
{
	/* Columns: to disabled, EXTD alone, xAPIC, x2APIC. */
	static const bool legal[4][4] = {
		[0] = {true, false, true, false},
		[2] = {true, false, true, true},
		[3] = {true, false, false, true},
	};
	unsigned int from, to;

	for (from = 0; from < 4; from++) {
		for (to = 0; to < 4 && from != 1; to++) {
			uint64_t value = 0xfee00100 | to << 10;

			fake_vm_init(&vm, 1);
			CHECK_EQUAL(lapic_set_base(apic, 0xfee00100 | from << 10, true), 0);
			CHECK_EQUAL(lapic_msr_write(apic, LAPIC_MSR_BASE, value),
				    legal[from][to] ? 0 : -1);
			CHECK_EQUAL(apic->base, legal[from][to] ? value : 0xfee00100 | from << 10);
			/* The host may restore any mode there is. */
			CHECK_EQUAL(lapic_set_base(apic, value, true), to == 1 ? -1 : 0);
		}
	}
}

/* 11.4.4: reserved bits, MAXPHYADDR; EXTD without CPUID.x2APIC. */
static void test_base_reserved(void)
{
	struct lapic_features features = {.x2apic = true, .tsc_deadline = true, .phys_bits = 40};
	unsigned int bit;

	fake_vm_init(&vm, 1);
	lapic_set_features(apic, &features);
	for (bit = 0; bit < 64; bit++) {
		bool reserved = bit < 8 || bit == 9 || bit >= 40;

		if (bit == 10 || bit == 11)
			continue;
		CHECK_EQUAL(lapic_msr_write(apic, LAPIC_MSR_BASE, 0xfee00900 ^ 1ull << bit),
			    reserved ? -1 : 0);
	}
	features.x2apic = false;
	lapic_set_features(apic, &features);
	CHECK_EQUAL(lapic_msr_write(apic, LAPIC_MSR_BASE, 0xfee00d00), -1);
}

/* 11.4.7.3: INIT resets all but the APIC ID; IA32_APIC_BASE is not touched. */
static void test_init_reset(void)
{
	struct apic_message extint = {.delivery_mode = APIC_EXTINT, .assert = true};

	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_ID, 0x05000000);
	lapic_write(apic, LAPIC_LDR, 0x01000000);
	lapic_write(apic, LAPIC_TPR, 0x20);
	fake_raise(apic, 0x51, false);
	fake_raise(apic, 0x01, false); /* collected for ESR */
	lapic_receive(apic, &extint, NULL);
	lapic_reset_init(apic);
	CHECK_EQUAL(fake_read(apic, LAPIC_ID), 0x05000000);
	CHECK_EQUAL(fake_read(apic, LAPIC_LDR), 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_TPR), 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_SVR), 0xff);
	CHECK_EQUAL(lapic_pending(apic), -1);
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), 0);
	fake_x2apic(apic);
	lapic_reset_init(apic);
	CU_ASSERT_TRUE(lapic_x2apic(apic)); /* 11.12.5: stays in x2APIC mode */
	lapic_reset(apic);
	CHECK_EQUAL(apic->base, 0xfee00900);
	CHECK_EQUAL(fake_read(apic, LAPIC_ID), 0);
}

/* 11.5.3: ESR shows what was collected since the last write to it. */
static void test_esr(void)
{
	uint32_t value;

	fake_vm_init(&vm, 1);
	CHECK_EQUAL(lapic_read(apic, 0x040, &value), -1);    /* reserved address */
	CHECK_EQUAL(lapic_write(apic, LAPIC_VERSION, 0), 0); /* read-only is not reserved */
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), 0);
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), LAPIC_ESR_ILLEGAL_ADDRESS);
	lapic_write(apic, LAPIC_ESR, 0xffffffff);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), 0);
	CHECK_EQUAL(lapic_write(apic, 0x3f0, 0), -1); /* x2APIC only */
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), LAPIC_ESR_ILLEGAL_ADDRESS);
	/* 16 is legal, and modes without a vector do not look at it. */
	lapic_write(apic, LAPIC_ICR, APIC_SHORTHAND_SELF << 18 | 0x10);
	lapic_write(apic, LAPIC_ICR, APIC_SHORTHAND_SELF << 18 | APIC_NMI << 8);
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), 0);
	CU_ASSERT_TRUE(fake_bit(apic, LAPIC_IRR, 0x10));
	lapic_accept(apic);
	/* A vector below 16: illegal to send, and to receive. */
	lapic_write(apic, LAPIC_ICR, APIC_SHORTHAND_SELF << 18 | 0x0f);
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), LAPIC_ESR_SEND_VECTOR | LAPIC_ESR_RECEIVE_VECTOR);
	CHECK_EQUAL(fake_read(apic, LAPIC_IRR), 0);
	/* ... from an LVT too */
	lapic_write(apic, LAPIC_LVT_THERMAL, 0x0f);
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR), LAPIC_ESR_RECEIVE_VECTOR);
}

/* 11.5.3: the write re-arms the error interrupt; it is collected whether masked or not. */
static void test_error_interrupt(void)
{
	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_LVT_ERROR, 0xfe);
	fake_read(apic, 0x040);
	CHECK_EQUAL(lapic_accept(apic), 0xfe);
	lapic_write(apic, LAPIC_EOI, 0);
	fake_read(apic, 0x040);
	CHECK_EQUAL(lapic_pending(apic), -1);
	lapic_write(apic, LAPIC_ESR, 0);
	fake_read(apic, 0x040);
	CHECK_EQUAL(lapic_pending(apic), 0xfe);
	/* An LVT error with an illegal vector must not recurse. */
	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_LVT_ERROR, 0x02);
	fake_read(apic, 0x040);
	lapic_write(apic, LAPIC_ESR, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_ESR),
		    LAPIC_ESR_ILLEGAL_ADDRESS | LAPIC_ESR_RECEIVE_VECTOR);
}

/* 11.5.1: LINT0 in ExtINT mode: the 8259's vector, no IRR, no ISR, no EOI. */
static void test_lint0_extint(void)
{
	fake_vm_init(&vm, 1);
	lapic_set_lint(apic, 0, true);
	CHECK_EQUAL(lapic_pending(apic), -1); /* masked */
	lapic_write(apic, LAPIC_LVT_LINT0, 0x700);
	CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
	fake_raise(apic, 0x51, false);
	CHECK_EQUAL(lapic_accept(apic), 0x28);
	CHECK_EQUAL(vm.cpu[0].inta, 1);
	CU_ASSERT_FALSE(fake_bit(apic, LAPIC_ISR, 0x28));
	lapic_set_lint(apic, 0, false);
	CHECK_EQUAL(lapic_pending(apic), 0x51);
	lapic_set_lint(apic, 0, true);
	CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
	lapic_write(apic, LAPIC_SVR, 0xff); /* masks LVTs */
	CHECK_EQUAL(lapic_pending(apic), 0x51);
}

/* As firmware leaves it, if asked: ExtINT on the bootstrap processor only. */
static void test_lint0_at_reset(void)
{
	fake_vm_reset(&vm, 2,
		      (struct lapic_config){.version = LAPIC_VERSION_INTEL, .lint0_extint = true});
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_LINT0), 0x700);
	CHECK_EQUAL(fake_read(&vm.cpu[1].lapic, LAPIC_LVT_LINT0), 0x10000);
	apic_bus_set_lint(&vm.bus, 0, true);
	CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
	CHECK_EQUAL(lapic_pending(&vm.cpu[1].lapic), -1);
}

/* 11.5.1: fixed mode on a pin; level trigger with remote IRR, which EOI resets. */
static void test_lint_fixed(void)
{
	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_LVT_LINT0, 0x61);
	lapic_set_lint(apic, 0, true);
	CHECK_EQUAL(lapic_pending(apic), 0x61);
	lapic_set_lint(apic, 0, true);
	CHECK_EQUAL(lapic_accept(apic), 0x61);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_pending(apic), -1); /* an edge is one interrupt */
	lapic_set_lint(apic, 0, false);
	lapic_write(apic, LAPIC_LVT_LINT0, 0x61 | LAPIC_LVT_LEVEL);
	lapic_set_lint(apic, 0, true);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_LINT0),
		    0x61 | LAPIC_LVT_LEVEL | LAPIC_LVT_REMOTE_IRR);
	CHECK_EQUAL(lapic_accept(apic), 0x61);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(lapic_accept(apic), 0x61); /* still asserted */
	lapic_set_lint(apic, 0, false);
	CU_ASSERT_TRUE(fake_read(apic, LAPIC_LVT_LINT0) & LAPIC_LVT_REMOTE_IRR);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_LINT0), 0x61 | LAPIC_LVT_LEVEL);
	CHECK_EQUAL(lapic_pending(apic), -1);
	/* Asserted while masked, a level is delivered on unmasking; each pin has its EOI. */
	lapic_write(apic, LAPIC_LVT_LINT1, 0x62 | LAPIC_LVT_LEVEL | LAPIC_LVT_MASKED);
	lapic_set_lint(apic, 0, true);
	lapic_set_lint(apic, 1, true);
	CHECK_EQUAL(lapic_accept(apic), 0x61);
	lapic_write(apic, LAPIC_LVT_LINT1, 0x72 | LAPIC_LVT_LEVEL);
	CHECK_EQUAL(lapic_accept(apic), 0x72);
	lapic_set_lint(apic, 0, false);
	lapic_set_lint(apic, 1, false);
	lapic_write(apic, LAPIC_EOI, 0);
	CHECK_EQUAL(fake_read(apic, LAPIC_LVT_LINT1), 0x72 | LAPIC_LVT_LEVEL);
	CU_ASSERT_TRUE(fake_read(apic, LAPIC_LVT_LINT0) & LAPIC_LVT_REMOTE_IRR);
}

/* 11.5.1: NMI, SMI and INIT in an LVT are edges whatever the trigger bit says. */
static void test_lvt_modes(void)
{
	fake_vm_init(&vm, 1);
	lapic_write(apic, LAPIC_LVT_LINT1, LAPIC_LVT_LEVEL | APIC_NMI << 8);
	apic_bus_set_lint(&vm.bus, 1, true);
	CHECK_EQUAL(vm.cpu[0].nmi, 1);
	apic_bus_set_lint(&vm.bus, 1, true);
	CHECK_EQUAL(vm.cpu[0].nmi, 1);
	apic_bus_set_lint(&vm.bus, 1, false);
	apic_bus_set_lint(&vm.bus, 1, true);
	CHECK_EQUAL(vm.cpu[0].nmi, 2);
	lapic_write(apic, LAPIC_LVT_THERMAL, APIC_SMI << 8);
	CU_ASSERT_TRUE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	CHECK_EQUAL(vm.cpu[0].smi, 1);
	lapic_write(apic, LAPIC_LVT_THERMAL, APIC_SMI << 8 | LAPIC_LVT_MASKED);
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	CHECK_EQUAL(vm.cpu[0].smi, 1);
	/* Lowest priority, start-up and (but for the pins) ExtINT are no modes of an LVT. */
	lapic_write(apic, LAPIC_LVT_THERMAL, APIC_LOWEST << 8 | 0x41);
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	lapic_write(apic, LAPIC_LVT_THERMAL, APIC_SIPI << 8 | 0x41);
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	lapic_write(apic, LAPIC_LVT_THERMAL, APIC_EXTINT << 8 | 0x41);
	CU_ASSERT_FALSE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	CHECK_EQUAL(vm.cpu[0].sipi, 0);
	CHECK_EQUAL(lapic_pending(apic), -1);
	lapic_write(apic, LAPIC_LVT_THERMAL, 0x41);
	CU_ASSERT_TRUE(lapic_local_interrupt(apic, LAPIC_LVT_THERMAL));
	CHECK_EQUAL(lapic_pending(apic), 0x41);
}

/* SDM 3B:20.6.3.5: delivering a PMI masks its LVT entry; on AMD processors it does not. */
static void test_pmi(void)
{
	unsigned int masks;

	for (masks = 0; masks < 2; masks++) {
		fake_vm_reset(
			&vm, 1,
			(struct lapic_config){.version = LAPIC_VERSION_INTEL, .pmi_masks = masks});
		lapic_write(apic, LAPIC_SVR, 0x1ff);
		lapic_write(apic, LAPIC_LVT_PERF, APIC_NMI << 8);
		CU_ASSERT_TRUE(lapic_local_interrupt(apic, LAPIC_LVT_PERF));
		CHECK_EQUAL(lapic_local_interrupt(apic, LAPIC_LVT_PERF), !masks);
		CHECK_EQUAL(vm.cpu[0].nmi, masks ? 1 : 2);
	}
}

/* An ExtINT message (I/O APIC pin 0 in virtual-wire mode) waits for one INTA. */
static void test_extint_message(void)
{
	struct apic_message message = {.delivery_mode = APIC_EXTINT, .assert = true};

	fake_vm_init(&vm, 1);
	CU_ASSERT_TRUE(lapic_receive(apic, &message, NULL));
	CHECK_EQUAL(lapic_pending(apic), LAPIC_EXTINT);
	CHECK_EQUAL(lapic_accept(apic), 0x28);
	CHECK_EQUAL(lapic_pending(apic), -1);
}

static CU_TestInfo tests[] = {
	{"state after power-up", test_reset_state},
	{"fixed: IRR, ISR, EOI", test_fixed},
	{"priority and nesting", test_priority},
	{"PPR", test_ppr},
	{"TPR, CR8, spurious vector", test_tpr_and_cr8},
	{"TMR and EOI broadcast", test_trigger_mode},
	{"EOI-broadcast suppression", test_eoi_suppression},
	{"software disable", test_software_disable},
	{"hardware disable", test_hardware_disable},
	{"mode transitions", test_mode_transitions},
	{"reserved bits of IA32_APIC_BASE", test_base_reserved},
	{"INIT and RESET", test_init_reset},
	{"ESR", test_esr},
	{"error interrupt", test_error_interrupt},
	{"LINT0 ExtINT", test_lint0_extint},
	{"LINT0 at reset", test_lint0_at_reset},
	{"LINT fixed, edge and level", test_lint_fixed},
	{"LVT delivery modes", test_lvt_modes},
	{"PMI", test_pmi},
	{"ExtINT message", test_extint_message},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("local APIC", tests)
