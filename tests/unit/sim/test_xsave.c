/* SPDX-License-Identifier: Apache-2.0 */
/* FXSAVE, the XSAVE family, MXCSR, and extended state in KVM's structs. */
#include <errno.h>

#include "tests/unit/check.h"
#include "tests/unit/sim/insn_rig.h"

static struct rig rig;

#define AREA(type, offset) (*(type *)(rig.memory + RIG_DATA + (offset)))
#define BV                 AREA(u64, 512)
#define XCOMP              AREA(u64, 520)

#define FXSAVE    0x0f, 0xae, 0x07
#define FXSAVE64  0x48, 0x0f, 0xae, 0x07
#define FXRSTOR   0x0f, 0xae, 0x0f
#define FXRSTOR64 0x48, 0x0f, 0xae, 0x0f
#define LDMXCSR   0x0f, 0xae, 0x17
#define STMXCSR   0x0f, 0xae, 0x1f
#define XSAVE     0x0f, 0xae, 0x27
#define XRSTOR    0x0f, 0xae, 0x2f
#define XSAVEOPT  0x0f, 0xae, 0x37
#define XSAVEC    0x0f, 0xc7, 0x27
#define XSAVES    0x0f, 0xc7, 0x2f
#define XRSTORS   0x0f, 0xc7, 0x1f

/* A processor with something in every component, and a data page of CCH. */
static void open_rig(void)
{
	struct cpu *cpu;

	rig_open(&rig);
	cpu = rig.cpu;
	cpu->fpu.control = 0x027f;
	cpu->fpu.status = 2 << FSW_TOP_SHIFT;
	cpu->fpu.tag = 0xff0f; /* R2 and R3 used */
	cpu->fpu.opcode = 0x5c3;
	cpu->fpu.ip = 0x1122334455667788;
	cpu->fpu.dp = 0x99aabbccddeeff00;
	cpu->fpu.cs = 0x10;
	cpu->fpu.ds = 0x18;
	for (unsigned int i = 0; i < 8; i++)
		cpu->fpu.r[i] = (struct fpu_register){0x8000000000000000 + i, 0x3fff};
	for (unsigned int i = 0; i < 16; i++)
		for (unsigned int j = 0; j < 4; j++)
			cpu->vec[i].q[j] = 0x0101010101010101 * (16 * j + i + 1);
	cpu->pkru = 0x55555554;
	cpu->msr[MSR_U_CET] = 0x7000;
	cpu->msr[MSR_PL3_SSP] = 0x7ffff000;
	cpu->msr[MSR_XSS] = XSTATE_CET_U | XSTATE_CET_S;
	memset(rig.memory + RIG_DATA, 0xcc, 4096);
	memset(rig.memory + RIG_DATA + 512, 0, 64);
	cpu->reg[REG_RAX] = cpu->reg[REG_RDX] = UINT64_MAX;
}

static void request(u64 components)
{
	rig.cpu->reg[REG_RAX] = (u32)components;
	rig.cpu->reg[REG_RDX] = components >> 32;
}

/* SDM 1:10.5.1 tables 10-2 and 10-3: places of the fields, with and without REX.W. */
static void test_fxsave_layout(void)
{
	open_rig();
	CHECK_EQUAL(RIG_RUN(&rig, FXSAVE64), RIG_NOTHING);
	CHECK_EQUAL(AREA(u16, 0), 0x027f);
	CHECK_EQUAL(AREA(u16, 2), 0x1000);
	CHECK_EQUAL(AREA(u8, 4), 0x0c); /* abridged tags are by physical register */
	CHECK_EQUAL(AREA(u16, 6), 0x5c3);
	CHECK_EQUAL(AREA(u64, 8), 0x1122334455667788);
	CHECK_EQUAL(AREA(u64, 16), 0x99aabbccddeeff00);
	CHECK_EQUAL(AREA(u32, 24), 0x1f80);
	CHECK_EQUAL(AREA(u32, 28), mxcsr_mask(rig.cpu));
	CHECK_EQUAL(AREA(u64, 32), 0x8000000000000002); /* ST(0) is R2 */
	CHECK_EQUAL(AREA(u16, 40), 0x3fff);
	CHECK_EQUAL(AREA(u64, 32 + 16 * 7), 0x8000000000000001);
	CHECK_EQUAL(AREA(u64, 160), 0x0101010101010101);
	CHECK_EQUAL(AREA(u64, 160 + 16 * 15 + 8), 0x2020202020202020);
	CHECK_EQUAL(AREA(u8, 416), 0xcc);
	RIG_RUN(&rig, FXSAVE);
	CHECK_EQUAL(AREA(u32, 8), 0x55667788);
	CHECK_EQUAL(AREA(u16, 12), 0x10);
	CHECK_EQUAL(AREA(u32, 16), 0xddeeff00);
	CHECK_EQUAL(AREA(u16, 20), 0x18);
	rig_close(&rig);
}

