/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps of a VMCS: that each field of each format arrives, and what is said of one that is wrong.
 */
#include <stdlib.h>

#include "sim/vmx-model/dump.h"
#include "sim/vmx-model/explain.h"
#include "tests/unit/vmx-model/checks_base.h"

static struct vmx_inputs inputs;

static bool known(unsigned int input)
{
	return inputs.known[input / 64] >> input % 64 & 1;
}

#define CHECK_FIELD(field, expected)                                                               \
	do {                                                                                       \
		CHECK_ROW(known(VMCS_##field), "%s is not known", #field);                         \
		CHECK_EQUAL(inputs.value[VMCS_##field], expected);                                 \
	} while (0)

/* As dmesg shows it, with some fields that only newer kernels print. */
static const char kvm[] =
	"[  100.000001] kvm_intel: VMCS 00000000deadbeef, last attempted VM-entry on CPU 1\n"
	"[  100.000002] kvm_intel: *** Guest State ***\n"
	"[  100.000003] kvm_intel: CR0: actual=0x0000000080050033, shadow=0x0000000080050031, "
	"gh_mask=fffffffffffefff7\n"
	"[  100.000004] kvm_intel: CR4: actual=0x0000000000002020, shadow=0x0000000000000020, "
	"gh_mask=fffffffffffef871\n"
	"[  100.000005] kvm_intel: CR3 = 0x0000000000001000\n"
	"[  100.000006] kvm_intel: PDPTR0 = 0x0000000000002001  PDPTR1 = 0x0000000000003001\n"
	"[  100.000007] kvm_intel: RSP = 0xffffc90000013f00  RIP = 0xffffffff81000000\n"
	"[  100.000008] kvm_intel: RFLAGS=0x00000046         DR7 = 0x0000000000000400\n"
	"[  100.000009] kvm_intel: Sysenter RSP=fffffe0000003000 CS:RIP=0010:ffffffff81a00000\n"
	"[  100.000010] kvm_intel: CS:   sel=0x0010, attr=0x0a09b, limit=0xffffffff, "
	"base=0x0000000000000000\n"
	"[  100.000011] kvm_intel: SS:   sel=0x0018, attr=0x0c093, limit=0xffffffff, "
	"base=0x0000000000000004\n"
	"[  100.000012] kvm_intel: GDTR:                           limit=0x0000007f, "
	"base=0xfffffe0000001000\n"
	"[  100.000013] kvm_intel: LDTR: sel=0x0000, attr=0x10000, limit=0x00000000, "
	"base=0x0000000000000000\n"
	"[  100.000014] kvm_intel: TR:   sel=0x0040, attr=0x0008b, limit=0x00004087, "
	"base=0xfffffe0000003000\n"
	"[  100.000015] kvm_intel: EFER= 0x0000000000000d01\n"
	"[  100.000016] kvm_intel: DebugCtl = 0x0000000000000002  DebugExceptions = "
	"0x0000000000004000\n"
	"[  100.000017] kvm_intel: Interruptibility = 00000008  ActivityState = 00000001\n"
	"[  100.000018] kvm_intel: InterruptStatus = 3020\n"
	"[  100.000019] kvm_intel: *** Host State ***\n"
	"[  100.000020] kvm_intel: RIP = 0xffffffffc0a01234  RSP = 0xffffc900012d7d60\n"
	"[  100.000021] kvm_intel: CS=0010 SS=0018 DS=0000 ES=0000 FS=0000 GS=0000 TR=0040\n"
	"[  100.000022] kvm_intel: FSBase=00007f0000000000 GSBase=ffff88807c000000 "
	"TRBase=fffffe000004a000\n"
	"[  100.000023] kvm_intel: GDTBase=fffffe0000048000 IDTBase=fffffe0000000000\n"
	"[  100.000024] kvm_intel: CR0=0000000080050033 CR3=0000000001234000 "
	"CR4=00000000003726e0\n"
	"[  100.000025] kvm_intel: Sysenter RSP=fffffe000004a000 CS:RIP=0010:ffffffff81a01400\n"
	"[  100.000026] kvm_intel: *** Control State ***\n"
	"[  100.000027] kvm_intel: CPUBased=0xb5a06dfa SecondaryExec=0x000227eb "
	"TertiaryExec=0x0000000000000010\n"
	"[  100.000028] kvm_intel: PinBased=0x000000ff EntryControls=0000d3ff "
	"ExitControls=002befff\n"
	"[  100.000029] kvm_intel: VMEntry: intr_info=80000b0e errcode=00000002 ilen=00000001\n"
	"[  100.000030] kvm_intel: VMExit: intr_info=00000000 errcode=00000000 ilen=00000003\n"
	"[  100.000031] kvm_intel:         reason=80000021 qualification=0000000000000000\n"
	"[  100.000032] kvm_intel: IDTVectoring: info=00000000 errcode=00000000\n"
	"[  100.000033] kvm_intel: TSC Offset = 0xffffffd2f1a9a6b5\n"
	"[  100.000034] kvm_intel: SVI|RVI = 30|20 TPR Threshold = 0x05\n"
	"[  100.000035] kvm_intel: APIC-access addr = 0x0000000104a53000 virt-APIC addr = "
	"0x0000000104a54000\n"
	"[  100.000036] kvm_intel: PostedIntrVec = 0xf2\n"
	"[  100.000037] kvm_intel: EPT pointer = 0x000000010a53c05e\n"
	"[  100.000038] kvm_intel: PLE Gap=00000080 Window=00001000\n"
	"[  100.000039] kvm_intel: Virtual processor ID = 0x0001\n";

static void test_kvm(void)
{
	vmx_inputs_open_dump(&inputs, NULL);
	CHECK_EQUAL(vmcs_dump_read_text(&inputs, kvm, sizeof(kvm) - 1), sizeof(kvm) - 1);
	CHECK_FIELD(GUEST_CR0, 0x80050033);
	CHECK_FIELD(CR0_SHADOW, 0x80050031);
	CHECK_FIELD(CR0_MASK, UINT64_C(0xfffffffffffefff7));
	CHECK_FIELD(CR4_SHADOW, 0x20);
	CHECK_FIELD(GUEST_CR3, 0x1000);
	CHECK_FIELD(GUEST_PDPTE1, 0x3001);
	CHECK_FIELD(GUEST_RSP, UINT64_C(0xffffc90000013f00));
	CHECK_FIELD(GUEST_RIP, UINT64_C(0xffffffff81000000));
	CHECK_FIELD(GUEST_RFLAGS, 0x46);
	CHECK_FIELD(GUEST_DR7, 0x400);
	CHECK_FIELD(GUEST_SYSENTER_ESP, UINT64_C(0xfffffe0000003000));
	CHECK_FIELD(GUEST_SYSENTER_CS, 0x10);
	CHECK_FIELD(GUEST_SYSENTER_EIP, UINT64_C(0xffffffff81a00000));
	CHECK_FIELD(GUEST_CS_RIGHTS, 0xa09b);
	CHECK_FIELD(GUEST_SS_SELECTOR, 0x18);
	CHECK_FIELD(GUEST_SS_BASE, 4);
	CHECK_FIELD(GUEST_GDTR_LIMIT, 0x7f);
	CHECK_FIELD(GUEST_GDTR_BASE, UINT64_C(0xfffffe0000001000));
	CHECK_FIELD(GUEST_LDTR_RIGHTS, 0x10000);
	CHECK_FIELD(GUEST_TR_LIMIT, 0x4087);
	CHECK_FIELD(GUEST_EFER, 0xd01);
	CHECK_FIELD(GUEST_DEBUGCTL, 2);
	CHECK_FIELD(GUEST_PENDING_DEBUG, 0x4000);
	CHECK_FIELD(GUEST_INTERRUPTIBILITY, 8);
	CHECK_FIELD(GUEST_ACTIVITY, 1);
	CHECK_FIELD(GUEST_INTERRUPT_STATUS, 0x3020);
	CHECK_FIELD(HOST_RIP, UINT64_C(0xffffffffc0a01234));
	CHECK_FIELD(HOST_RSP, UINT64_C(0xffffc900012d7d60));
	CHECK_FIELD(HOST_CS_SELECTOR, 0x10);
	CHECK_FIELD(HOST_TR_SELECTOR, 0x40);
	CHECK_FIELD(HOST_GS_BASE, UINT64_C(0xffff88807c000000));
	CHECK_FIELD(HOST_IDTR_BASE, UINT64_C(0xfffffe0000000000));
	CHECK_FIELD(HOST_CR4, 0x3726e0);
	CHECK_FIELD(HOST_SYSENTER_EIP, UINT64_C(0xffffffff81a01400));
	CHECK_FIELD(PRIMARY_CONTROLS, 0xb5a06dfa);
	CHECK_FIELD(SECONDARY_CONTROLS, 0x227eb);
	CHECK_FIELD(TERTIARY_CONTROLS, 0x10);
	CHECK_FIELD(PIN_CONTROLS, 0xff);
	CHECK_FIELD(ENTRY_CONTROLS, 0xd3ff);
	CHECK_FIELD(EXIT_CONTROLS, 0x2befff);
	CHECK_FIELD(ENTRY_INTERRUPTION_INFO, 0x80000b0e);
	CHECK_FIELD(ENTRY_EXCEPTION_ERROR_CODE, 2);
	CHECK_FIELD(EXIT_INSTRUCTION_LENGTH, 3);
	CHECK_FIELD(EXIT_REASON, 0x80000021);
	CHECK_FIELD(TSC_OFFSET, UINT64_C(0xffffffd2f1a9a6b5));
	CHECK_FIELD(TPR_THRESHOLD, 5);
	CHECK_FIELD(VIRTUAL_APIC_ADDRESS, UINT64_C(0x104a54000));
	CHECK_FIELD(POSTED_INTERRUPT_VECTOR, 0xf2);
	CHECK_FIELD(EPTP, UINT64_C(0x10a53c05e));
	CHECK_FIELD(PLE_WINDOW, 0x1000);
	CHECK_FIELD(VPID, 1);
	/* What kvm_intel does not print. */
	CU_ASSERT_FALSE(known(VMCS_VMCS_LINK_POINTER));
	CU_ASSERT_FALSE(known(VMCS_CR3_TARGET_COUNT));
	CU_ASSERT_FALSE(known(VMCS_GUEST_PDPTE2));
	CU_ASSERT_FALSE(known(VMCS_GUEST_DS_RIGHTS));
}

/* Two vCPUs, of which Xen prints one after the other. */
static const char xen[] = "(XEN) *********** VMCS Areas **************\n"
			  "(XEN) >>> Domain 3 <<<\n"
			  "(XEN) \tVCPU 0\n"
			  "(XEN) *** Guest State ***\n"
			  "(XEN) RSP = 0x0000000000007000 (0x0000000000007008)  RIP = "
			  "0x0000000000209997 (0x0000000000209998)\n"
			  "(XEN) RFLAGS=0x00000297 (0x00000297)  DR7 = 0x0000000000000400\n"
			  "(XEN)        sel  attr  limit   base\n"
			  "(XEN)   CS: 0008 0a099 ffffffff 0000000000000000\n"
			  "(XEN) GDTR:            00000027 00000000003e13c0\n"
			  "(XEN)   TR: 0018 0008b 00000068 00000000003e1040\n"
			  "(XEN) EFER(VMCS) = 0x0000000000000500  PAT = 0x0007040600070406\n"
			  "(XEN) *** Host State ***\n"
			  "(XEN) RIP = 0xffff82d0801e5b30 (vmx_asm_vmexit_handler)  RSP = "
			  "0xffff83007dcfff90\n"
			  "(XEN) *** Control State ***\n"
			  "(XEN) PinBased=0000003f CPUBased=b6a065fa SecondaryExec=000000eb\n"
			  "(XEN) CR3 target0=0000000000001000 target1=0000000000002000\n"
			  "(XEN) \tVCPU 1\n"
			  "(XEN) *** Guest State ***\n"
			  "(XEN) CR3 = 0x0000000000abc000\n"
			  "(XEN) **************************************\n";

static void test_xen(void)
{
	size_t used, size = sizeof(xen) - 1;

	vmx_inputs_open_dump(&inputs, NULL);
	used = vmcs_dump_read_text(&inputs, xen, size);
	CU_ASSERT_FATAL(used > 0 && used < size);
	CHECK_FIELD(GUEST_RSP, 0x7000);
	CHECK_FIELD(GUEST_RIP, 0x209997);
	CHECK_FIELD(GUEST_RFLAGS, 0x297);
	CHECK_FIELD(GUEST_CS_SELECTOR, 8);
	CHECK_FIELD(GUEST_CS_RIGHTS, 0xa099);
	CHECK_FIELD(GUEST_CS_LIMIT, 0xffffffff);
	CHECK_FIELD(GUEST_GDTR_LIMIT, 0x27);
	CHECK_FIELD(GUEST_GDTR_BASE, 0x3e13c0);
	CHECK_FIELD(GUEST_TR_BASE, 0x3e1040);
	CHECK_FIELD(GUEST_EFER, 0x500);
	CHECK_FIELD(GUEST_PAT, UINT64_C(0x0007040600070406));
	CHECK_FIELD(HOST_RIP, UINT64_C(0xffff82d0801e5b30));
	CHECK_FIELD(HOST_RSP, UINT64_C(0xffff83007dcfff90));
	CHECK_FIELD(SECONDARY_CONTROLS, 0xeb);
	CHECK_FIELD(CR3_TARGET_1, 0x2000);
	CU_ASSERT_FALSE(known(VMCS_GUEST_CR3));
	vmx_inputs_open_dump(&inputs, NULL);
	CHECK_EQUAL(vmcs_dump_read_text(&inputs, xen + used, size - used), size - used);
	CHECK_FIELD(GUEST_CR3, 0xabc000);
	CU_ASSERT_FALSE(known(VMCS_GUEST_RSP));
}

static void test_haxm(void)
{
	static const char text[] = "haxm_warning: 4000 VMX_PIN_CONTROLS: 3f\n"
				   "681e GUEST_RIP: fff0\n"
				   "1234 NO_SUCH_FIELD: 1\n"
				   "2800 GUEST_VMCS_LINK_PTR: ffffffffffffffff\n";

	vmx_inputs_open_dump(&inputs, NULL);
	CHECK_EQUAL(vmcs_dump_read_encodings(&inputs, text, sizeof(text) - 1), sizeof(text) - 1);
	CHECK_FIELD(PIN_CONTROLS, 0x3f);
	CHECK_FIELD(GUEST_RIP, 0xfff0);
	CHECK_FIELD(VMCS_LINK_POINTER, UINT64_MAX);
	CHECK_EQUAL(vmcs_dump_read_encodings(&inputs, "hello\n", 6), 0);
}

/* Bare, and behind the 128 bytes of struct kvm_nested_state. */
static void test_region(void)
{
	static u8 data[128 + VMCS_REGION_SIZE + 1];
	static u64 value[VMX_INPUT_COUNT];

	base_inputs(value);
	vmcs_store(value, data + 128);
	*(u32 *)(data + 128) = VMCS_REVISION;
	vmx_inputs_open_dump(&inputs, NULL);
	CHECK_EQUAL(vmcs_dump_read_region(&inputs, (char *)data, 128 + VMCS_REGION_SIZE),
		    128 + VMCS_REGION_SIZE);
	CHECK_FIELD(GUEST_RFLAGS, 2);
	CHECK_FIELD(VMCS_LINK_POINTER, UINT64_MAX);
	vmx_inputs_open_dump(&inputs, NULL);
	CHECK_EQUAL(vmcs_dump_read_region(&inputs, (char *)data + 128, VMCS_REGION_SIZE),
		    VMCS_REGION_SIZE);
	CHECK_FIELD(GUEST_CS_RIGHTS, 0xa09b);
	CHECK_EQUAL(vmcs_dump_read_region(&inputs, (char *)data, VMCS_REGION_SIZE), 0);
	CHECK_EQUAL(vmcs_dump_read_region(&inputs, (char *)data + 128, VMCS_REGION_SIZE - 1), 0);
}

/* Dumps that break off anywhere are read as far as they go. */
static void test_broken(void)
{
	for (size_t size = 0; size < sizeof(kvm); size++) {
		char *copy = malloc(size + 1);

		memcpy(copy, kvm, size);
		copy[size] = 0;
		for (unsigned int i = 0; i < vmcs_dump_format_count; i++) {
			vmx_inputs_open_dump(&inputs, NULL);
			CU_ASSERT(vmcs_dump_formats[i].read(&inputs, copy, size) <= size);
		}
		free(copy);
	}
}

static char *explain(void)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	vmx_explain_dump(&inputs, to);
	fclose(to);
	return text;
}

/* The SS of the dump above has a base; and HLT is entered with a #PF, which HLT blocks; and BS is
 * set with TF clear. 27.3.1.2 and 27.3.1.5. */
static void test_explain(void)
{
	char *text;

	vmx_inputs_open_dump(&inputs, NULL);
	vmcs_dump_read_text(&inputs, kvm, sizeof(kvm) - 1);
	text = explain();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "guest_activity_injection: SDM 3C:27.3.1.5, exit 33"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "guest_pending_debug_no_step"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Guest activity state = 0x1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "the dump itself: failed VM entry, exit 33"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "VMCS link pointer"));
	CU_ASSERT_PTR_NULL(strstr(text, "guest_cr0:"));
	free(text);
}

/* One line for a log: the rule, what it found, and who fails with it. */
static void test_failure(void)
{
	static u64 value[VMX_INPUT_COUNT];
	struct check_inputs in = {.table = &vmx_checks, .value = value};
	char text[1024];

	base_inputs(value);
	value[VMCS_GUEST_RFLAGS] = 0;
	value[VMCS_GUEST_TR_LIMIT] = 0x100000;
	check_report_failure(&in, check_first_failure(&in, 0, VMX_CHECK_END), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text,
			       "VM entry: exit 33, qualification 0 (guest_tr_g): "
			       "SDM 3C:27.3.1.2: Guest TR limit = 0x100000, Guest TR access "
			       "rights = 0x8b; wanted: G is 0 if a bit of limit 11:0 is 0, and "
			       "1 if one of 31:20 is 1; so fail guest_rflags_reserved");
}

static CU_TestInfo tests[] = {
	{"kvm", test_kvm},         {"xen", test_xen},       {"haxm", test_haxm},
	{"region", test_region},   {"broken", test_broken}, {"explain", test_explain},
	{"failure", test_failure}, CU_TEST_INFO_NULL,
};
CHECK_MAIN("vmx.dump", tests)
