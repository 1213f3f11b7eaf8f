/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID: models against features.def, leaves against SDM 2A (CPUID) and APM 3 appendix E. */
#include "tests/unit/sim/cpu_rig.h"

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, u32 leaf, u32 subleaf)
{
	for (unsigned int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == subleaf)
			return &cpuid->entries[i];
	return NULL;
}

static u32 value(const struct kvm_cpuid2 *cpuid, u32 leaf, u32 subleaf, u8 reg)
{
	const struct kvm_cpuid_entry2 *entry = find(cpuid, leaf, subleaf);
	const u32 values[] = {entry ? entry->eax : 0, entry ? entry->ebx : 0,
			      entry ? entry->ecx : 0, entry ? entry->edx : 0};

	return values[reg];
}

/* Bits 0 to 9, 12 to 17, 23 and 24 of 1:EDX stand in 8000_0001H:EDX, too (APM 3 E.4.2). */
static bool repeated_by_amd(u32 leaf, u8 reg, unsigned int bit)
{
	return leaf == 0x80000001 && reg == EDX &&
	       (bit <= 9 || (bit >= 12 && bit <= 17) || bit == 23 || bit == 24);
}

static int feature_at(u32 leaf, u32 subleaf, u8 reg, unsigned int bit)
{
	for (unsigned int f = 0; f < FEATURE_BASE; f++)
		if (feature_infos[f].leaf == leaf && feature_infos[f].subleaf == subleaf &&
		    feature_infos[f].reg == reg && feature_infos[f].bit == bit)
			return f;
	return -1;
}

/* A bit is in the leaves if, and only if, the model's table offers it. */
static void test_bits(void)
{
	static const struct {
		u32 leaf, subleaf;
		u8 reg;
	} words[] = {
		{1, 0, ECX},          {1, 0, EDX},          {6, 0, EAX},
		{7, 0, EBX},          {7, 0, ECX},          {7, 0, EDX},
		{7, 1, EAX},          {7, 2, EDX},          {0xd, 1, EAX},
		{0x40000001, 0, EAX}, {0x80000001, 0, ECX}, {0x80000001, 0, EDX},
		{0x80000007, 0, EDX}, {0x80000008, 0, EBX}, {0x80000021, 0, EAX},
		{0x80000021, 0, ECX},
	};

	for (unsigned int m = 0; m < model_info_count; m++) {
		struct kvm_cpuid2 *cpuid = rig_leaves(model_infos[m].name, 0, 1, NULL);

		for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
			u32 word = value(cpuid, words[w].leaf, words[w].subleaf, words[w].reg);

			for (unsigned int bit = 0; bit < 32; bit++) {
				int f = feature_at(words[w].leaf, words[w].subleaf, words[w].reg,
						   bit);
				bool offered = f >= 0 && model_offers(m, f);

				if (f == FEATURE_SVM || f == FEATURE_SKINIT) /* AMD's alone */
					offered &= model_infos[m].vendor == VENDOR_AMD;

				if (f < 0 && repeated_by_amd(words[w].leaf, words[w].reg, bit))
					offered = model_infos[m].vendor == VENDOR_AMD &&
						  value(cpuid, 1, 0, EDX) >> bit & 1;
				CHECK_ROW((word >> bit & 1) == offered,
					  "%s: leaf %#x register %u bit %u", model_infos[m].name,
					  words[w].leaf, words[w].reg, bit);
			}
		}
		free(cpuid);
	}
}

