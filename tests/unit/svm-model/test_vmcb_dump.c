/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of a VMCB: that each field of each format arrives, and what is said of one that is wrong;
 * what the monitor is told of a processor with SVM. */
#include <stdlib.h>

#include "sim/cpu/check_report.h"
#include "sim/svm-model/dump.h"
#include "tests/unit/check.h"
#include "tests/unit/printed.h"
#include "tests/unit/svm-model/checks_base.h"

static u64 value[SVM_INPUT_COUNT];
static struct svm_inputs inputs;

static bool known(unsigned int input)
{
	return inputs.known[input / 64] >> input % 64 & 1;
}

#define CHECK_FIELD(field, expected)                                                               \
	do {                                                                                       \
		CHECK_ROW(known(VMCB_##field), "%s is not known", #field);                         \
		CHECK_EQUAL(value[VMCB_##field], expected);                                        \
	} while (0)

/* As dmesg shows it. */
static const char kvm[] =
	"[   50.000000] SVM: VMCB 00000000deadbeef, last attempted VMRUN on CPU 1\n"
	"[   50.000001] SVM: VMCB Control Area:\n"
	"[   50.000002] SVM: cr_read:            0010\n"
	"[   50.000003] SVM: cr_write:           0118\n"
	"[   50.000004] SVM: dr_read:            00ff\n"
	"[   50.000005] SVM: dr_write:           00fe\n"
	"[   50.000006] SVM: exceptions:         00060042\n"
	"[   50.000007] SVM: intercepts:         bc4c8037 0000407f\n"
	"[   50.000008] SVM: pause filter count: 3000\n"
	"[   50.000009] SVM: pause filter threshold:128\n"
	"[   50.000010] SVM: iopm_base_pa:       0000000104490000\n"
	"[   50.000011] SVM: msrpm_base_pa:      0000000105e42000\n"
	"[   50.000012] SVM: tsc_offset:         fffffff20f3a9cb3\n"
	"[   50.000013] SVM: asid:               17\n"
	"[   50.000014] SVM: tlb_ctl:            3\n"
	"[   50.000015] SVM: int_ctl:            0f000100\n"
	"[   50.000016] SVM: int_vector:         00000030\n"
	"[   50.000017] SVM: int_state:          00000001\n"
	"[   50.000018] SVM: exit_code:          ffffffff\n"
	"[   50.000019] SVM: exit_info1:         0000000000000007\n"
	"[   50.000020] SVM: exit_info2:         0000000000000008\n"
	"[   50.000021] SVM: exit_int_info:      80000b0e\n"
	"[   50.000022] SVM: exit_int_info_err:  00000002\n"
	"[   50.000023] SVM: nested_ctl:         1\n"
	"[   50.000024] SVM: nested_cr3:         00000001031f8000\n"
	"[   50.000025] SVM: avic_vapic_bar:     00000000fee00000\n"
	"[   50.000026] SVM: event_inj:          80000b0d\n"
	"[   50.000027] SVM: event_inj_err:      00000020\n"
	"[   50.000028] SVM: virt_ext:           2\n"
	"[   50.000029] SVM: next_rip:           0000000000001003\n"
	"[   50.000030] SVM: avic_backing_page:  0000000104a52000\n"
	"[   50.000030] SVM: avic_logical_id:    0000000104a53000\n"
	"[   50.000030] SVM: avic_physical_id:   0000000104a540fe\n"
	"[   50.000030] SVM: VMCB State Save Area:\n"
	"[   50.000031] SVM: es:   s: 0018 a: 0c93 l: ffffffff b: 0000000000000000\n"
	"[   50.000032] SVM: cs:   s: 0010 a: 029b l: ffffffff b: 0000000000000004\n"
	"[   50.000033] SVM: tr:   s: 0040 a: 008b l: 00004087 b: fffffe0000003000\n"
	"[   50.000034] SVM: gdtr: s: 0000 a: 0000 l: 0000007f b: fffffe0000001000\n"
	"[   50.000035] SVM: idtr: s: 0000 a: 0000 l: 00000fff b: fffffe0000000000\n"
	"[   50.000036] SVM: vmpl: 0   cpl:  3               efer:          0000000000000d01\n"
	"[   50.000037] SVM: cr0:             00000000a0050033 cr2:          00007f0000001000\n"
	"[   50.000038] SVM: cr3:             0000000002a0a000 cr4:          00000000000006f0\n"
	"[   50.000039] SVM: dr6:             00000000ffff0ff0 dr7:          0000000000000400\n"
	"[   50.000040] SVM: rip:             ffffffff81000000 rflags:       0000000000000246\n"
	"[   50.000041] SVM: rsp:             ffffc90000013f00 rax:          0000000000000005\n"
	"[   50.000042] SVM: star:            0023001000000000 lstar:        ffffffff81a00080\n"
	"[   50.000043] SVM: kernel_gs_base:  0000000000000009 sysenter_cs:  0000000000000010\n"
	"[   50.000044] SVM: gpat:            0007040600070406 dbgctl:       0000000000000001\n"
	"[   50.000045] SVM: excp_from:       0000000000000011 excp_to:      0000000000000012\n";

static void test_text(void)
{
	svm_inputs_open_dump(&inputs, NULL, value);
	CHECK_EQUAL(vmcb_dump_read_text(&inputs, kvm, sizeof(kvm) - 1), sizeof(kvm) - 1);
	CHECK_FIELD(CR_INTERCEPTS, 0x1180010);
	CHECK_FIELD(DR_INTERCEPTS, 0xfe00ff);
	CHECK_FIELD(EXCEPTION_INTERCEPTS, 0x60042);
	CHECK_FIELD(INTERCEPTS_3, 0xbc4c8037);
	CHECK_FIELD(INTERCEPTS_4, 0x407f);
	CHECK_FIELD(PAUSE_COUNT, 3000);
	CHECK_FIELD(PAUSE_THRESHOLD, 128);
	CHECK_FIELD(MSRPM_BASE_PA, 0x105e42000);
	CHECK_FIELD(TSC_OFFSET, UINT64_C(0xfffffff20f3a9cb3));
	CHECK_FIELD(GUEST_ASID, 17);
	CHECK_FIELD(TLB_CONTROL, 3);
	CHECK_FIELD(V_INTR, UINT64_C(0x300f000100));
	CHECK_FIELD(INTERRUPT_STATE, 1);
	CHECK_FIELD(EXITCODE, 0xffffffff);
	CHECK_FIELD(EXITINFO2, 8);
	CHECK_FIELD(EXITINTINFO, UINT64_C(0x280000b0e));
	CHECK_FIELD(NP_CONTROL, 1);
	CHECK_FIELD(N_CR3, 0x1031f8000);
	CHECK_FIELD(EVENTINJ, UINT64_C(0x2080000b0d));
	CHECK_FIELD(VIRT_EXT, 2);
	CHECK_FIELD(N_RIP, 0x1003);
	CHECK_FIELD(AVIC_APIC_BAR, 0xfee00000);
	CHECK_FIELD(AVIC_BACKING_PAGE, 0x104a52000);
	CHECK_FIELD(AVIC_LOGICAL_TABLE, 0x104a53000);
	CHECK_FIELD(AVIC_PHYSICAL_TABLE, 0x104a540fe);
	CHECK_FIELD(ES_ATTRIB, 0xc93);
	CHECK_FIELD(CS_SELECTOR, 0x10);
	CHECK_FIELD(CS_ATTRIB, 0x29b);
	CHECK_FIELD(CS_LIMIT, 0xffffffff);
	CHECK_FIELD(CS_BASE, 4);
	CHECK_FIELD(TR_LIMIT, 0x4087);
	CHECK_FIELD(GDTR_LIMIT, 0x7f);
	CHECK_FIELD(IDTR_BASE, UINT64_C(0xfffffe0000000000));
	CHECK_FIELD(CPL, 3);
	CHECK_FIELD(EFER, 0xd01);
	CHECK_FIELD(CR0, 0xa0050033);
	CHECK_FIELD(CR2, 0x7f0000001000);
	CHECK_FIELD(CR3, 0x2a0a000);
	CHECK_FIELD(CR4, 0x6f0);
	CHECK_FIELD(DR6, 0xffff0ff0);
	CHECK_FIELD(DR7, 0x400);
	CHECK_FIELD(RIP, UINT64_C(0xffffffff81000000));
	CHECK_FIELD(RFLAGS, 0x246);
	CHECK_FIELD(RSP, UINT64_C(0xffffc90000013f00));
	CHECK_FIELD(RAX, 5);
	CHECK_FIELD(STAR, UINT64_C(0x23001000000000));
	CHECK_FIELD(LSTAR, UINT64_C(0xffffffff81a00080));
	CHECK_FIELD(KERNEL_GS_BASE, 9);
	CHECK_FIELD(SYSENTER_CS, 0x10);
	CHECK_FIELD(G_PAT, UINT64_C(0x7040600070406));
	CHECK_FIELD(DBGCTL, 1);
	CHECK_FIELD(LASTEXCPFROM, 0x11);
	CHECK_FIELD(LASTEXCPTO, 0x12);
	CU_ASSERT_FALSE(known(VMCB_FS_BASE));
}

static void print_explanation(FILE *to)
{
	svm_explain_dump(&inputs, to);
}

static bool explains(const char *what)
{
	return prints(print_explanation, what);
}

/* EFER.SVME is 0 and CR0.NW set without CR0.CD; of the host nothing is known. */
static void test_explain(void)
{
	svm_inputs_open_dump(&inputs, NULL, value);
	vmcb_dump_read_text(&inputs, kvm, sizeof(kvm) - 1);
	CU_ASSERT(explains("efer-svme: APM 2:15.5.1, VMEXIT_INVALID\n"));
	CU_ASSERT(explains("found: EFER = 0xd01\n"));
	CU_ASSERT(explains("cr0-cache: APM 2:15.5.1, VMEXIT_INVALID\n"));
	CU_ASSERT(explains("VM entry: VMEXIT_INVALID, by efer-svme\n"));
	CU_ASSERT(explains("failed: 2, "));
	CU_ASSERT(explains("unknown: 3, for want of S_CET, host CR0, host EFER\n"));
}

/* The page as it lies in memory, and behind the header of KVM_GET_NESTED_STATE. */
static void test_page(void)
{
	static char data[128 + 4096];
	char *page = data + 128;

	data[2] = 1;                             /* KVM_STATE_NESTED_FORMAT_SVM */
	memcpy(page + 0x10, "\1", 1);            /* VMRUN is intercepted */
	memcpy(page + 0x558, "\x11\0\0\x80", 4); /* CR0 */
	memcpy(page + 0x4d0, "\0\x10", 2);       /* EFER */
	memset(page + 0x70, 0xff, 8);            /* exit code -1 */
	svm_inputs_open_dump(&inputs, NULL, value);
	CHECK_EQUAL(vmcb_dump_read_page(&inputs, page, 4096), 4096);
	CHECK_FIELD(CR0, 0x80000011);
	CHECK_FIELD(INTERCEPTS_4, 1);
	CU_ASSERT(explains("VM entry: VMEXIT_INVALID, by asid-not-zero\n"));
	CU_ASSERT(explains("the dump itself: exit code 0xffffffffffffffff, VMEXIT_INVALID\n"));
	svm_inputs_open_dump(&inputs, NULL, value);
	CHECK_EQUAL(vmcb_dump_read_page(&inputs, data, sizeof(data)), sizeof(data));
	CHECK_FIELD(EFER, 0x1000);
	CHECK_EQUAL(vmcb_dump_read_page(&inputs, page, 4095), 0);
	memset(page, 'x', 4096); /* text */
	CHECK_EQUAL(vmcb_dump_read_page(&inputs, page, 4096), 0);
}

/* The line of a failed entry: the rule, its inputs, what is wanted, what else fails. */
static void test_failure(void)
{
	struct check_inputs in = {.table = &svm_checks, .value = value};
	char text[256];

	base_inputs(value);
	value[VMCB_GUEST_ASID] = 0;
	value[VMCB_DR6] = BIT(32);
	value[VMCB_EVENTINJ] = 0x80000302;
	check_report_failure(&in, check_first_failure(&in, 0, UINT8_MAX), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text,
			       "VM entry: VMEXIT_INVALID (asid-not-zero): APM 2:15.5.1: guest ASID "
			       "= 0x0; wanted: the guest ASID is not 0; so fail dr6-high, "
			       "inject-vector");
}

static struct cpu *cpu;

static void print_info(FILE *to)
{
	svm_print_info(cpu, to);
}

static bool says(const char *what)
{
	return prints(print_info, what);
}

static void test_info(void)
{
	static struct svm svm;

	cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
	memset(cpu, 0, sizeof(*cpu));
	cpu->virtualization = &svm;
	svm.gif = true;
	CU_ASSERT(says("SVM disabled, host mode, GIF=1\nrefused entries: 0\n"));
	cpu->efer = 0x1000;
	cpu->guest = true;
	svm.vmcb = 0x5000;
	svm.value[VMCB_GUEST_ASID] = 3;
	svm.exit.code = 0x13;
	svm.exit.info1 = 0x8000;
	svm.failures = 2;
	strcpy(svm.failure, "VM entry: VMEXIT_INVALID");
	CU_ASSERT(says("SVM enabled, guest mode, GIF=1\nVMCB: 5000\n"));
	CU_ASSERT(says("last exit: VMEXIT_CR3_WRITE EXITINFO1=8000"));
	CU_ASSERT(says("ASID=3 "));
	CU_ASSERT(says("refused entries: 2\nVM entry: VMEXIT_INVALID\n"));
	free(cpu);
}

static CU_TestInfo tests[] = {
	{"text", test_text},       {"explain", test_explain}, {"page", test_page},
	{"failure", test_failure}, {"info", test_info},       CU_TEST_INFO_NULL,
};
CHECK_MAIN("svm-model.vmcb_dump", tests)
