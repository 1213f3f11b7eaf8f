/* SPDX-License-Identifier: Apache-2.0 */
/* SMIs while a guest runs: without the intercept their handler is outside the guest, and RSM goes
 * back to it (APM 2:15.22; the state-save area: table 10-1). */
#include "apic.h"
#include "svm.h"

#define SMI_COMMAND    0x200
#define ENTRY          0x38000ul
#define MAILBOX        0x20000ul
#define SAVED(offset)  (*(volatile u64 *)(0x30000ul + (offset)))
#define SVM_GUEST      SAVED(0xfed8)
#define GUEST_VMCB     SAVED(0xfee0)
#define GUEST_VIRTUAL  SAVED(0xfee8)
#define GUEST_PAT      SAVED(0xff20)
#define HOST_EFER      SAVED(0xff28)
#define HOST_CR4       SAVED(0xff30)
#define HOST_CR3       SAVED(0xff38)
#define HOST_CR0       SAVED(0xff40)
#define MSR_HWCR       0xc0010015
#define MSR_SMM_KEY    0xc0010119
#define V_INTR_MASKING (1ull << 24)
#define PAT            0x0007040600070404ull

static volatile struct {
	u32 runs, vendor, unused[2];
	u16 gdt_limit, gdt_low, gdt_high, unused2;
	u32 vmcb;
} *const mailbox = (void *)MAILBOX;

/* Counts, notes what CPUID says, gives a guest another RAX, returns. */
extern const char handler[], handler_end[];
__asm__(".code16\n"
	"handler: addr32 incl 0x20000; xor %eax, %eax; cpuid; addr32 mov %ebx, 0x20004\n"
	"addr32 cmpl $1, 0x3fed8; jne 1f; addr32 movl $0x5a5a, 0x3fff8; 1: rsm\n"
	"handler_end: .code64");

/* Runs a guest of its own from 32-bit protected mode. */
extern const char vmrun_handler[], vmrun_handler_end[];
__asm__(".code16\n"
	"vmrun_handler: addr32 data32 lgdt 0x20010; mov %cr0, %eax; or $1, %al; mov %eax, %cr0\n"
	"data32 ljmp $0x38, $0x38000 + 1f - vmrun_handler; .code32\n"
	"1: mov $0x10, %eax; mov %eax, %ds; mov $0xc0000080, %ecx; rdmsr; or $0x1000, %eax; wrmsr\n"
	"mov 0x20018, %eax; vmrun %eax; incl 0x20000; rsm\n"
	"vmrun_handler_end: .code64");

/* Sends itself the SMI; what it does behind that exits. */
extern const char smi_guest_at[];
void smi_guest(void);
__asm__(".text\n"
	"smi_guest: mov %ecx, (%rdi); .fill 100, 1, 0x90; smi_guest_at: cpuid; vmmcall\n");

static u64 low[512] __attribute__((aligned(4096)));
static u64 apic_directory[512] __attribute__((aligned(4096)));

/* Nested tables that don't have the handler, its mailbox and its SMRAM, but the local APIC. */
static void prepare_nested(void)
{
	svm_prepare_nested(smi_guest);
	for (u32 i = 0; i < 512; i++)
		low[i] = 4096ull * i | 7;
	for (u32 i = 0x30; i < 0x40; i++)
		low[i] = 0;
	low[MAILBOX >> 12] = 0;
	svm_nested_directory[0] = (u64)low | 7;
	svm_nested_pdpt[3] = (u64)apic_directory | 7;
	apic_directory[APIC_BASE >> 21 & 511] = APIC_BASE | 0x87;
	vmcb.g_pat = PAT;
}

static void prepare(void)
{
	vmcb.intercepts3 = SVM_CPUID;
	vmcb.v_intr = V_INTR_MASKING;
	APIC(0x310) = APIC(0x20);
	svm_guest_registers[1] = SMI_COMMAND;
	svm_guest_registers[7] = APIC_BASE + 0x300;
}