/* APM 2:11.4.4: with FFXSR at CPL 0 in 64-bit mode the XMM registers stay out; outside 64-bit mode
 * only the first eight exist (SDM 1:10.5.1). */
static void test_fxsave_vectors(void)
{
	open_rig();
	rig.cpu->efer |= EFER_FFXSR;
	RIG_RUN(&rig, FXSAVE64);
	CHECK_EQUAL(AREA(u8, 160), 0xcc);
	CHECK_EQUAL(AREA(u32, 24), 0x1f80);
	rig.cpu->cpl = 3;
	RIG_RUN(&rig, FXSAVE64);
	CHECK_EQUAL(AREA(u8, 160), 0x01);
	memset(rig.memory + RIG_DATA, 0xcc, 512);
	rig_leave_64bit(&rig, false);
	CHECK_EQUAL(RIG_RUN(&rig, FXSAVE), RIG_NOTHING);
	CHECK_EQUAL(AREA(u8, 160 + 16 * 7), 0x08);
	CHECK_EQUAL(AREA(u8, 160 + 16 * 8), 0xcc);
	rig_close(&rig);
}

/* CPUID.7.EBX[13]: FCS and FDS are saved as zeros. AMD: no pointers without a pending exception. */
static void test_fxsave_models(void)
{
	open_rig();
	rig.cpu->feature[FEATURE_ZERO_FCS_FDS / 32] |= 1u << FEATURE_ZERO_FCS_FDS % 32;
	RIG_RUN(&rig, FXSAVE);
	CHECK_EQUAL(AREA(u32, 8), 0x55667788);
	CHECK_EQUAL(AREA(u32, 12), 0);
	CHECK_EQUAL(AREA(u32, 20), 0);
	rig.cpu->amd = true;
	RIG_RUN(&rig, FXSAVE64);
	CHECK_EQUAL(AREA(u16, 6), 0);
	CHECK_EQUAL(AREA(u64, 8), 0);
	fpu_set_control(rig.cpu, 0x37e);
	fpu_set_status(rig.cpu, FSW_IE);
	RIG_RUN(&rig, FXSAVE64);
	CHECK_EQUAL(AREA(u16, 6), 0x5c3);
	CHECK_EQUAL(AREA(u64, 8), 0x1122334455667788);
	rig_close(&rig);
}

/* SDM 2A FXSAVE, FXRSTOR: 16-byte alignment, MXCSR's reserved bits, CR0.EM and TS. */
static void test_fxrstor_faults(void)
{
	open_rig();
	RIG_RUN(&rig, FXSAVE64);
	rig.cpu->reg[REG_RDI] += 8;
	CHECK_EQUAL(RIG_RUN(&rig, FXSAVE), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, FXRSTOR), VECTOR_GP);
	rig.cpu->reg[REG_RDI] -= 8;
	AREA(u32, 24) = 0x80001f80;
	AREA(u64, 160) = 42;
	CHECK_EQUAL(RIG_RUN(&rig, FXRSTOR64), VECTOR_GP);
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 0x0101010101010101);
	AREA(u32, 24) = 0x1fa0;
	CHECK_EQUAL(RIG_RUN(&rig, FXRSTOR64), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 42);
	CHECK_EQUAL(rig.cpu->vec[0].q[2], 0x2121212121212121); /* upper halves stay */
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1fa0);
	rig.mode |= MODE_TS;
	CHECK_EQUAL(RIG_RUN(&rig, FXSAVE), VECTOR_NM);
	rig_close(&rig);
}

