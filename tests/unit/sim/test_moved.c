/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MOV between registers and an instruction that works on its target have one handler between them.
 * Result and flags are the host's, and those of the two instructions kept apart by a NOP.
 */
#include "tests/unit/sim/vm_rig.h"

/* SF, ZF, PF and CF are defined after all of these; OF and AF not after each (SDM 2). */
#define DEFINED 0xc5u

/* From RFLAGS = R8 and operands in RBX and RCX to RAX, and RFLAGS in RDX. */
#define TEXT(gap, op) "push %r8\n popfq\n mov %rbx, %rax\n" gap op "\n pushfq\n pop %rdx\n"
#define MOVED(name, op)                                                                            \
	GUEST_CODE(name##_pair, TEXT("", op) "hlt");                                               \
	GUEST_CODE(name##_apart, TEXT("nop\n", op) "hlt");                                         \
	extern void name##_host(void);                                                             \
	__asm__(".text\n" #name "_host:\n" TEXT("", op) "ret")

MOVED(add_register, "add %rcx, %rax");
MOVED(add_itself, "add %rax, %rax");
MOVED(add_constant, "add $-7, %rax");
MOVED(add_32, "mov %ebx, %eax\n add %ecx, %eax");
MOVED(adc_register, "adc %rcx, %rax");
MOVED(sub_register, "sub %rcx, %rax");
MOVED(sub_itself, "sub %rax, %rax");
MOVED(sbb_constant, "sbb $5, %rax");
MOVED(and_constant, "and $0x0ff0, %rax");
MOVED(or_register, "or %rcx, %rax");
MOVED(xor_register, "xor %rcx, %rax");
MOVED(xor_32, "mov %ebx, %eax\n xor %eax, %eax");
MOVED(shl_constant, "shl $13, %rax");
MOVED(shl_nothing, "shl $0, %rax");
MOVED(shr_constant, "shr $7, %rax");
MOVED(sar_constant, "sar $9, %rax");
MOVED(shr_32, "mov %ebx, %eax\n shr $20, %eax");
MOVED(rol_constant, "rol $5, %rax");
MOVED(ror_constant, "ror $33, %rax");
MOVED(rcl_constant, "rcl $3, %rax");
MOVED(rcr_constant, "rcr $3, %rax");
/* The first instruction's flags are overwritten unread. */
MOVED(quiet_shift, "shr $7, %rax\n xor %rcx, %rax");
MOVED(quiet_sum, "sub %rcx, %rax\n or $1, %rax");
/* With the way back they are three. */
MOVED(fold_xor, "shl $13, %rax\n xor %rax, %rbx\n mov %rbx, %rax");
MOVED(fold_add, "shr $7, %rax\n add %rax, %rbx\n mov %rbx, %rax");
MOVED(fold_or, "shr $33, %rax\n or %rax, %rbx\n xchg %rbx, %rax");
MOVED(fold_nothing, "shl $64, %rax\n add %rax, %rbx\n lea (%rax,%rbx,2), %rax");
MOVED(fold_32, "mov %ebx, %eax\n shl $5, %eax\n add %eax, %ebx\n lea (%rax,%rbx,2), %rax");
MOVED(fold_quiet, "shl $17, %rax\n xor %rax, %rbx\n sub %rcx, %rbx\n mov %rbx, %rax");
/* INC and DEC keep CF; what follows them is a branch of their own pair. */
MOVED(inc_after, "inc %rax\n jnz 1f\n add $3, %rax\n 1: sbb $0, %rax");
MOVED(dec_after, "dec %rax\n jz 1f\n add $3, %rax\n 1: adc $0, %rax");

#define ROW(name)                                                                                  \
	{                                                                                          \
#name, name##_pair, name##_pair_end, name##_apart, name##_apart_end, name##_host   \
	}
static const struct {
	const char *name;
	const u8 *pair, *pair_end, *apart, *apart_end;
	void (*host)(void);
} rows[] = {
	ROW(add_register), ROW(add_itself),   ROW(add_constant), ROW(add_32),
	ROW(adc_register), ROW(sub_register), ROW(sub_itself),   ROW(sbb_constant),
	ROW(and_constant), ROW(or_register),  ROW(xor_register), ROW(xor_32),
	ROW(shl_constant), ROW(shl_nothing),  ROW(shr_constant), ROW(sar_constant),
	ROW(shr_32),       ROW(rol_constant), ROW(ror_constant), ROW(rcl_constant),
	ROW(rcr_constant), ROW(quiet_shift),  ROW(quiet_sum),    ROW(fold_xor),
	ROW(fold_add),     ROW(fold_or),      ROW(fold_nothing), ROW(fold_32),
	ROW(fold_quiet),   ROW(inc_after),    ROW(dec_after),
};

static const u64 operands[][2] = {
	{0, 0},
	{1, 1},
	{0x7fffffffffffffff, 1},
	{0x8000000000000000, 0xffffffffffffffff},
	{0xffffffffffffffff, 2},
	{0x123456789abcdef0, 0x0fedcba987654321},
	{0xffffffff7fffffff, 0xffffffff80000000},
};

static const u64 flags_before[] = {0x002, 0x003, 0x8d7};

struct result {
	u64 value, flags;
};

static struct result on_host(void (*host)(void), u64 a, u64 b, u64 flags)
{
	register u64 r8 __asm__("r8") = flags;
	struct result result;

	__asm__ volatile("sub $128, %%rsp\n call *%[host]\n add $128, %%rsp" /* the red zone */
			 : "=&a"(result.value), "=&d"(result.flags), "+b"(a)
			 : [host] "D"(host), "c"(b), "r"(r8)
			 : "cc", "memory");
	return result;
}

static struct result in_guest(struct vm_rig *rig, const u8 *code, const u8 *end, u64 a, u64 b,
			      u64 flags)
{
	struct kvm_regs regs = {
		.rip = VM_CODE, .rsp = VM_STACK, .rflags = 2, .rbx = a, .rcx = b, .r8 = flags};

	vm_write(rig, VM_CODE, code, (size_t)(end - code));
	CHECK_EQUAL(ls_ioctl_ptr(rig->engine, rig->vcpu[0], KVM_SET_REGS, &regs), 0);
	rig->ext->vcpu_run_until(rig->engine, rig->vcpu[0], LS_NEVER - 1);
	CHECK_EQUAL(vm_run(rig, 0), KVM_EXIT_HLT);
	regs = vm_regs(rig, 0);
	return (struct result){regs.rax, regs.rdx};
}

static void check_row(struct vm_rig *rig, unsigned int n, u64 a, u64 b, u64 flags)
{
	struct result host = on_host(rows[n].host, a, b, flags);
	struct result pair = in_guest(rig, rows[n].pair, rows[n].pair_end, a, b, flags);
	struct result apart = in_guest(rig, rows[n].apart, rows[n].apart_end, a, b, flags);

	CHECK_ROW(pair.value == host.value && !((pair.flags ^ host.flags) & DEFINED),
		  "%s of %llx and %llx, flags %llx: %llx with %llx, on the host %llx with %llx",
		  rows[n].name, (unsigned long long)a, (unsigned long long)b,
		  (unsigned long long)flags, (unsigned long long)pair.value,
		  (unsigned long long)pair.flags, (unsigned long long)host.value,
		  (unsigned long long)host.flags);
	CHECK_ROW(pair.value == apart.value && pair.flags == apart.flags,
		  "%s of %llx and %llx: %llx with %llx, apart %llx with %llx", rows[n].name,
		  (unsigned long long)a, (unsigned long long)b, (unsigned long long)pair.value,
		  (unsigned long long)pair.flags, (unsigned long long)apart.value,
		  (unsigned long long)apart.flags);
}

static void test_pairs(void)
{
	struct vm_rig rig;

	vm_open(&rig);
	vm_add_vcpu(&rig);
	for (unsigned int n = 0; n < ARRAY_SIZE(rows); n++)
		for (unsigned int i = 0; i < ARRAY_SIZE(operands); i++)
			for (unsigned int f = 0; f < ARRAY_SIZE(flags_before); f++)
				check_row(&rig, n, operands[i][0], operands[i][1], flags_before[f]);
	vm_close(&rig);
}

static CU_TestInfo tests[] = {{"MOV and what works on its target", test_pairs}, CU_TEST_INFO_NULL};
CHECK_MAIN("moved", tests)