/* What the manuals say that a feature needs beside itself. */
static void test_dependencies(void)
{
	static const struct {
		enum cpu_feature feature, needs;
	} rows[] = {
		{FEATURE_SSE2, FEATURE_SSE},
		{FEATURE_SSE3, FEATURE_SSE2},
		{FEATURE_SSSE3, FEATURE_SSE3},
		{FEATURE_SSE4_1, FEATURE_SSSE3},
		{FEATURE_SSE4_2, FEATURE_SSE4_1},
		{FEATURE_AVX, FEATURE_XSAVE},
		{FEATURE_AVX, FEATURE_SSE4_2},
		{FEATURE_AVX2, FEATURE_AVX},
		{FEATURE_FMA, FEATURE_AVX},
		{FEATURE_F16C, FEATURE_AVX},
		{FEATURE_VAES, FEATURE_AES},
		{FEATURE_VAES, FEATURE_AVX},
		{FEATURE_VPCLMULQDQ, FEATURE_PCLMULQDQ},
		{FEATURE_AES, FEATURE_SSE2},
		{FEATURE_XSAVEOPT, FEATURE_XSAVE},
		{FEATURE_XSAVES, FEATURE_XSAVEC},
		{FEATURE_CET_SS, FEATURE_XSAVES},
		{FEATURE_PKU, FEATURE_XSAVE},
		{FEATURE_X2APIC, FEATURE_APIC},
		{FEATURE_TSC_DEADLINE, FEATURE_APIC},
		{FEATURE_PCID, FEATURE_LM},
		{FEATURE_INVPCID, FEATURE_PCID},
		{FEATURE_LM, FEATURE_PAE},
		{FEATURE_LM, FEATURE_NX},
		{FEATURE_LA57, FEATURE_LM},
		{FEATURE_PDPE1GB, FEATURE_LM},
		{FEATURE_PKS, FEATURE_LM},
		{FEATURE_MCA, FEATURE_MCE},
		{FEATURE_SPEC_CTRL_SSBD, FEATURE_SPEC_CTRL},
		{FEATURE_STIBP, FEATURE_SPEC_CTRL},
		{FEATURE_FXSR, FEATURE_FPU},
		{FEATURE_SSE, FEATURE_FXSR},
	};

	for (unsigned int m = 0; m < model_info_count; m++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			CHECK_ROW(!model_offers(m, rows[i].feature) ||
					  model_offers(m, rows[i].needs),
				  "%s: %s without %s", model_infos[m].name,
				  feature_infos[rows[i].feature].name,
				  feature_infos[rows[i].needs].name);
}

/* What the engine has not: no model may claim it. */
static void test_not_built(void)
{
	for (unsigned int m = 0; m < model_info_count; m++)
		CU_ASSERT_FALSE(model_offers(m, FEATURE_MISALIGNSSE));
}

/* Leaf 1:EAX of the processors that the models stand for, as published by their makers. */
static void test_versions(void)
{
	static const struct {
		const char *spec;
		u32 eax;
	} rows[] = {
		{"intel", 0x000806f8},                                /* Xeon, 4th generation */
		{"amd", 0x00a10f11},                                  /* EPYC 9004 */
		{"intel,family=6,model=0x3a,stepping=9", 0x000306a9}, /* Ivy Bridge */
		{"qemu64,family=5,model=4,stepping=3", 0x00000543},   /* Pentium MMX */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_cpuid2 *cpuid = rig_leaves(rows[i].spec, 0, 1, NULL);

		CHECK_EQUAL(value(cpuid, 1, 0, EAX), rows[i].eax);
		free(cpuid);
	}
}

static void test_vendor_and_range(void)
{
	static const struct {
		const char *spec;
		const char *vendor; /* EBX, EDX, ECX */
	} rows[] = {{"intel", "GenuineIntel"},
		    {"amd", "AuthenticAMD"},
		    {"max,vendor=amd", "AuthenticAMD"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_cpuid2 *cpuid = rig_leaves(rows[i].spec, 0, 1, NULL);
		u32 basic = value(cpuid, 0, 0, EAX), extended = value(cpuid, 0x80000000, 0, EAX);
		u32 text[3] = {value(cpuid, 0, 0, EBX), value(cpuid, 0, 0, EDX),
			       value(cpuid, 0, 0, ECX)};

		CU_ASSERT_EQUAL(memcmp(text, rows[i].vendor, 12), 0);
		CU_ASSERT_PTR_NOT_NULL(find(cpuid, basic, 0));
		CU_ASSERT_PTR_NOT_NULL(find(cpuid, extended, 0));
		for (unsigned int e = 0; e < cpuid->nent; e++) {
			u32 leaf = cpuid->entries[e].function;
			u32 highest[] = {basic, value(cpuid, 0x40000000, 0, EAX), extended, 0};

			CU_ASSERT_TRUE(leaf <= highest[leaf >> 30]);
		}
		free(cpuid);
	}
}

/* AMD's copy in 8000_0001H leaves bit 11 alone: it is SYSCALL there and SEP in leaf 1. */
static void test_not_repeated(void)
{
	struct kvm_cpuid2 *cpuid = rig_leaves("amd,-syscall", 0, 1, NULL);

	CHECK_EQUAL(value(cpuid, 1, 0, EDX) >> 11 & 1, 1);
	CHECK_EQUAL(value(cpuid, 0x80000001, 0, EDX) >> 11 & 1, 0);
	free(cpuid);
}

/* Leaf 15H: TSC Hz = ECX * EBX / EAX; here 1 GHz. */
static void test_clock(void)
{
	struct kvm_cpuid2 *cpuid = rig_leaves("intel", 0, 1, NULL);

	CHECK_EQUAL((u64)value(cpuid, 0x15, 0, ECX) * value(cpuid, 0x15, 0, EBX) /
			    value(cpuid, 0x15, 0, EAX),
		    1000000000);
	CHECK_EQUAL(value(cpuid, 0x16, 0, EAX), 1000); /* MHz */
	cpuid->nent = RIG_LEAVES;
	CHECK_EQUAL(cpu_model_build("intel", 0, 1, 2600000, cpuid, NULL), 0);
	CHECK_EQUAL((u64)value(cpuid, 0x15, 0, ECX) * value(cpuid, 0x15, 0, EBX) /
			    value(cpuid, 0x15, 0, EAX),
		    2600000000);
	/* the kernel multiplies kHz by EBX in 32 bits */
	CU_ASSERT_TRUE((u64)value(cpuid, 0x15, 0, ECX) / 1000 * value(cpuid, 0x15, 0, EBX) <=
		       UINT32_MAX);
	free(cpuid);
}

/* Leaves 1, 4, 0BH and 8000_0008H for processor 2 of 4. */
static void test_topology(void)
{
	struct kvm_cpuid2 *intel = rig_leaves("intel", 2, 4, NULL);
	struct kvm_cpuid2 *amd = rig_leaves("amd", 2, 4, NULL);

	CHECK_EQUAL(value(intel, 1, 0, EBX) >> 24, 2);        /* initial APIC id */
	CHECK_EQUAL(value(intel, 1, 0, EBX) >> 16 & 0xff, 4); /* logical processors */
	CHECK_EQUAL(value(intel, 1, 0, EBX) >> 8 & 0xff, 8);  /* CLFLUSH line / 8 */
	CHECK_EQUAL(value(intel, 1, 0, EDX) >> 28 & 1, 1);    /* HTT */
	CHECK_EQUAL(value(intel, 4, 0, EAX) >> 26, 3);        /* core ids - 1 */
	CHECK_EQUAL(value(intel, 0xb, 0, EAX), 0);            /* one thread a core */
	CHECK_EQUAL(value(intel, 0xb, 0, ECX), 0x100);        /* SMT level */
	CHECK_EQUAL(value(intel, 0xb, 1, EAX), 2);            /* two bits of core id */
	CHECK_EQUAL(value(intel, 0xb, 1, EBX), 4);
	CHECK_EQUAL(value(intel, 0xb, 1, ECX), 0x201); /* core level */
	CHECK_EQUAL(value(intel, 0xb, 1, EDX), 2);
	CHECK_EQUAL(value(intel, 0x1f, 1, EDX), 2);
	CHECK_EQUAL(value(amd, 0x80000008, 0, ECX), 0x2003); /* id size 2, cores - 1 */
	CHECK_EQUAL(value(amd, 0x8000001e, 0, EAX), 2);
	CHECK_EQUAL(value(amd, 0x80000001, 0, ECX) >> 1 & 1, 1); /* CmpLegacy */
	free(intel);
	free(amd);
	intel = rig_leaves("intel", 0, 1, NULL);
	CHECK_EQUAL(value(intel, 1, 0, EDX) >> 28 & 1, 0);
	free(intel);
}

/* Leaf 4 and 8000_001DH: ways * partitions * line * sets is the size. */
static void test_caches(void)
{
	static const struct {
		const char *spec;
		u32 leaf, subleaf;
		u32 kib;
	} rows[] = {
		{"intel", 4, 0, 48},          {"intel", 4, 1, 32},
		{"intel", 4, 2, 2048},        {"amd", 0x8000001d, 0, 32},
		{"amd", 0x8000001d, 2, 1024}, {"amd", 0x8000001d, 3, 32768},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_cpuid2 *cpuid = rig_leaves(rows[i].spec, 0, 1, NULL);
		u32 ebx = value(cpuid, rows[i].leaf, rows[i].subleaf, EBX);
		u64 size = ((ebx >> 22) + 1) * ((ebx >> 12 & 0x3ff) + 1) * ((ebx & 0xfff) + 1) *
			   ((u64)value(cpuid, rows[i].leaf, rows[i].subleaf, ECX) + 1);

		CHECK_EQUAL(size, rows[i].kib * 1024);
		free(cpuid);
	}
}

static void test_brand(void)
{
	struct kvm_cpuid2 *cpuid = rig_leaves("amd,model-name=Some Processor", 0, 1, NULL);
	u32 text[12];

	for (unsigned int i = 0; i < 12; i++)
		text[i] = value(cpuid, 0x80000002 + i / 4, 0, i % 4);
	CU_ASSERT_STRING_EQUAL((char *)text, "Some Processor");
	free(cpuid);
}

/* --- the instruction --- */

static u32 query(struct cpu *cpu, u32 leaf, u32 subleaf, u8 reg)
{
	u32 out[4];

	cpuid_query(cpu, leaf, subleaf, out);
	return out[reg];
}

/* SDM 2A: beyond the highest leaf Intel gives the highest basic leaf's data. APM 3 E.2: zeros. */
static void test_out_of_range(void)
{
	static const u32 beyond[] = {0x20, 0x40000000, 0x7fffffff, 0x80000030, 0xc0000000};
	struct cpu_rig intel, amd;

	rig_open(&intel, "intel");
	rig_open(&amd, "amd");
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		for (u8 reg = EAX; reg <= EDX; reg++) {
			CHECK_EQUAL(query(intel.cpu, beyond[i], 0, reg),
				    query(intel.cpu, query(intel.cpu, 0, 0, EAX), 0, reg));
			CHECK_EQUAL(query(amd.cpu, beyond[i], 0, reg), 0);
		}
	/* a hole within range, and a subleaf that is not there */
	CHECK_EQUAL(query(intel.cpu, 8, 0, EBX), 0);
	CHECK_EQUAL(query(intel.cpu, 7, 9, EBX), 0);
	CHECK_EQUAL(query(intel.cpu, 0xd, 3, EAX), 0);
	/* 0BH: a subleaf beyond the levels repeats ECX[7:0] */
	CHECK_EQUAL(query(intel.cpu, 0xb, 0x105, ECX), 5);
	CHECK_EQUAL(query(intel.cpu, 0xb, 5, EAX), 0);
	/* leaves without subleaves ignore ECX */
	CHECK_EQUAL(query(intel.cpu, 1, 77, EAX), query(intel.cpu, 1, 0, EAX));
	rig_close(&intel);
	rig_close(&amd);
}

/* Linux, Documentation/virt/kvm/x86/cpuid.rst: 4000_0000H is the signature in EBX, ECX, EDX and the
 * highest of KVM's leaves; the features below count for nobody else's signature. */
static void test_kvm(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel,+kvm-pv-ipi");
	CHECK_EQUAL(query(rig.cpu, 0x40000000, 0, EAX), 0x40000001);
	CHECK_EQUAL(query(rig.cpu, 0x40000000, 0, EBX), 0x4b4d564b); /* "KVMK" */
	CHECK_EQUAL(query(rig.cpu, 0x40000000, 0, ECX), 0x564b4d56); /* "VMKV" */
	CHECK_EQUAL(query(rig.cpu, 0x40000000, 0, EDX), 0x4d);       /* "M" */
	CHECK_EQUAL(query(rig.cpu, 0x40000001, 0, EAX), BIT(11));    /* KVM_FEATURE_PV_SEND_IPI */
	CHECK_EQUAL(query(rig.cpu, 0, 0, EAX), 0x1f);
	CU_ASSERT_TRUE(cpu_has(rig.cpu, FEATURE_KVM_PV_IPI));
	for (unsigned int i = 0; i < rig.cpuid->nent; i++)
		if (rig.cpuid->entries[i].function == 0x40000000)
			rig.cpuid->entries[i].edx = 0;
	cpuid_adopt(rig.cpu);
	CU_ASSERT_FALSE(cpu_has(rig.cpu, FEATURE_KVM_PV_IPI));
	rig_close(&rig);
}

/* Leaf 0DH: the sizes of SDM 1:13.4 for what XCR0 and XSS enable. */
static void test_xstate_sizes(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, EAX), 0x207);
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, ECX), 2696);   /* PKRU ends at 2688 + 8 */
	CHECK_EQUAL(query(rig.cpu, 0xd, 1, ECX), 0x1800); /* CET_U, CET_S */
	rig.cpu->xcr0 = 1;
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, EBX), 576);
	rig.cpu->xcr0 = 7;
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, EBX), 832);
	CHECK_EQUAL(query(rig.cpu, 0xd, 1, EBX), 832);
	rig.cpu->xcr0 = 0x203;
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, EBX), 2696);
	CHECK_EQUAL(query(rig.cpu, 0xd, 1, EBX), 584); /* compacted: right behind the header */
	rig.cpu->msr[MSR_XSS] = 0x1800;
	CHECK_EQUAL(query(rig.cpu, 0xd, 1, EBX), 584 + 16 + 24);
	CHECK_EQUAL(query(rig.cpu, 0xd, 2, EAX), 256);
	CHECK_EQUAL(query(rig.cpu, 0xd, 2, EBX), 576);
	CHECK_EQUAL(query(rig.cpu, 0xd, 11, ECX) & 1, 1); /* supervisor */
	rig_close(&rig);
	rig_open(&rig, "intel,-avx,-avx2,-fma,-f16c,-vaes,-vpclmulqdq,-pku,-shstk");
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, EAX), 3);
	CHECK_EQUAL(query(rig.cpu, 0xd, 0, ECX), 576);
	CHECK_EQUAL(rig.cpu->xcr0_supported, 3);
	CHECK_EQUAL(rig.cpu->xss_supported, 0);
	rig_close(&rig);
}

