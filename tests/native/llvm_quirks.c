/* SPDX-License-Identifier: Apache-2.0 */
/* Where LLVM decodes otherwise, and why that is no fault of ours. */
#include <string.h>

#include "tests/native/llvm.h"

/* One * stands for anything. */
static const struct {
	const char *mnemonic, *reason;
} not_ours[] = {
	{"k*", "AVX-512 masks"},
	{"tile*", "AMX"},
	{"tdp*", "AMX"},
	{"ttdp*", "AMX"},
	{"ldtilecfg", "AMX"},
	{"sttilecfg", "AMX"},
	{"tcmm*", "AMX"},
	{"femms", "3DNow!"},
	{"pf*", "3DNow!"},
	{"pi2f*", "3DNow!"},
	{"pswapd", "3DNow!"},
	{"pavgusb", "3DNow!"},
	{"pmulhrw", "3DNow!"},
	{"getsec", "SMX"},
	{"vmread*", "VMX, an issue of its own"},
	{"vmwrite*", "VMX, an issue of its own"},
	{"vmptr*", "VMX, an issue of its own"},
	{"vmclear", "VMX, an issue of its own"},
	{"vmxo*", "VMX, an issue of its own"},
	{"vmlaunch", "VMX, an issue of its own"},
	{"vmresume", "VMX, an issue of its own"},
	{"vmfunc", "VMX, an issue of its own"},
	{"invept", "VMX, an issue of its own"},
	{"invvpid", "VMX, an issue of its own"},
	{"vmrun", "SVM, an issue of its own"},
	{"vmload", "SVM, an issue of its own"},
	{"vmsave", "SVM, an issue of its own"},
	{"vmgexit", "SEV-ES, an issue of its own"},
	{"stgi", "SVM, an issue of its own"},
	{"clgi", "SVM, an issue of its own"},
	{"skinit", "SVM, an issue of its own"},
	{"invlpga", "SVM, an issue of its own"},
	{"invlpgb", "INVLPGB"},
	{"tlbsync", "INVLPGB"},
	{"psmash", "SEV-SNP"},
	{"pvalidate", "SEV-SNP"},
	{"rmp*", "SEV-SNP"},
	{"movdir*", "MOVDIRI, MOVDIR64B"},
	{"enqcmd*", "ENQCMD"},
	{"aadd*", "RAO-INT"},
	{"aand*", "RAO-INT"},
	{"aor*", "RAO-INT"},
	{"axor*", "RAO-INT"},
	{"cmp*xadd", "CMPCCXADD"},
	{"vfm*", "FMA4"},
	{"vfnm*", "FMA4"},
	{"vpermil2*", "XOP"},
	{"vpdp*", "AVX-VNNI"},
	{"vbcst*", "AVX-NE-CONVERT"},
	{"vcvtne*", "AVX-NE-CONVERT"},
	{"vsha512*", "SHA512"},
	{"vsm3*", "SM3"},
	{"vsm4*", "SM4"},
	{"{*", "forms of AVX-512, AVX-VNNI, AVX-IFMA and APX"},
	{"xbegin", "RTM"},
	{"xabort", "RTM"},
	{"xend", "RTM"},
	{"xtest", "RTM"},
	{"encls", "SGX"},
	{"enclu", "SGX"},
	{"enclv", "SGX"},
	{"pconfig", "PCONFIG"},
	{"ptwrite*", "Processor Trace"},
	{"monitorx", "MONITORX"},
	{"mwaitx", "MONITORX"},
	{"clui", "UINTR"},
	{"stui", "UINTR"},
	{"testui", "UINTR"},
	{"uiret", "UINTR"},
	{"senduipi", "UINTR"},
	{"hreset", "HRESET"},
	{"loadiwkey", "Key Locker"},
	{"aesenc*kl", "Key Locker"},
	{"aesdec*kl", "Key Locker"},
	{"encodekey*", "Key Locker"},
	{"bnd*", "MPX"},
	{"xsusldtrk", "TSXLDTRK"},
	{"xresldtrk", "TSXLDTRK"},
	{"urdmsr", "USER_MSR"},
	{"uwrmsr", "USER_MSR"},
	{"lkgs", "FRED"},
	{"eretu", "FRED"},
	{"erets", "FRED"},
	{"rdmsrlist", "MSRLIST"},
	{"wrmsrlist", "MSRLIST"},
	{"wrmsrns", "WRMSRNS"},
	{"pbndkb", "PBNDKB"},
	{"seamcall", "TDX, an issue of its own"},
	{"seamops", "TDX, an issue of its own"},
	{"seamret", "TDX, an issue of its own"},
	{"tdcall", "TDX, an issue of its own"},
	{"xstore*", "VIA PadLock"},
	{"xcrypt*", "VIA PadLock"},
	{"xsha*", "VIA PadLock"},
	{"montmul", "VIA PadLock"},
	{"ccs_*", "VIA PadLock"},
};

