/* SPDX-License-Identifier: Apache-2.0 */
/* What VM exits tell of the instruction that caused them: reason, qualification, instruction length
 * and information (SDM 3C:28.2.1, 28.2.5 and their tables). */
#include "vmx.h"

/* Primary controls (SDM 3C table 25-6), secondary ones (table 25-7). */
#define INVLPG    (1u << 9)
#define CR3_STORE (1u << 16)
#define CR8_STORE (1u << 20)
#define MOV_DR    (1u << 23)
#define IO        (1u << 24)
#define TABLES    (1u << 2)
#define RDRAND    (1u << 11)
#define INVPCID   (1u << 12)
#define RDSEED    (1u << 16)

/* Bits of the instruction information that more than one table has. */
#define SCALE(n)    (n)
#define REG1(n)     ((n) << 3)
#define ADDRESS_32  (1u << 7)
#define ADDRESS_64  (2u << 7)
#define IS_REGISTER (1u << 10)
#define SEGMENT(n)  ((n) << 15)
#define INDEX(n)    ((n) << 18)
#define NO_INDEX    (1u << 22)
#define BASE(n)     ((n) << 23)
#define NO_BASE     (1u << 27)
#define REG2(n)     ((n) << 28)
#define WHICH(n)    ((n) << 28)
#define INDEX_BASE  (INDEX(15u) | NO_INDEX | BASE(15u) | NO_BASE)
#define MEMORY                                                                                     \
	(SCALE(3u) | ADDRESS_64 | ADDRESS_32 | 512u | IS_REGISTER | SEGMENT(7u) | NO_INDEX |       \
	 NO_BASE)
#define MEMORY_INDEXED (MEMORY | INDEX_BASE)
enum segment { ES, CS, SS, DS, FS, GS };
enum reg { AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R10, R11, R12, R13, R14, R15 };

