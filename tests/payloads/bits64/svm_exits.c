/* SPDX-License-Identifier: Apache-2.0 */
/* What exits and what the exit tells: rules that hypervisors and emulators got wrong (APM 2:15.6 to
 * 15.14, 15.20, 15.33). */
#include "svm.h"

/* Instructions of their own: what exits, where, and how long it is. */
#define GUEST(name, code)                                                                          \
	void name(void);                                                                           \
	extern const char name##_at[], name##_end[];                                               \
	__asm__(".text\n" #name ": " code "\n")

GUEST(cpuid_guest, "cpuid_guest_at: cpuid; cpuid_guest_end: vmmcall");
GUEST(int3_guest, "int3_guest_at: int3; int3_guest_end: vmmcall");
GUEST(icebp_guest, "icebp_guest_at: .byte 0xf1; icebp_guest_end: vmmcall");
GUEST(shutdown_guest, "shutdown_guest_at: ud2; shutdown_guest_end: vmmcall");
GUEST(mwait_guest,
      "mwait_guest_at: xor %ecx, %ecx; xor %edx, %edx; monitor; mwait; mwait_guest_end: vmmcall");
GUEST(vmsave_guest, "vmsave_guest_at: vmsave %rax; vmsave_guest_end: vmmcall");
GUEST(vmload_guest, "vmload_guest_at: vmload %rax; vmload_guest_end: vmmcall");

GUEST(vmmcall_guest, "vmmcall_guest_at: vmmcall; vmmcall_guest_end: cpuid");
GUEST(lmsw_guest, "smsw %eax; lmsw_guest_at: lmsw %ax; lmsw_guest_end: vmmcall");
GUEST(in_guest, "mov $0x1f0, %edx; in_guest_at: in %dx, %ax; in_guest_end: vmmcall");

/* #DB's and ICEBP's handler. */
GUEST(handler, "handler_at: mov $0x1111, %eax; handler_end: vmmcall");

#define HANDLER 0x1111

static void check_next_rip(u64 wanted)
{
	if (svm_features() & SVM_FEATURE_NRIP)
		CHECK_EQUAL(vmcb.n_rip, wanted);
}

static void next_rip(void)
{
	section("an instruction's intercept tells RIP and nRIP (15.7.1)");
	svm_prepare(cpuid_guest);
	vmcb.intercepts3 = SVM_CPUID;
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.rip, (u64)cpuid_guest_at);
	check_next_rip((u64)cpuid_guest_end);
	section("INT3: the exception's intercept, RIP of the instruction, nRIP behind it "
		"(15.12.4)");
	svm_prepare(int3_guest);
	vmcb.exceptions = 1u << 3;
	gate_set(3, (word)handler, GATE_INTERRUPT); /* where it is not caught */
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 3);
	CHECK_EQUAL(vmcb.rip, (u64)int3_guest_at);
	check_next_rip((u64)int3_guest_end);
	gate_reset(3);
	section("others have none: nRIP is reset to 0 (15.7.1)");
	svm_prepare(shutdown_guest);
	vmcb.exceptions = 1u << 6;
	vmcb.n_rip = 0x1234;
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 6);
	check_next_rip(0);
}

static void operands(void)
{
	section("LMSW asks the selective CR0 intercept whatever it writes (15.9, table 15-7)");
	svm_prepare(lmsw_guest);
	vmcb.intercepts3 = SVM_CR0_SEL;
	CHECK_EQUAL(svm_run(), 0x65);
	CHECK_EQUAL(vmcb.rip, (u64)lmsw_guest_at);
	section("an IN's exit tells the address size, too (15.10.2, figure 15-2)");
	svm_prepare(in_guest);
	vmcb.intercepts3 = SVM_IOIO;
	svm_iopm[0x1f0 / 8] = 1;
	CHECK_EQUAL(svm_run(), 0x7b);
	CHECK_EQUAL(vmcb.exit_info1, 0x1f00221);
	CHECK_EQUAL(vmcb.exit_info2, (u64)in_guest_end);
	svm_iopm[0x1f0 / 8] = 0;
}