const char *llvm_not_ours(const char *mnemonic)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(not_ours); n++) {
		const char *pattern = not_ours[n].mnemonic;
		size_t length = strlen(pattern);

		size_t star = strcspn(pattern, "*");

		if (strncmp(mnemonic, pattern, star))
			continue;
		if (star < length
			    ? strlen(mnemonic) >= length - 1 &&
				      !strcmp(mnemonic + strlen(mnemonic) - (length - star - 1),
					      pattern + star + 1)
			    : !mnemonic[star])
			return not_ours[n].reason;
	}
	return NULL;
}

/* Encodings that processors have and LLVM does not list. */
static const struct {
	const char *encoding, *reason;
} unlisted[] = {
	{"F1", "INT1: LLVM knows it as an assembler alias only"},
	{"D6", "SALC"},
	{"0F FF /r", "UD0"},
	{"0F B9 /r", "UD1"},
	{"0F 18 /r", "reserved NOP"},
	{"0F 19 /r", "reserved NOP"},
	{"0F 1A /r", "reserved NOP"},
	{"0F 1B /r", "reserved NOP"},
	{"0F 1C /r", "reserved NOP"},
	{"0F 1D /r", "reserved NOP"},
	{"0F 1E /r", "reserved NOP"},
	{"0F 0D /r:reg", "reserved NOP"},
	{"0F 0D /r:mem", "hints without a name"},
	{"F6 /1", "alias of TEST (APM 3 A.2)"},
	{"F7 /1", "alias of TEST (APM 3 A.2)"},
	{"C0 /6", "alias of SHL (APM 3 A.2)"},
	{"C1 /6", "alias of SHL (APM 3 A.2)"},
	{"D0 /6", "alias of SHL (APM 3 A.2)"},
	{"D1 /6", "alias of SHL (APM 3 A.2)"},
	{"D2 /6", "alias of SHL (APM 3 A.2)"},
	{"D3 /6", "alias of SHL (APM 3 A.2)"},
	{"D9 /3:reg", "x87 alias"},
	{"DC /2:reg", "x87 alias"},
	{"DC /3:reg", "x87 alias"},
	{"DD /1:reg", "x87 alias"},
	{"DE /2:reg", "x87 alias"},
	{"DF /1:reg", "x87 alias"},
	{"DF /2:reg", "x87 alias"},
	{"DF /3:reg", "x87 alias"},
	{"DB E0", "FNENI, an 8087 instruction that later ones ignore"},
	{"DB E1", "FNDISI, an 8087 instruction that later ones ignore"},
	{"DB E4", "FNSETPM, an 80287 instruction that later ones ignore"},
	{"0F 08", "LLVM wants no prefix"},
	{"0F 09", "LLVM wants no prefix"},
	{"8E /r", "segment registers that do not exist: #UD by the body"},
	{"8C /r", "segment registers that do not exist: #UD by the body"},
	{"0F 20 /r", "control registers that do not exist: #UD by the body"},
	{"0F 22 /r", "control registers that do not exist: #UD by the body"},
	{"0F 21 /r", "ModRM.mod is ignored, DR8 and up: #UD by the body"},
	{"0F 23 /r", "ModRM.mod is ignored, DR8 and up: #UD by the body"},
};

static bool is_rex(u8 byte, unsigned int bits)
{
	return bits == 64 && (byte & 0xf0) == 0x40;
}

/* Legacy prefixes and REX at the front. */
static unsigned int prefixes(const u8 *bytes, unsigned int bits)
{
	unsigned int n = 0;

	while (n < 14 && (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", bytes[n], 11) ||
			  is_rex(bytes[n], bits)))
		n++;
	return n;
}

/* A REX with another prefix behind it. */
static bool has_idle_rex(const u8 *bytes, unsigned int bits)
{
	for (unsigned int n = 1; n < prefixes(bytes, bits); n++)
		if (is_rex(bytes[n - 1], bits))
			return true;
	return false;
}

/* NP in a row forbids 66, F2 and F3, and VEX any of them and LOCK and REX (SDM 2A:3.1.1.1, 2.3):
 * LLVM looks over them. */
static bool has_forbidden_prefix(const u8 *bytes, unsigned int bits, const u32 *features)
{
	static const u32 modes[] = {MODE_CODE16, MODE_CODE32, MODE_CODE64};
	const struct decode_environment env = {
		.mode = modes[bits / 32] | MODE_PROTECTED | MODE_OSFXSR | MODE_AVX,
		.feature = features,
	};
	unsigned int count = prefixes(bytes, bits), left = 0, n;
	struct op op;
	struct instruction insn = {.op = &op};
	u8 rest[15 + 16] = {0};
	bool vex;

	vex = bytes[count] == 0xc4 || bytes[count] == 0xc5;
	for (n = 0; n < 15; n++)
		if (n >= count ||
		    !(memchr("\x66\xf2\xf3", bytes[n], 3) || (vex && is_rex(bytes[n], bits))))
			rest[left++] = bytes[n];
	return left < 15 && decode_instruction(&env, rest, 15, &insn) == DECODE_OK &&
	       (insn.form->space == 1 || insn.form->prefix == PREFIX_NP);
}