/* Bits that follow CR4 and MSRs (SDM 2A CPUID; 4:2.1 IA32_MISC_ENABLE). */
static void test_dynamic_bits(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "max");
	CHECK_EQUAL(query(rig.cpu, 1, 0, ECX) >> 27 & 1, 0);
	rig.cpu->cr4 |= CR4_OSXSAVE;
	CHECK_EQUAL(query(rig.cpu, 1, 0, ECX) >> 27 & 1, 1);
	CHECK_EQUAL(query(rig.cpu, 7, 0, ECX) >> 4 & 1, 0);
	rig.cpu->cr4 |= CR4_PKE;
	CHECK_EQUAL(query(rig.cpu, 7, 0, ECX) >> 4 & 1, 1);
	CHECK_EQUAL(query(rig.cpu, 1, 0, ECX) >> 3 & 1, 1);
	rig.cpu->msr[MSR_MISC_ENABLE] &= ~BIT(18);
	CHECK_EQUAL(query(rig.cpu, 1, 0, ECX) >> 3 & 1, 0);
	CHECK_EQUAL(query(rig.cpu, 0x80000001, 0, EDX) >> 20 & 1, 1);
	rig.cpu->msr[MSR_MISC_ENABLE] |= BIT(34);
	CHECK_EQUAL(query(rig.cpu, 0x80000001, 0, EDX) >> 20 & 1, 0);
	rig.cpu->msr[MSR_MISC_ENABLE] |= BIT(22);
	CU_ASSERT_TRUE(query(rig.cpu, 0, 0, EAX) < 4);
	rig_close(&rig);
}