/* SDM 1:8.1.3: ES and B follow the masks whatever the image says. */
static void test_fxrstor_status(void)
{
	open_rig();
	RIG_RUN(&rig, FXSAVE64);
	AREA(u16, 0) = 0x037e;
	AREA(u16, 2) = FSW_IE;
	RIG_RUN(&rig, FXRSTOR64);
	CHECK_EQUAL(rig.cpu->fpu.status, FSW_IE | FSW_ES | FSW_B);
	AREA(u16, 0) = 0xffff;
	AREA(u16, 2) = FSW_IE | FSW_ES | FSW_B;
	AREA(u8, 4) = 0x81;
	RIG_RUN(&rig, FXRSTOR64);
	CHECK_EQUAL(rig.cpu->fpu.status, FSW_IE);
	CHECK_EQUAL(rig.cpu->fpu.control, 0x1f7f);
	CHECK_EQUAL(fpu_abridged_tags(rig.cpu), 0x81);
	rig_close(&rig);
}

/* SDM 2A LDMXCSR, STMXCSR. */
static void test_mxcsr(void)
{
	open_rig();
	AREA(u32, 0) = 0xffff;
	CHECK_EQUAL(RIG_RUN(&rig, LDMXCSR), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->mxcsr, 0xffff);
	AREA(u32, 0) = 0x10000;
	CHECK_EQUAL(RIG_RUN(&rig, LDMXCSR), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, 0xc5, 0xf8, 0xae, 0x17), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, STMXCSR), RIG_NOTHING);
	CHECK_EQUAL(AREA(u32, 0), 0xffff);
	/* Bit 17 exists where CPUID 80000001H:ECX[7] is offered (APM 2:11.3.2). */
	AREA(u32, 0) = 0x21f80;
	CHECK_EQUAL(RIG_RUN(&rig, LDMXCSR), RIG_NOTHING);
	rig.cpu->feature[FEATURE_MISALIGNSSE / 32] &= ~(1u << FEATURE_MISALIGNSSE % 32);
	CHECK_EQUAL(RIG_RUN(&rig, LDMXCSR), VECTOR_GP);
	CHECK_EQUAL(mxcsr_mask(rig.cpu), 0xffff);
	rig_close(&rig);
}

/* SDM 1:13.7 XSAVE: every requested component is stored; XSTATE_BV tells which are in use and keeps
 * the bits not asked for. */
static void test_xsave(void)
{
	open_rig();
	for (unsigned int i = 0; i < 16; i++)
		rig.cpu->vec[i].q[2] = rig.cpu->vec[i].q[3] = 0;
	BV = XSTATE_SSE | BIT(40);
	request(XSTATE_X87 | XSTATE_AVX | XSTATE_PKRU);
	CHECK_EQUAL(RIG_RUN(&rig, XSAVE), RIG_NOTHING);
	CHECK_EQUAL(BV, XSTATE_X87 | XSTATE_SSE | XSTATE_PKRU | BIT(40));
	CHECK_EQUAL(XCOMP, 0);
	CHECK_EQUAL(AREA(u16, 0), 0x027f);
	CHECK_EQUAL(AREA(u32, 24), 0x1f80); /* asked for by AVX too */
	CHECK_EQUAL(AREA(u8, 160), 0xcc);
	CHECK_EQUAL(AREA(u64, 576), 0);
	CHECK_EQUAL(AREA(u64, 2688), 0x55555554);
	rig_close(&rig);
}

/* SDM 1:13.9: XSAVEOPT stores nothing for components in their initial configuration. */
static void test_xsaveopt(void)
{
	open_rig();
	for (unsigned int i = 0; i < 16; i++)
		rig.cpu->vec[i].q[2] = rig.cpu->vec[i].q[3] = 0;
	request(XSTATE_SSE | XSTATE_AVX);
	CHECK_EQUAL(RIG_RUN(&rig, XSAVEOPT), RIG_NOTHING);
	CHECK_EQUAL(BV, XSTATE_SSE);
	CHECK_EQUAL(AREA(u8, 576), 0xcc);
	CHECK_EQUAL(AREA(u8, 160), 0x01);
	CHECK_EQUAL(AREA(u8, 0), 0xcc);
	rig_close(&rig);
}

/* SDM 1:13.6: the initial configurations. */
static void test_in_use(void)
{
	struct cpu *cpu;

	rig_open(&rig);
	cpu = rig.cpu;
	CHECK_EQUAL(xstate_in_use(cpu), 0);
	cpu->mxcsr = 0x1fbf; /* not part of SSE's configuration */
	CHECK_EQUAL(xstate_in_use(cpu), 0);
	cpu->vec[15].q[1] = 1;
	CHECK_EQUAL(xstate_in_use(cpu), XSTATE_SSE);
	cpu->vec[15].q[2] = 1;
	CHECK_EQUAL(xstate_in_use(cpu), XSTATE_SSE | XSTATE_AVX);
	cpu->pkru = 4;
	cpu->fpu.control = 0x27f;
	CHECK_EQUAL(xstate_in_use(cpu), XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_PKRU);
	cpu->msr[MSR_PL0_SSP] = 8;
	CHECK_EQUAL(xstate_in_use(cpu) & (XSTATE_CET_U | XSTATE_CET_S), XSTATE_CET_S);
	rig_leave_64bit(&rig, false); /* registers 8 to 15 do not count there */
	CHECK_EQUAL(xstate_in_use(cpu) & (XSTATE_SSE | XSTATE_AVX), 0);
	rig_close(&rig);
}