static const struct row {
	const char *rule;
	const char *code; /* the instruction, in 64-bit mode */
	u32 length, primary, secondary, reason;
	u64 qualification;
	u32 defined; /* bits of the instruction information that the table defines here */
	u32 information;
} rows[] = {
	/* Table 28-5: size less 1, direction, string, REP, immediate, port. */
	{"IN AL, 70H", "\xe4\x70", 2, IO, 0, 30, 0x00700048, 0, 0},
	{"IN AL, 60H with DX = 60H: the operand is encoded as immediate all the same",
	 "\xe4\x60\x90", 2, IO, 0, 30, 0x00600048, 0, 0},
	{"IN EAX, 61H", "\xe5\x61", 2, IO, 0, 30, 0x0061004b, 0, 0},
	{"OUT 61H, AX", "\x66\xe7\x61", 3, IO, 0, 30, 0x00610041, 0, 0},
	{"IN AX, DX", "\x66\xed", 2, IO, 0, 30, 0x00600009, 0, 0},
	{"OUT DX, AL", "\xee", 1, IO, 0, 30, 0x00600000, 0, 0},
	/* And table 28-8: address size, segment of OUTS. */
	{"INSB", "\x6c", 1, IO, 0, 30, 0x00600018, 7u << 7, ADDRESS_64},
	{"REP INSD with 32-bit addresses", "\x67\xf3\x6d", 3, IO, 0, 30, 0x0060003b, 7u << 7,
	 ADDRESS_32},
	{"REP OUTSW from FS", "\x64\x66\xf3\x6f", 4, IO, 0, 30, 0x00600031, 7u << 7 | SEGMENT(7u),
	 ADDRESS_64 | SEGMENT(FS)},
	{"OUTSB", "\x6e", 1, IO, 0, 30, 0x00600010, 7u << 7 | SEGMENT(7u),
	 ADDRESS_64 | SEGMENT(DS)},
	/* Table 28-3: register, access type, general register. */
	{"MOV R9, CR3", "\x41\x0f\x20\xd9", 4, CR3_STORE, 0, 28, 0x913, 0, 0},
	{"MOV RDX, CR8", "\x44\x0f\x20\xc2", 4, CR8_STORE, 0, 28, 0x218, 0, 0},
	/* Table 28-4: register, direction, general register. */
	{"MOV DR7, RSI", "\x0f\x23\xfe", 3, MOV_DR, 0, 29, 0x607, 0, 0},
	{"MOV R11, DR6", "\x41\x0f\x21\xf3", 4, MOV_DR, 0, 29, 0xb16, 0, 0},
	/* The linear address, in FS with the base that the test gives it. */
	{"INVLPG FS:[RBX + 8]", "\x64\x0f\x01\x7b\x08", 5, INVLPG, 0, 14, 0x12345008 + 0x1000, 0,
	 0},
	/* Table 28-10: the operand, and which instruction; the qualification is its displacement.
	 */
	{"SGDT [RBX + 8]", "\x0f\x01\x43\x08", 4, 0, TABLES, 46, 8, MEMORY | BASE(15u) | WHICH(3u),
	 ADDRESS_64 | SEGMENT(DS) | NO_INDEX | BASE(BX) | WHICH(0u)},
	{"SIDT [RBP + RCX*4 - 2]", "\x0f\x01\x4c\x8d\xfe", 5, 0, TABLES, 46, -2ull,
	 MEMORY_INDEXED | WHICH(3u),
	 SCALE(2u) | ADDRESS_64 | SEGMENT(SS) | INDEX(CX) | BASE(BP) | WHICH(1u)},
	{"LGDT [R13D]", "\x67\x41\x0f\x01\x55\x00", 6, 0, TABLES, 46, 0,
	 MEMORY | BASE(15u) | WHICH(3u),
	 ADDRESS_32 | SEGMENT(DS) | NO_INDEX | BASE(R13) | WHICH(2u)},
	{"LIDT [1000H]", "\x0f\x01\x1c\x25\x00\x10\x00\x00", 8, 0, TABLES, 46, 0x1000,
	 MEMORY | WHICH(3u), ADDRESS_64 | SEGMENT(DS) | NO_INDEX | NO_BASE | WHICH(3u)},
	/* Table 28-11. */
	{"SLDT R10", "\x49\x0f\x00\xc2", 4, 0, TABLES, 47, 0, REG1(15u) | IS_REGISTER | WHICH(3u),
	 REG1(R10) | IS_REGISTER | WHICH(0u)},
	{"STR CX", "\x66\x0f\x00\xc9", 4, 0, TABLES, 47, 0, REG1(15u) | IS_REGISTER | WHICH(3u),
	 REG1(CX) | IS_REGISTER | WHICH(1u)},
	{"LLDT GS:[RSI]", "\x65\x0f\x00\x16", 4, 0, TABLES, 47, 0, MEMORY | BASE(15u) | WHICH(3u),
	 ADDRESS_64 | SEGMENT(GS) | NO_INDEX | BASE(SI) | WHICH(2u)},
	{"LTR DX", "\x0f\x00\xda", 3, 0, TABLES, 47, 0, REG1(15u) | IS_REGISTER | WHICH(3u),
	 REG1(DX) | IS_REGISTER | WHICH(3u)},
	/* Table 28-12: the register is Reg2. */
	{"INVPCID R8, [RDI + 20H]", "\x66\x44\x0f\x38\x82\x47\x20", 7, INVLPG, INVPCID, 58, 0x20,
	 MEMORY | BASE(15u) | REG2(15u), ADDRESS_64 | SEGMENT(DS) | NO_INDEX | BASE(DI) | REG2(8u)},
	/* Table 28-13. */
	{"VMPTRLD [RDI]", "\x0f\xc7\x37", 3, 0, 0, 21, 0, MEMORY | BASE(15u),
	 ADDRESS_64 | SEGMENT(DS) | NO_INDEX | BASE(DI)},
	{"VMXON [RSP - 8]", "\xf3\x0f\xc7\x74\x24\xf8", 6, 0, 0, 27, -8ull, MEMORY | BASE(15u),
	 ADDRESS_64 | SEGMENT(SS) | NO_INDEX | BASE(SP)},
	/* Table 28-14: the destination, and the operand size. */
	{"RDRAND R12", "\x49\x0f\xc7\xf4", 4, 0, RDRAND, 57, 0, REG1(15u) | 3u << 11,
	 REG1(R12) | 2u << 11},
	{"RDRAND CX", "\x66\x0f\xc7\xf1", 4, 0, RDRAND, 57, 0, REG1(15u) | 3u << 11,
	 REG1(CX) | 0u << 11},
	{"RDSEED ESI", "\x0f\xc7\xfe", 3, 0, RDSEED, 61, 0, REG1(15u) | 3u << 11,
	 REG1(SI) | 1u << 11},
	/* Table 28-15: Reg1 or memory, and the register with the encoding as Reg2. */
	{"VMREAD R9, R14", "\x45\x0f\x78\xf1", 4, 0, 0, 23, 0, REG1(15u) | IS_REGISTER | REG2(15u),
	 REG1(R9) | IS_REGISTER | REG2(14u)},
	{"VMWRITE RAX, [R12 + R15*8 + 100H]", "\x43\x0f\x79\x84\xfc\x00\x01\x00\x00", 9, 0, 0, 25,
	 0x100, MEMORY_INDEXED | REG2(15u),
	 SCALE(3u) | ADDRESS_64 | SEGMENT(DS) | INDEX(R15) | BASE(R12) | REG2(0u)},
};

static char code[64] __attribute__((aligned(64)));