static void icebp(void)
{
	section("INT1 has an intercept of its own");
	gate_set(1, (word)handler, GATE_INTERRUPT);
	gate_set(6, (word)handler, GATE_INTERRUPT); /* where there is no INT1 */
	svm_prepare(icebp_guest);
	vmcb.intercepts4 |= SVM_ICEBP;
	vmcb.exceptions = 1u << 1;
	CHECK_EQUAL(svm_run(), EXIT_ICEBP);
	CHECK_EQUAL(vmcb.rip, (u64)icebp_guest_at);
	check_next_rip((u64)icebp_guest_end);
	CHECK_EQUAL(vmcb.exit_int_info & SVM_INJECT, 0);
	section("#DB's does not catch it (15.12.2)");
	svm_prepare(icebp_guest);
	vmcb.exceptions = 1u << 1;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rax, HANDLER);
	section("an exit in its delivery tells it as an exception (15.7.2, 15.20)");
	svm_prepare(icebp_guest);
	vmcb.exceptions = 1u << 11;
	idt[1].type &= 0x7f;
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 11);
	CHECK_EQUAL(vmcb.exit_info1, 1 << 3 | 2 | 1);
	CHECK_EQUAL(vmcb.exit_int_info & 0x800007ff, SVM_INJECT | SVM_TYPE(3) | 1);
	gate_reset(1);
	gate_reset(6);
}

/* A triple fault: the guest has no IDT. */
static void shutdown(void)
{
	section("a triple fault with the SHUTDOWN intercept exits (15.14.3)");
	svm_prepare(shutdown_guest);
	vmcb.idtr.limit = 0;
	vmcb.intercepts3 = SVM_SHUTDOWN;
	CHECK_EQUAL(svm_run(), EXIT_SHUTDOWN);
	section("and the host and its next guest go on");
	svm_prepare(cpuid_guest);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	section("what is intercepted on the way to it comes first: #DF, with what it came from "
		"(15.12)");
	svm_prepare(shutdown_guest);
	vmcb.idtr.limit = 0;
	vmcb.exceptions = 1u << 8;
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 8);
	CHECK_EQUAL(vmcb.exit_int_info & 0x800007ff, SVM_INJECT | SVM_TYPE(3) | 13);
}

/* Real mode code in virtual-8086 mode, of a host in 64-bit mode. */
static void virtual_8086(void)
{
	static const u8 code[] = {0x0f, 0xa2, 0x0f, 0x01, 0xd9}; /* cpuid; vmmcall */
	static u64 table[4] __attribute__((aligned(32)));
	u8 *at = (u8 *)0x7000;

	section("a virtual-8086 guest exits to a 64-bit host (15.6)");
	__builtin_memcpy(at, code, sizeof(code));
	table[0] = *(u64 *)(READ_REGISTER("cr3") & ~0xfffull) & ~0xfffull;
	table[0] = (*(u64 *)table[0] & ~0xfffull) | 1;
	svm_prepare((void (*)(void))0);
	vmcb.cs = vmcb.ss = vmcb.ds = vmcb.es = (struct svm_segment){0x700, 0xf3, 0xffff, 0x7000};
	vmcb.efer &= ~0x500ull;
	vmcb.cr3 = (u64)table;
	vmcb.rsp = 0x800;
	vmcb.rflags = 0x20002;
	vmcb.intercepts3 = SVM_CPUID;
	CHECK_EQUAL(svm_run(), EXIT_CPUID);
	CHECK_EQUAL(vmcb.rip, 0);
	CHECK_EQUAL(vmcb.cpl, 3); /* whatever the VMCB said (15.5.1) */
	CHECK_EQUAL(vmcb.rflags & 0x20000, 0x20000);
	section("and goes on there");
	vmcb.rip = 2;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rip, 2);
	CHECK_EQUAL(__builtin_ia32_readeflags_u64() & 0x20000, 0);
}

static void mwait(void)
{
	u32 out[4];

	cpuid(1, 0, out);
	if (!(out[2] & 8))
		return;
	section("MWAIT: the conditional intercept is checked first (15.9, table 15-7)");
	svm_prepare(mwait_guest);
	vmcb.rax = (u64)svm_guest_registers;
	vmcb.intercepts4 |= 3u << 11;
	CHECK_EQUAL(svm_run(), 0x8c);
}