/* SDM 1:13.4.3, 13.10: compacted offsets; XCOMP_BV; nothing written for unused components. */
static void test_xsavec(void)
{
	open_rig();
	request(XSTATE_X87 | XSTATE_AVX | XSTATE_PKRU);
	CHECK_EQUAL(RIG_RUN(&rig, XSAVEC), RIG_NOTHING);
	CHECK_EQUAL(BV, XSTATE_X87 | XSTATE_AVX | XSTATE_PKRU);
	CHECK_EQUAL(XCOMP, XCOMP_COMPACTED | XSTATE_X87 | XSTATE_AVX | XSTATE_PKRU);
	CHECK_EQUAL(AREA(u32, 24), 0xcccccccc); /* MXCSR goes with SSE */
	CHECK_EQUAL(AREA(u64, 576), 0x2121212121212121);
	CHECK_EQUAL(AREA(u64, 576 + 256), 0x55555554);
	request(XSTATE_PKRU);
	RIG_RUN(&rig, XSAVEC);
	CHECK_EQUAL(AREA(u64, 576), 0x55555554);
	/* An unusual MXCSR makes SSE count as used. */
	for (unsigned int i = 0; i < 16; i++)
		rig.cpu->vec[i] = (union vec){0};
	request(XSTATE_SSE);
	RIG_RUN(&rig, XSAVEC);
	CHECK_EQUAL(BV, 0);
	rig.cpu->mxcsr = 0x1fa0;
	RIG_RUN(&rig, XSAVEC);
	CHECK_EQUAL(BV, XSTATE_SSE);
	CHECK_EQUAL(AREA(u32, 24), 0x1fa0);
	rig_close(&rig);
}

/* SDM 1:13.11, 13.12: supervisor components, by IA32_XSS. */
static void test_xsaves(void)
{
	open_rig();
	request(XSTATE_PKRU | XSTATE_CET_U | XSTATE_CET_S);
	CHECK_EQUAL(RIG_RUN(&rig, XSAVES), RIG_NOTHING);
	CHECK_EQUAL(BV, XSTATE_PKRU | XSTATE_CET_U);
	CHECK_EQUAL(AREA(u64, 576), 0x55555554);
	CHECK_EQUAL(AREA(u64, 584), 0x7000);
	CHECK_EQUAL(AREA(u64, 592), 0x7ffff000);
	CHECK_EQUAL(AREA(u64, 600), 0xcccccccccccccccc); /* CET_S is unused */
	rig.cpu->msr[MSR_PL1_SSP] = 0x1000;
	rig.cpu->msr[MSR_U_CET] = rig.cpu->msr[MSR_PL3_SSP] = 0;
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->msr[MSR_U_CET], 0x7000);
	CHECK_EQUAL(rig.cpu->msr[MSR_PL3_SSP], 0x7ffff000);
	CHECK_EQUAL(rig.cpu->msr[MSR_PL1_SSP], 0); /* reset */
	AREA(u64, 592) = 0x7ffff001;               /* what WRMSR would refuse */
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP);
	AREA(u64, 592) = 0x8000000000000000;
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP);
	AREA(u64, 592) = 0;
	AREA(u64, 584) = 0x40;
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP);
	CHECK_EQUAL(rig.cpu->msr[MSR_U_CET], 0x7000);
	rig.cpu->msr[MSR_XSS] = XSTATE_CET_S; /* XCOMP_BV has what is not enabled */
	AREA(u64, 584) = 0;
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP);
	rig_close(&rig);
}