static void prepare(const struct row *row)
{
	for (unsigned int n = 0; n < 16; n++)
		code[n] = n < row->length ? row->code[n] : (char)0xf4;
	CHECK_EQUAL(vmclear((u64)vmcs_region), SUCCEED);
	CHECK_EQUAL(vmptrld((u64)vmcs_region), SUCCEED);
	vmx_prepare((void (*)(void))code);
	vmwrite(GUEST_ES_BASE + 2 * FS, 0x1000);
	vmx_set_primary(row->primary | 1u << 7 | (row->secondary ? PRIMARY_SECONDARY : 0));
	CHECK(vmx_set_secondary(row->secondary));
	for (unsigned int n = 0; n < 16; n++)
		vmx_guest_registers[n] = 0;
	vmx_guest_registers[CX] = 1;
	vmx_guest_registers[DX] = 0x60;
	vmx_guest_registers[BX] = 0x12345000;
}

static void at_cpl3(void)
{
	vmwrite(GUEST_CS, SEL_CODE3 | 3);
	vmwrite(GUEST_CS_RIGHTS, 0xa0fb);
	vmwrite(GUEST_SS, SEL_DATA3 | 3);
	vmwrite(GUEST_ES_RIGHTS + 2 * SS, 0xc0f3);
}

static void check(const struct row *row)
{
	section(row->rule);
	prepare(row);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), row->reason);
	CHECK_EQUAL(vmread(QUALIFICATION), row->qualification);
	CHECK_EQUAL(vmread(EXIT_LENGTH), row->length);
	CHECK_EQUAL(vmread(EXIT_INSTRUCTION) & row->defined, row->information);
	CHECK_EQUAL(vmread(GUEST_RIP), (u64)code);
}

/* Without privilege, and for DR4 with CR4.DE. */
static void debug_registers(void)
{
	static const struct row mov_dr4 = {
		"MOV R11, DR4", "\x41\x0f\x21\xe3", 4, MOV_DR, 0, 29, 0xb14, 0, 0};

	section("MOV DR exits before #UD for DR4 with CR4.DE (SDM 3C:26.1.3)");
	prepare(&mov_dr4);
	vmwrite(GUEST_CR4, vmread(GUEST_CR4) | 8);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 29);
	CHECK_EQUAL(vmread(QUALIFICATION), 0xb14);
	section("and before #GP(0) at CPL 3");
	prepare(&mov_dr4);
	at_cpl3();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 29);
	CHECK_EQUAL(vmread(QUALIFICATION), 0xb14);
}

/* Privilege comes first elsewhere, XSETBV's too (SDM 3C:26.1.1). */
static void privilege(void)
{
	static const struct row xsetbv = {"XSETBV", "\x0f\x01\xd1", 3, 0, 0, 55, 0, 0, 0};

	section("XSETBV exits, but #GP(0) at CPL 3 comes first (SDM 3C:26.1.1)");
	prepare(&xsetbv);
	vmwrite(GUEST_CR4, vmread(GUEST_CR4) | 1u << 18);
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 55);
	prepare(&xsetbv);
	vmwrite(GUEST_CR4, vmread(GUEST_CR4) | 1u << 18);
	vmwrite(EXCEPTION_BITMAP, 1u << 13);
	at_cpl3();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 0);
	CHECK_EQUAL(vmread(EXIT_INFO), 0x80000b0d);
}

static void rdtscp(void)
{
	static const struct row row = {"RDTSCP", "\x0f\x01\xf9", 3, 0, 0, 0, 0, 0, 0};

	section("RDTSCP that is not enabled: #UD before any other exception (SDM 3C:26.3)");
	prepare(&row);
	vmwrite(GUEST_CR4, vmread(GUEST_CR4) | 4); /* TSD */
	vmwrite(EXCEPTION_BITMAP, 1u << 13 | 1u << 6);
	at_cpl3();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_REASON), 0);
	CHECK_EQUAL(vmread(EXIT_INFO), 0x80000306);
	section("enabled, #GP(0) by CR4.TSD comes before its exit");
	prepare(&row);
	vmx_set_primary(1u << 12 | PRIMARY_SECONDARY); /* RDTSC exiting */
	CHECK(vmx_set_secondary(1u << 3));
	vmwrite(GUEST_CR4, vmread(GUEST_CR4) | 4);
	vmwrite(EXCEPTION_BITMAP, 1u << 13 | 1u << 6);
	at_cpl3();
	CHECK_EQUAL(vmx_launch(), SUCCEED);
	CHECK_EQUAL(vmread(EXIT_INFO), 0x80000b0d);
}

void payload(void)
{
	vmx_begin();
	debug_registers();
	privilege();
	rdtscp();
	for (unsigned int n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		check(&rows[n]);
	CHECK_EQUAL(vmxoff(), SUCCEED);
}