/* What a processor concludes from its leaves. */
static void test_adopt(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel,phys-bits=40,-la57,-smap");
	CHECK_EQUAL(rig.cpu->amd, false);
	CHECK_EQUAL(rig.cpu->physical_bits, 40);
	CHECK_EQUAL(rig.cpu->linear_bits, 48);
	CHECK_EQUAL(rig.cpu->cr4_reserved & (CR4_SMAP | CR4_LA57), CR4_SMAP | CR4_LA57);
	CHECK_EQUAL(rig.cpu->cr4_reserved & (CR4_SMEP | CR4_PCIDE | CR4_PCE), 0);
	CHECK_EQUAL(rig.cpu->efer_reserved & (EFER_NXE | EFER_LME | EFER_SCE), 0);
	CHECK_EQUAL(rig.cpu->efer_reserved & (EFER_SVME | EFER_FFXSR), EFER_SVME | EFER_FFXSR);
	CU_ASSERT_FALSE(cpu_has(rig.cpu, FEATURE_SMAP));
	CU_ASSERT_TRUE(cpu_has(rig.cpu, FEATURE_SMEP));
	CU_ASSERT_TRUE(cpu_has(rig.cpu, FEATURE_BASE));
	rig_close(&rig);
	rig_open(&rig, "amd");
	CHECK_EQUAL(rig.cpu->amd, true);
	CHECK_EQUAL(rig.cpu->linear_bits, 57);
	CHECK_EQUAL(rig.cpu->efer_reserved & EFER_FFXSR, 0);
	rig_close(&rig);
}

