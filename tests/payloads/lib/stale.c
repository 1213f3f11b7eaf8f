/* SPDX-License-Identifier: Apache-2.0 */
#include "stale.h"
#include "vmx.h"

extern u64 pml4[512], page_directories[2048];

#define PAGE   __attribute__((aligned(4096)))
#define LINEAR 0x40000000ull /* the first page of 2 MiB that nobody else uses */
#define P_RW_U 7ull
#define GLOBAL 0x100ull
#define OLD    0xaaaaull
#define NEW    0xbbbbull

static u64 frame_old[512] PAGE, frame_new[512] PAGE;
static u64 table[512] PAGE, other_table[512] PAGE;
static bool stale;
static u64 stale_page; /* that the SVM guest reads */

static void look_at(u64 found)
{
	CHECK_EQUAL(found, stale ? OLD : NEW);
}

static u64 at(u64 linear)
{
	return *(volatile u64 *)linear;
}

static void invlpg(u64 linear)
{
	__asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

/* LINEAR's page, kept by the TLB as it is now. */
static void map(u64 entry)
{
	page_directories[LINEAR >> 21] = (u64)table | P_RW_U;
	table[0] = entry;
	invlpg(LINEAR);
	CHECK_EQUAL(at(LINEAR), OLD);
}

static void change(u64 entry)
{
	*(volatile u64 *)&table[0] = entry;
}

/* More pages than a TLB has entries for. */
static void use_many_pages(void)
{
	for (u32 n = 0; n < 512; n++)
		other_table[n] = (u64)frame_old | P_RW_U;
	for (u32 n = 1; n <= 16; n++) {
		page_directories[(LINEAR >> 21) + n] = (u64)other_table | P_RW_U;
		for (u32 i = 0; i < 512; i++)
			at(LINEAR + 0x200000ull * n + 0x1000ull * i);
	}
}

static void pages(void)
{
	section("a page whose entry has changed, without INVLPG (SDM 3A:4.10.4.2, APM 2:5.5.2)");
	map((u64)frame_old | P_RW_U);
	change((u64)frame_new | P_RW_U);
	look_at(at(LINEAR));
	use_many_pages();
	look_at(at(LINEAR));
	section("INVLPG drops it");
	invlpg(LINEAR);
	CHECK_EQUAL(at(LINEAR), NEW);
	section("MOV to CR3 drops what is not global");
	map((u64)frame_old | P_RW_U);
	change((u64)frame_new | P_RW_U);
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
	CHECK_EQUAL(at(LINEAR), NEW);
}

static void globals(void)
{
	u64 cr4 = READ_REGISTER("cr4");

	section("... and keeps what is (SDM 3A:4.10.4.1)");
	WRITE_REGISTER("cr4", cr4 | 0x80);
	map((u64)frame_old | P_RW_U | GLOBAL);
	change((u64)frame_new | P_RW_U | GLOBAL);
	WRITE_REGISTER("cr3", READ_REGISTER("cr3"));
	look_at(at(LINEAR));
	section("a change of CR4.PGE drops that, too");
	WRITE_REGISTER("cr4", cr4 & ~0x80ull);
	CHECK_EQUAL(at(LINEAR), NEW);
}

static void tables(void)
{
	section("a table that was replaced: its directory entry is kept, too (SDM 3A:4.10.3.1)");
	map((u64)frame_old | P_RW_U);
	table[1] = (u64)frame_old | P_RW_U;
	other_table[1] = (u64)frame_new | P_RW_U;
	*(volatile u64 *)&page_directories[LINEAR >> 21] = (u64)other_table | P_RW_U;
	look_at(at(LINEAR + 0x1000));
	section("INVLPG drops all directory entries, whatever its address");
	table[2] = (u64)frame_old | P_RW_U;
	other_table[2] = (u64)frame_new | P_RW_U;
	invlpg(LINEAR + 0x5000);
	CHECK_EQUAL(at(LINEAR + 0x2000), NEW);
}

static void store(void)
{
	*(volatile u64 *)LINEAR = OLD;
}

static void upgrades(void)
{
	section("more rights need no invalidation (APM 2:5.5.2); no spurious faults here");
	WRITE_REGISTER("cr0", READ_REGISTER("cr0") | 0x10000);
	map((u64)frame_old | (P_RW_U & ~2ull));
	change((u64)frame_old | P_RW_U);
	EXPECT_NO_TRAP(store);
	section("nor does an entry that was not present");
	map((u64)frame_old | P_RW_U);
	change(0);
	invlpg(LINEAR);
	change((u64)frame_new | P_RW_U);
	CHECK_EQUAL(at(LINEAR), NEW);
}

/* --- a guest that reads the page in RBX --- */

/* The guests take their own tables, one to one, and find the page behind the second stage here. */
#define BEHIND 0x3fe00000ull

static u64 top[512] PAGE, pointers[512] PAGE, directory[512] PAGE, last[512] PAGE;

/* The first GiB one to one, but BEHIND's page. */
static void build_second(u64 rights, u64 leaf, u64 large)
{
	top[0] = (u64)pointers | rights;
	pointers[0] = (u64)directory | rights;
	for (u64 n = 0; n < 512; n++)
		directory[n] = n << 21 | rights | leaf | large;
	directory[BEHIND >> 21] = (u64)last | rights;
	last[0] = (u64)frame_old | rights | leaf;
}

__asm__(".text\n"
	"vmx_reader:\n\t"
	"mov (%rbx), %rax\n\t"
	"vmcall\n\t"
	"jmp vmx_reader\n"
	"svm_reader:\n\t"
	"mov (%rbx), %rax\n\t"
	"vmmcall\n\t"
	"jmp svm_reader\n");
extern char vmx_reader[], svm_reader[];

/* --- VMX --- */

#define EPT      2u
#define VPIDS    0x20u
#define EPT_RWX  7ull
#define EPT_WB   0x30ull
#define EPT_2M   0x80ull
#define EPT_WALK 0x1eull

static void invept(void)
{
	struct {
		u64 eptp, zero;
	} descriptor = {(u64)top | EPT_WALK, 0};

	__asm__ volatile("invept %0, %1" : : "m"(descriptor), "r"(1ull) : "memory", "cc");
}

static void invvpid(u64 vpid)
{
	struct {
		u64 vpid, linear;
	} descriptor = {vpid, 0};

	__asm__ volatile("invvpid %0, %1" : : "m"(descriptor), "r"(1ull) : "memory", "cc");
}

static u64 vmx_read(void)
{
	CHECK_EQUAL(vmx_continue(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 18);
	return vmx_guest_registers[0];
}

static void vmx_guest(u32 secondary, u64 linear)
{
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))vmx_reader);
	vmx_set_primary(PRIMARY_SECONDARY);
	CHECK(vmx_set_secondary(secondary));
	vmwrite(VPID, secondary & VPIDS ? 1 : 0);
	vmwrite(EPTP, (u64)top | EPT_WALK);
	vmx_guest_registers[3] = linear;
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmx_guest_registers[0], OLD);
}