/* The opcode maps that LLVM knows and we do not. */
static bool foreign_space(const u8 *bytes, unsigned int bits)
{
	const u8 *at = bytes + prefixes(bytes, bits);

	return at[0] == 0x62 ||                     /* EVEX */
	       (at[0] == 0xd5 && bits == 64) ||     /* APX: REX2 */
	       (at[0] == 0x8f && (at[1] & 0x38)) || /* XOP */
	       (at[0] == 0x0f && at[1] == 0x0f);    /* 3DNow! */
}

static bool mandatory_66(const u8 *bytes, unsigned int bits, const struct opcode_row *row)
{
	const u8 *at = bytes + prefixes(bytes, bits);

	return row ? !strncmp(row->encoding, "66 ", 3) || !strncmp(row->encoding, "F2 ", 3) ||
			       !strncmp(row->encoding, "F3 ", 3) ||
			       !strncmp(row->encoding, "NP ", 3)
		   : at[0] == 0x0f;
}

static bool forgets_address_size(const u8 *bytes, unsigned int bits)
{
	unsigned int count = prefixes(bytes, bits);
	u8 opcode = bytes[count];
	bool hinted = opcode == 0xc6 || opcode == 0xc7 || (opcode >= 0x86 && opcode <= 0x89);

	return hinted && memchr(bytes, 0x67, count) &&
	       (memchr(bytes, 0xf2, count) || memchr(bytes, 0xf3, count));
}

const char *llvm_quirk(const u8 *bytes, unsigned int bits, const struct opcode_row *row,
		       const u32 *features)
{
	const u8 *at = bytes + prefixes(bytes, bits);

	if (!row && memchr(bytes, 0xf0, prefixes(bytes, bits)))
		return "LLVM takes LOCK before anything";
	if (!row && foreign_space(bytes, bits))
		return "AVX-512, APX, XOP, 3DNow!: not offered";
	if (row && bits != 64 && at[0] == 0x62)
		return "LLVM takes BOUND for EVEX where mod = 3 would make it that";
	if (!row && at[0] == 0x0f && at[1] == 0x78)
		return "EXTRQ with ModRM.reg other than 0 (APM 4)";
	if (!row && bits != 64 && at[0] == 0x0f && at[1] == 0x01 && at[2] == 0xf8)
		return "SWAPGS outside 64-bit mode (SDM 2B: #UD)";
	if (!row && at[0] == 0x0f && at[1] >= 0x20 && at[1] <= 0x23)
		return "control and debug registers that are not there (SDM 2: MOV CR, MOV DR: "
		       "#UD)";
	if (has_idle_rex(bytes, bits))
		return "a REX that is not last is ignored (SDM 2A:2.2.1); LLVM refuses or uses it";
	if (!row && has_forbidden_prefix(bytes, bits, features))
		return "LLVM looks over prefixes that the encoding forbids";
	if (row && bits == 64 && (row->flags & BRANCH) &&
	    memchr(bytes, 0x66, prefixes(bytes, bits)))
		return "66 on near branches: Intel ignores it, LLVM takes AMD's 16-bit "
		       "displacement";
	if (row && bits != 64 && at[0] == 0x0f && at > bytes &&
	    ((at[1] & 0xf0) == 0x80 || bits == 16))
		return "LLVM takes F2 and F3 before 16-bit 0F opcodes as part of them";
	if (row && bits != 64 && forgets_address_size(bytes, bits))
		return "LLVM forgets 67 in front of XACQUIRE and XRELEASE";
	if (row &&
	    (!strncmp(row->encoding, "F3 0F AE", 8) || !strncmp(row->encoding, "F3 0F C7", 8) ||
	     !strcmp(row->encoding, "F3 90")) &&
	    memchr(bytes, 0x66, prefixes(bytes, bits)))
		return "66 together with F3";
	if (row && bits != 64 && at[0] == 0xc4 && !(at[2] & 0x40))
		return "outside 64-bit code the top bit of VEX.vvvv is ignored (SDM 2A:2.3.5.6)";
	if (bits == 16 && mandatory_66(bytes, bits, row))
		return "LLVM takes 66 in 16-bit code as the operand size where it is part of the "
		       "opcode";
	for (unsigned int n = 0; row && n < ARRAY_SIZE(unlisted); n++)
		if (!strcmp(row->encoding, unlisted[n].encoding))
			return unlisted[n].reason;
	return NULL;
}