/* --- specs --- */

static void test_specs(void)
{
	static const struct {
		const char *spec;
		int error;
		const char *word; /* that the message has to hold */
	} rows[] = {
		{"intel", 0, NULL},
		{"intel,+avx2,-avx,avx=off,phys-bits=36", 0, NULL},
		{"max,vendor=AuthenticAMD,SSE4_1=on", 0, NULL},
		{"pentium", -ENOENT, "qemu64"},
		{"", -ENOENT, "intel"},
		{"intel,+avx3", -ENOENT, "avx2"},
		{"intel,-smpa", -ENOENT, "smap"},
		{"intel,+zzzzzzzz", -ENOENT, "list features"},
		{"intel,+svm", -ENOENT, "not built"},
		{"intel,avx", -EINVAL, "+feature"},
		{"intel,phys-bits=53", -EINVAL, "52"},
		{"intel,phys-bits=4x", -EINVAL, "32"},
		{"intel,vendor=cyrix", -EINVAL, "cyrix"},
		{"intel,colour=blue", -ENOENT, "colour"},
		{"intel,model-name=0123456789012345678901234567890123456789012345678", -EINVAL,
		 "47"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ls_error err = {0};
		struct model model;

		CHECK_EQUAL(model_resolve(&model, rows[i].spec, &err), rows[i].error);
		CHECK_EQUAL(err.code, rows[i].error);
		CHECK_ROW(!rows[i].word || strstr(err.text, rows[i].word), "%s: '%s' lacks '%s'",
			  rows[i].spec, err.text, rows[i].word);
	}
}

static void test_room(void)
{
	struct kvm_cpuid2 *cpuid = rig_leaves("max", 0, 1, NULL);
	unsigned int needed;

	cpuid->nent = RIG_LEAVES;
	CHECK_EQUAL(cpuid_supported(1000000, cpuid), 0);
	needed = cpuid->nent;
	cpuid->nent = needed - 1;
	CHECK_EQUAL(cpuid_supported(1000000, cpuid), -E2BIG);
	cpuid->nent = needed;
	CHECK_EQUAL(cpuid_supported(1000000, cpuid), 0);
	free(cpuid);
}

/* KVM_GET_SUPPORTED_CPUID: what either vendor's processor could be given. */
static void test_supported(void)
{
	struct kvm_cpuid2 *cpuid = rig_leaves("max", 0, 1, NULL);

	cpuid->nent = RIG_LEAVES;
	CHECK_EQUAL(cpuid_supported(1000000, cpuid), 0);
	CU_ASSERT_TRUE(value(cpuid, 1, 0, ECX) & 1 << 5); /* VMX */
	CU_ASSERT_TRUE(value(cpuid, 0x80000001, 0, ECX) & 1 << 2);
	CU_ASSERT_TRUE(value(cpuid, 0x8000000a, 0, EDX) & 1 << 0); /* nested paging */
	free(cpuid);
}

static CU_TestInfo tests[] = {
	{"supported", test_supported},
	{"bits against the tables", test_bits},
	{"dependencies", test_dependencies},
	{"not built", test_not_built},
	{"versions", test_versions},
	{"vendor and range", test_vendor_and_range},
	{"not repeated", test_not_repeated},
	{"clock", test_clock},
	{"topology", test_topology},
	{"caches", test_caches},
	{"brand", test_brand},
	{"out of range", test_out_of_range},
	{"kvm", test_kvm},
	{"extended state", test_xstate_sizes},
	{"dynamic bits", test_dynamic_bits},
	{"adopt", test_adopt},
	{"specs", test_specs},
	{"room", test_room},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.cpuid", tests)