/* SDM 2D XSAVE, XSAVES: who may, and when. #UD comes first. */
static void test_xsave_faults(void)
{
	open_rig();
	rig.cpu->reg[REG_RDI] += 32;
	CHECK_EQUAL(RIG_RUN(&rig, XSAVE), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTOR), VECTOR_GP);
	rig.cpu->reg[REG_RDI] -= 32;
	rig.cpu->cpl = 3;
	CHECK_EQUAL(RIG_RUN(&rig, XSAVES), VECTOR_GP);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP);
	rig.cpu->cr0 |= CR0_TS;
	CHECK_EQUAL(RIG_RUN(&rig, XSAVEC), VECTOR_NM);
	rig.cpu->cr4 &= ~CR4_OSXSAVE;
	CHECK_EQUAL(RIG_RUN(&rig, XSAVEC), VECTOR_UD);
	CHECK_EQUAL(RIG_RUN(&rig, XSAVES), VECTOR_UD);
	CHECK_EQUAL(RIG_RUN(&rig, 0x66, XSAVE), VECTOR_UD); /* NP */
	rig_close(&rig);
}

/* SDM 1:13.8.1: the standard form loads or resets what is asked for, and MXCSR for SSE or AVX
 * whatever XSTATE_BV says. */
static void test_xrstor_standard(void)
{
	open_rig();
	request(UINT64_MAX);
	RIG_RUN(&rig, XSAVE);
	BV = XSTATE_SSE;
	AREA(u64, 160) = 77;
	AREA(u32, 24) = 0x1fa0;
	request(XSTATE_X87 | XSTATE_SSE | XSTATE_PKRU);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTOR), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->vec[0].q[0], 77);
	CHECK_EQUAL(rig.cpu->vec[0].q[2], 0x2121212121212121);
	CHECK_EQUAL(rig.cpu->fpu.control, FCW_INIT);
	CHECK_EQUAL(fpu_abridged_tags(rig.cpu), 0);
	CHECK_EQUAL(rig.cpu->pkru, 0);
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1fa0);
	AREA(u32, 24) = 0x1f81;
	request(XSTATE_AVX);
	RIG_RUN(&rig, XRSTOR);
	CHECK_EQUAL(rig.cpu->vec[0].q[2], 0);
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1f81);
	AREA(u32, 24) = 0xffffffff;
	request(XSTATE_X87);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTOR), RIG_NOTHING);
	request(XSTATE_AVX);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTOR), VECTOR_GP);
	rig_close(&rig);
}

/* SDM 1:13.8.2: MXCSR is a part of SSE in the compacted form. */
static void test_xrstor_compacted(void)
{
	open_rig();
	rig.cpu->mxcsr = 0x1fa0;
	request(XSTATE_SSE | XSTATE_AVX);
	RIG_RUN(&rig, XSAVEC);
	BV = XSTATE_AVX;
	rig.cpu->vec[3].q[2] = 0;
	rig.cpu->vec[3].q[0] = 9;
	request(XSTATE_AVX);
	CHECK_EQUAL(RIG_RUN(&rig, XRSTOR), RIG_NOTHING);
	CHECK_EQUAL(rig.cpu->vec[3].q[2], 0x2424242424242424);
	CHECK_EQUAL(rig.cpu->vec[3].q[0], 9);
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1fa0);
	request(XSTATE_SSE);
	RIG_RUN(&rig, XRSTOR);
	CHECK_EQUAL(rig.cpu->vec[3].q[0], 0);
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1f80);
	rig_close(&rig);
}

static int restore_with(u64 bv, u64 xcomp, unsigned int reserved)
{
	BV = bv;
	XCOMP = xcomp;
	memset(rig.memory + RIG_DATA + 528, 0, 48);
	if (reserved)
		AREA(u8, reserved) = 1;
	return RIG_RUN(&rig, XRSTOR);
}

/* SDM 2D XRSTOR, "Protected Mode Exceptions": the header's #GP conditions, all of them. */
static void test_xrstor_header(void)
{
	open_rig();
	request(UINT64_MAX);
	RIG_RUN(&rig, XSAVE);
	CHECK_EQUAL(restore_with(7, 0, 0), RIG_NOTHING);
	CHECK_EQUAL(restore_with(7 | BIT(5), 0, 0), VECTOR_GP); /* not in XCR0 */
	CHECK_EQUAL(restore_with(7, 1, 0), VECTOR_GP);
	CHECK_EQUAL(restore_with(7, 0, 528), VECTOR_GP);
	CHECK_EQUAL(restore_with(7, 0, 536), RIG_NOTHING); /* bytes 63:24 count when compacted */
	CHECK_EQUAL(restore_with(7, XCOMP_COMPACTED | 7, 0), RIG_NOTHING);
	CHECK_EQUAL(restore_with(7, XCOMP_COMPACTED | 3, 0), VECTOR_GP);
	CHECK_EQUAL(restore_with(7, XCOMP_COMPACTED | 7 | BIT(11), 0), VECTOR_GP);
	CHECK_EQUAL(restore_with(7 | BIT(63), XCOMP_COMPACTED | 7, 0), VECTOR_GP);
	CHECK_EQUAL(restore_with(7, XCOMP_COMPACTED | 7, 575), VECTOR_GP);
	XCOMP = 0;
	CHECK_EQUAL(RIG_RUN(&rig, XRSTORS), VECTOR_GP); /* wants the compacted form */
	rig.cpu->feature[FEATURE_XSAVEC / 32] &= ~(1u << FEATURE_XSAVEC % 32);
	CHECK_EQUAL(restore_with(7, XCOMP_COMPACTED | 7, 0), VECTOR_GP);
	rig_close(&rig);
}