static void with_ept(u32 vpid)
{
	build_second(EPT_RWX, EPT_WB, EPT_2M);
	invept();
	vmx_guest(EPT | vpid, BEHIND);
	*(volatile u64 *)&last[0] = (u64)frame_new | EPT_RWX | EPT_WB;
	look_at(vmx_read());
	if (vpid) { /* of linear addresses, not of guest-physical ones */
		invvpid(1);
		look_at(vmx_read());
	}
	invept();
	CHECK_EQUAL(vmx_read(), NEW);
}

static void vmx(void)
{
	vmx_begin();
	section("an EPT entry that has changed, without INVEPT (SDM 3C:29.4.3.3)");
	with_ept(VPIDS);
	section("... VM entries and exits without VPID keep guest-physical mappings (29.4.3.1)");
	with_ept(0);
	section("a guest's table that the host has changed, without INVVPID");
	map((u64)frame_old | P_RW_U);
	vmx_guest(VPIDS, LINEAR);
	change((u64)frame_new | P_RW_U);
	look_at(vmx_read());
	invvpid(1);
	CHECK_EQUAL(vmx_read(), NEW);
	section("... without VPIDs entries and exits drop it");
	map((u64)frame_old | P_RW_U);
	vmx_guest(0, LINEAR);
	change((u64)frame_new | P_RW_U);
	CHECK_EQUAL(vmx_read(), NEW);
	CHECK_EQUAL(vmxoff(), SUCCEED);
}