/* Where the processor has them: its own addresses are the guest's (CVE-2021-3656). */
static void virtual_vmload(void)
{
	static u8 guests[4096] __attribute__((aligned(4096)));
	static u64 table[512] __attribute__((aligned(4096)));
	struct svm_vmcb *other = (struct svm_vmcb *)guests;
	u64 page = (u64)guests & ~0x1fffffull;

	if (!(svm_features() & 1u << 15))
		return;
	section("virtual VMSAVE writes where nested paging says (15.33.1)");
	svm_prepare_nested(vmsave_guest);
	for (u32 i = 0; i < 512; i++)
		table[i] = (page + 4096ull * i) | 7;
	svm_nested_directory[page >> 21] = (u64)table | 7;
	table[((u64)guests >> 12) & 511] = (u64)svm_iopm | 7;
	vmcb.virt_ext = 2;
	vmcb.rax = (u64)guests;
	wrmsr(0xc0000081, 0x1234567800000000);
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(other->star, 0);
	CHECK_EQUAL(((struct svm_vmcb *)svm_iopm)->star, 0x1234567800000000);
	__builtin_memset(svm_iopm, 0, 4096);
	section("a page that is not there: #VMEXIT(NPF) with its address, nothing is written");
	table[((u64)guests >> 12) & 511] = 0;
	vmcb.rip = (u64)vmsave_guest;
	CHECK_EQUAL(svm_run(), EXIT_NPF);
	CHECK_EQUAL(vmcb.exit_info2, (u64)guests);
	CHECK_EQUAL(vmcb.exit_info1 & 0x100000003, 0x100000002);
	CHECK_EQUAL(other->star, 0);
	section("without nested paging they exit and touch no memory");
	svm_prepare(vmsave_guest);
	vmcb.virt_ext = 2;
	vmcb.rax = (u64)guests;
	CHECK_EQUAL(svm_run(), EXIT_VMSAVE);
	CHECK_EQUAL(other->star, 0);
	svm_prepare(vmload_guest);
	vmcb.virt_ext = 2;
	vmcb.rax = (u64)guests;
	CHECK_EQUAL(svm_run(), EXIT_VMLOAD);
	section("intercepted, they touch none either");
	svm_prepare(vmsave_guest);
	vmcb.intercepts4 |= SVM_VMSAVE;
	vmcb.rax = (u64)guests;
	CHECK_EQUAL(svm_run(), EXIT_VMSAVE);
	CHECK_EQUAL(other->star, 0);
}

GUEST(tpr_guest, "tpr_guest_at: mov $15, %eax; mov %rax, %cr8; sti; nop; tpr_guest_end: vmmcall");

#define VECTOR 0x61
#define V_IRQ                                                                                      \
	(1u << 8 | 8u << 16 | 1u << 24 | (u64)VECTOR << 32) /* priority 8, with V_INTR_MASKING */

static void virtual_tpr(void)
{
	gate_set(VECTOR, (word)handler, GATE_INTERRUPT);
	section("V_TPR, the guest's CR8, holds a virtual interrupt back (15.21.2, 15.21.4)");
	svm_prepare(tpr_guest);
	vmcb.v_intr = V_IRQ;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rip, (u64)tpr_guest_end);
	CHECK_EQUAL(vmcb.v_intr & 0x1ff, 0x10f);
	CHECK_EQUAL(READ_REGISTER("cr8"), 0);
	section("with V_IGN_TPR it does not");
	svm_prepare(tpr_guest);
	vmcb.v_intr = V_IRQ | 1u << 20;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rax, HANDLER);
	CHECK_EQUAL(vmcb.v_intr & 1u << 8, 0);
	section("an interrupt shadow holds it back for one instruction (15.21.5)");
	svm_prepare(cpuid_guest);
	vmcb.rflags = 0x202;
	vmcb.interrupt_state = 1;
	vmcb.v_intr = V_IRQ;
	CHECK_EQUAL(svm_run(), EXIT_VMMCALL);
	CHECK_EQUAL(vmcb.rax, HANDLER);
	CHECK_EQUAL(*(u64 *)vmcb.rsp, (u64)cpuid_guest_end);
}

/* The last, for where it never ends. */
static void vmmcall(void)
{
	section("VMMCALL without its intercept is #UD (15.18)");
	svm_prepare(vmmcall_guest);
	vmcb.intercepts3 = SVM_CPUID;
	vmcb.intercepts4 &= ~SVM_VMMCALL;
	vmcb.exceptions = 1u << 6;
	CHECK_EQUAL(svm_run(), EXIT_EXCP + 6);
	CHECK_EQUAL(vmcb.rip, (u64)vmmcall_guest_at);
}

void payload(void)
{
	svm_begin();
	next_rip();
	operands();
	icebp();
	shutdown();
	virtual_8086();
	mwait();
	virtual_vmload();
	virtual_tpr();
	vmmcall();
}
