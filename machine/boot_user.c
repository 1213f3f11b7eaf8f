/* SPDX-License-Identifier: Apache-2.0 */
/* vCPU 0's registers at the start of user-mode code: as if a kernel had just returned to it. */
#include <string.h>

#include "machine/cpu_model.h"
#include "machine/internal.h"
#include "machine/load.h"

#define CR0_USER       UINT64_C(0x80050033) /* PG, AM, WP, NE, ET, MP, PE */
#define CR0_AM         UINT64_C(0x40000)
#define CR4_USER       UINT64_C(0x620) /* PAE, OSFXSR, OSXMMEXCPT */
#define CR4_FSGSBASE   UINT64_C(0x10000)
#define CR4_OSXSAVE    UINT64_C(0x40000)
#define EFER_USER      UINT64_C(0xd00) /* NXE, LMA, LME */
#define RFLAGS_USER    UINT64_C(0x202) /* IF */
#define XCR0_USER      UINT64_C(7)     /* x87, SSE, AVX */
#define LEAF1_XSAVE    (1u << 26)      /* ECX */
#define LEAF7_FSGSBASE 1u              /* EBX */

#define CODE32 0x23
#define DATA   0x2b
#define CODE64 0x33
#define TSS    0x40

static struct kvm_segment user_segment(uint16_t selector, uint8_t type, bool is_long)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .dpl = 3,
				    .s = 1,
				    .l = is_long,
				    .db = !is_long,
				    .g = 1};
}

static uint32_t leaf(const struct vcpu *vcpu, uint32_t number, bool ebx)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_find(&vcpu->cpuid->head, number, 0);

	if (!entry)
		return 0;
	return ebx ? entry->ebx : entry->ecx;
}

static bool has_xsave(const struct vcpu *vcpu)
{
	return leaf(vcpu, 1, false) & LEAF1_XSAVE;
}

static void fill_sregs(const struct vcpu *vcpu, const struct boot_state *boot,
		       struct kvm_sregs *sregs)
{
	static const struct kvm_segment null = {.unusable = 1};

	sregs->cs = boot->bits == 64 ? user_segment(CODE64, 0xb, true)
				     : user_segment(CODE32, 0xb, false);
	sregs->ss = sregs->ds = sregs->es = user_segment(DATA, 3, false);
	sregs->fs = sregs->gs = sregs->ldt = null;
	sregs->tr = (struct kvm_segment){.base = BOOT_USER_TSS,
					 .limit = BOOT_USER_TSS_BYTES - 1,
					 .selector = TSS,
					 .type = 0xb,
					 .present = 1};
	sregs->gdt = (struct kvm_dtable){.base = BOOT_GDT, .limit = TSS + 15};
	sregs->idt =
		(struct kvm_dtable){.base = BOOT_USER_IDT, .limit = 16 * BOOT_USER_VECTORS - 1};
	sregs->cr0 = CR0_USER & ~(boot->no_alignment_check ? CR0_AM : 0);
	sregs->cr3 = BOOT_PAGE_TABLES;
	sregs->cr4 = CR4_USER | (has_xsave(vcpu) ? CR4_OSXSAVE : 0) |
		     (leaf(vcpu, 7, true) & LEAF7_FSGSBASE ? CR4_FSGSBASE : 0);
	sregs->efer = EFER_USER;
}

/* Each another number, with bits in every byte. */
static void fill_regs(const struct boot_state *boot, struct kvm_regs *regs)
{
	__u64 *const general[] = {&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rbp,
				  &regs->rsi, &regs->rdi, &regs->r8,  &regs->r9,  &regs->r10,
				  &regs->r11, &regs->r12, &regs->r13, &regs->r14, &regs->r15};
	uint64_t mask = boot->bits == 64 ? UINT64_MAX : UINT32_MAX;

	for (unsigned int n = 0; n < (boot->bits == 64 ? 15 : 7); n++)
		*general[n] = UINT64_C(0x1122334455667788) * (n + 1) & mask;
	regs->rsp = boot->rsp;
	regs->rip = boot->entry;
	regs->rflags = RFLAGS_USER;
}

/* Components that the processor has not, or those above, stay off. */
static int set_xcr0(struct vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_find(&vcpu->cpuid->head, 0xd, 0);
	struct kvm_xcrs xcrs = {.nr_xcrs = 1,
				.xcrs[0].value = XCR0_USER & (entry ? entry->eax : 0)};

	return has_xsave(vcpu) ? ls_ioctl_ptr(vcpu->machine->engine, vcpu->fd, KVM_SET_XCRS, &xcrs)
			       : 0;
}

int boot_user(struct machine *machine, const struct boot_state *boot, struct ls_error *err)
{
	struct vcpu *vcpu = &machine->vcpus[0];
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs;
	int ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_GET_SREGS, &sregs);

	if (ret >= 0) {
		fill_sregs(vcpu, boot, &sregs);
		fill_regs(boot, &regs);
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_SREGS, &sregs);
	}
	if (ret >= 0)
		ret = set_xcr0(vcpu);
	if (ret >= 0)
		ret = ls_ioctl_ptr(machine->engine, vcpu->fd, KVM_SET_REGS, &regs);
	return ret < 0 ? ls_error_set(err, ret,
				      "engine %s does not begin in user-mode code of this kind: %s",
				      machine->engine->ops->name, strerror(-ret))
		       : 0;
}