/* --- SVM --- */

static u8 vmcb[4096] PAGE, host_save[4096] PAGE;

#define VMCB(type, offset) (*(volatile type *)(vmcb + (offset)))
#define ASID               1u
#define TLB_CONTROL        VMCB(u8, 0x5c)

static u64 svm_read(void)
{
	VMCB(u64, 0x578) = (u64)svm_reader;
	__asm__ volatile("vmrun %%rax; stgi" : : "a"(vmcb), "b"(stale_page) : "memory", "cc");
	CHECK_EQUAL(VMCB(u64, 0x70), 0x81); /* VMEXIT_VMMCALL */
	TLB_CONTROL = 0;
	return VMCB(u64, 0x5f8);
}

static void svm_segment(u32 offset, u16 selector, u16 attributes)
{
	VMCB(u16, offset) = selector;
	VMCB(u16, offset + 2) = attributes;
	VMCB(u32, offset + 4) = 0xffffffff;
}

static void svm_guest(bool nested, u64 linear)
{
	VMCB(u32, 0x10) = 3; /* VMRUN, VMMCALL */
	VMCB(u32, 0x58) = ASID;
	VMCB(u64, 0x90) = nested;
	VMCB(u64, 0xb0) = (u64)top;
	svm_segment(0x400, SEL_DATA0, 0xc93);
	svm_segment(0x410, SEL_CODE0, 0xa9b);
	svm_segment(0x420, SEL_DATA0, 0xc93);
	svm_segment(0x430, SEL_DATA0, 0xc93);
	VMCB(u64, 0x4d0) = rdmsr(0xc0000080);
	VMCB(u64, 0x548) = READ_REGISTER("cr4");
	VMCB(u64, 0x550) = READ_REGISTER("cr3");
	VMCB(u64, 0x558) = READ_REGISTER("cr0");
	VMCB(u64, 0x560) = 0x400;
	VMCB(u64, 0x568) = 0xffff0ff0;
	VMCB(u64, 0x570) = 2;
	VMCB(u64, 0x668) = rdmsr(0x277);
	TLB_CONTROL = 3;
	stale_page = linear;
	CHECK_EQUAL(svm_read(), OLD);
}

static void invlpga(u64 linear)
{
	__asm__ volatile("invlpga %0, %1" : : "a"(linear), "c"(ASID) : "memory");
}

static void svm(void)
{
	wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x1000);
	wrmsr(0xc0010117, (u64)host_save);
	section("a guest's table that the host has changed, without INVLPGA (APM 2:15.16.1)");
	map((u64)frame_old | P_RW_U);
	svm_guest(false, LINEAR);
	change((u64)frame_new | P_RW_U);
	look_at(svm_read());
	section("INVLPG is for the host's own ASID");
	invlpg(LINEAR);
	look_at(svm_read());
	invlpga(LINEAR);
	CHECK_EQUAL(svm_read(), NEW);
	section("a nested entry that has changed, without TLB_CONTROL (15.16.2, 15.25.8)");
	build_second(P_RW_U, 0, 0x80);
	svm_guest(true, BEHIND);
	*(volatile u64 *)&last[0] = (u64)frame_new | P_RW_U;
	look_at(svm_read());
	TLB_CONTROL = 3;
	CHECK_EQUAL(svm_read(), NEW);
}

void stale_translations(bool expected)
{
	stale = expected;
	frame_old[0] = OLD;
	frame_new[0] = NEW;
	pages();
	globals();
	tables();
	upgrades();
	if (vendor_is_amd())
		svm();
	else
		vmx();
}