/* The SMI has been handled, and then the guest came to its CPUID. */
static void check_guest(u32 runs)
{
	u32 out[4];

	cpuid(0, 0, out);
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.rip, (u64)smi_guest_at);
	CHECK_EQUAL(mailbox->runs, runs);
	CHECK_EQUAL(mailbox->vendor, out[1]);
	section("SMRAM tells of the guest and its host (table 10-1)");
	CHECK_EQUAL(SVM_GUEST, 1);
	CHECK_EQUAL(GUEST_VMCB, (u64)&vmcb);
	CHECK_EQUAL(GUEST_VIRTUAL, V_INTR_MASKING);
	CHECK_EQUAL(HOST_EFER, rdmsr(0xc0000080));
	CHECK_EQUAL(HOST_CR0, READ_REGISTER("cr0"));
	CHECK_EQUAL(HOST_CR3, READ_REGISTER("cr3"));
	CHECK_EQUAL(HOST_CR4, READ_REGISTER("cr4"));
	section("what the handler changes in it is the guest's");
	CHECK_EQUAL(vmcb.rax, 0x5a5a);
}

static void without_intercept(void)
{
	section("no intercept counts for the handler");
	svm_prepare(smi_guest);
	prepare();
	check_guest(1);
	section("nor do nested tables");
	prepare_nested();
	prepare();
	check_guest(2);
	section("the guest has its PAT again, the host its own");
	CHECK_EQUAL(GUEST_PAT, PAT);
	CHECK_EQUAL(vmcb.g_pat, PAT);
	CHECK(rdmsr(0x277) != PAT);
}

static void with_intercept(void)
{
	section("with the intercept it exits, and is the host's when GIF is 1 (15.13.3)");
	svm_prepare(smi_guest);
	prepare();
	vmcb.intercepts3 = SVM_CPUID | SVM_SMI;
	CHECK_EQUAL(svm_enter(), EXIT_SMI);
	CHECK_EQUAL(mailbox->runs, 2);
	svm_stgi();
	__asm__ volatile("nop");
	CHECK_EQUAL(mailbox->runs, 3);
	CHECK_EQUAL(SVM_GUEST, 0);
	section("HWCR.SmmLock: the intercept is ignored (15.13.3)");
	svm_prepare(smi_guest);
	prepare();
	vmcb.intercepts3 = SVM_CPUID | SVM_SMI;
	wrmsr(MSR_SMM_KEY, 1);
	wrmsr(MSR_HWCR, rdmsr(MSR_HWCR) | 1);
	check_guest(4);
	wrmsr(MSR_SMM_KEY, 1);
}

static void place(const char *code, const char *end)
{
	for (word n = 0; n < (word)(end - code); n++)
		((volatile u8 *)ENTRY)[n] = code[n];
}

static struct svm_vmcb inner __attribute__((aligned(4096)));
void inner_guest(void);
__asm__(".text\ninner_guest: vmmcall\n");

static void with_vmrun(void)
{
	section("what the handler's own VMRUN keeps is not what RSM's guest exits to");
	svm_prepare(inner_guest);
	vmcb.asid = 2;
	inner = vmcb;
	svm_prepare(smi_guest);
	prepare();
	mailbox->gdt_limit = sizeof(gdt) - 1;
	mailbox->gdt_low = (u16)(u64)gdt;
	mailbox->gdt_high = (u64)gdt >> 16;
	mailbox->vmcb = (u64)&inner;
	place(vmrun_handler, vmrun_handler_end);
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.rip, (u64)smi_guest_at);
	CHECK_EQUAL(mailbox->runs, 5);
	CHECK_EQUAL(inner.exit_code, EXIT_VMMCALL);
}

void payload(void)
{
	APIC(0xf0) = 0x1ff;
	place(handler, handler_end);
	mailbox->runs = 0;
	svm_begin();
	without_intercept();
	with_intercept();
	with_vmrun();
}