/* CPUID 0DH's sizes (SDM 1:13.2). */
static void test_sizes(void)
{
	CHECK_EQUAL(xstate_size_standard(XSTATE_X87 | XSTATE_SSE), 576);
	CHECK_EQUAL(xstate_size_standard(XSTATE_X87 | XSTATE_SSE | XSTATE_AVX), 832);
	CHECK_EQUAL(xstate_size_standard(XSTATE_PKRU), 2696);
	CHECK_EQUAL(xstate_size_compacted(XSTATE_X87 | XSTATE_PKRU), 584);
	CHECK_EQUAL(xstate_size_compacted(XSTATE_AVX | XSTATE_PKRU | XSTATE_CET_U | XSTATE_CET_S),
		    576 + 256 + 8 + 16 + 24);
}

/* KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_FPU, KVM_SET_FPU: what is saved comes back; a bad image is
 * refused whole. */
static void test_kvm(void)
{
	static struct kvm_xsave saved, again;
	struct kvm_fpu fpu, fpu_again;
	u8 *area = (u8 *)saved.region;

	open_rig();
	rig.cpu->mxcsr = 0x1fa5;
	xstate_save_kvm(rig.cpu, &saved);
	xstate_save_kvm_fpu(rig.cpu, &fpu);
	rig_close(&rig);

	rig_open(&rig);
	CHECK_EQUAL(xstate_restore_kvm(rig.cpu, &saved), 0);
	xstate_save_kvm(rig.cpu, &again);
	CU_ASSERT(!memcmp(&saved, &again, sizeof(saved)));
	xstate_save_kvm_fpu(rig.cpu, &fpu_again);
	CU_ASSERT(!memcmp(&fpu, &fpu_again, sizeof(fpu)));
	CHECK_EQUAL(rig.cpu->pkru, 0x55555554);
	area[512 + 4] = 1;
	CHECK_EQUAL(xstate_restore_kvm(rig.cpu, &saved), -EINVAL);
	area[512 + 4] = 0;
	area[27] = 0x80;
	CHECK_EQUAL(xstate_restore_kvm(rig.cpu, &saved), -EINVAL);
	rig_close(&rig);

	rig_open(&rig);
	CHECK_EQUAL(xstate_restore_kvm_fpu(rig.cpu, &fpu), 0);
	CHECK_EQUAL(rig.cpu->fpu.r[2].mantissa, 0x8000000000000002);
	CHECK_EQUAL(rig.cpu->vec[15].q[1], 0x2020202020202020);
	CHECK_EQUAL(rig.cpu->mxcsr, 0x1fa5);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"FXSAVE layout", test_fxsave_layout},
	{"FXSAVE and vectors", test_fxsave_vectors},
	{"FXSAVE by model", test_fxsave_models},
	{"FXRSTOR faults", test_fxrstor_faults},
	{"FXRSTOR and ES", test_fxrstor_status},
	{"LDMXCSR, STMXCSR", test_mxcsr},
	{"XSAVE", test_xsave},
	{"XSAVEOPT", test_xsaveopt},
	{"XINUSE", test_in_use},
	{"XSAVEC", test_xsavec},
	{"XSAVES, XRSTORS", test_xsaves},
	{"XSAVE faults", test_xsave_faults},
	{"XRSTOR, standard", test_xrstor_standard},
	{"XRSTOR, compacted", test_xrstor_compacted},
	{"XRSTOR headers", test_xrstor_header},
	{"sizes", test_sizes},
	{"KVM structs", test_kvm},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("xsave", tests)
