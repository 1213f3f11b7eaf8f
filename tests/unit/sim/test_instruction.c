/* SPDX-License-Identifier: Apache-2.0 */
/* extension.h: vcpu_instruction. Titles and flags as in SDM 2A to 2D, 3C:31.3 and APM 3. */
#include <string.h>

#include <lockstep/extension.h>

#include "tests/unit/sim/kvm_rig.h"

static void check(struct kvm_rig *rig, const uint8_t *bytes, const char *mnemonic,
		  unsigned int length, uint64_t undefined, const char *manual)
{
	struct ls_instruction found;
	uint8_t padded[15] = {0};

	memcpy(padded, bytes, 8);
	CHECK_EQUAL(rig->engine->ext->vcpu_instruction(rig->engine, rig->vcpu, padded,
						       sizeof(padded), &found),
		    0);
	CU_ASSERT_TRUE(found.mnemonic && !strcmp(found.mnemonic, mnemonic));
	CHECK_EQUAL(found.length, length);
	CHECK_EQUAL(found.undefined, undefined);
	CU_ASSERT_TRUE(!strcmp(found.manual, manual));
}

#define BYTES(...) ((const uint8_t[8]){__VA_ARGS__})
#define AF         0x10

/* In real mode, as after reset: 16-bit operands and addresses. */
static void test_titles(void)
{
	struct kvm_rig rig;
	struct ls_instruction none;

	kvm_open(&rig, "amd,+svm", false);
	check(&rig, BYTES(0x21, 0xc8), "and", 2, AF, "SDM 2A AND");
	check(&rig, BYTES(0x8e, 0xd0), "mov", 2, 0, "SDM 2B MOV");
	check(&rig, BYTES(0x74, 0x00), "jz", 2, 0, "SDM 2A Jcc");
	check(&rig, BYTES(0x0f, 0x94, 0xc0), "setz", 3, 0, "SDM 2B SETcc");
	check(&rig, BYTES(0x66, 0x87, 0xc1), "xchg", 3, 0, "SDM 2D XCHG");
	check(&rig, BYTES(0xfb), "sti", 1, 0, "SDM 2B STI");
	CHECK_EQUAL(rig.engine->ext->vcpu_instruction(rig.engine, rig.vcpu, BYTES(0x0f, 0xff), 2,
						      &none),
		    0);
	CU_ASSERT_TRUE(!none.mnemonic || !strcmp(none.mnemonic, "ud0"));
	kvm_close(&rig);
}

/* SDM 1:8.3.10: transcendental instructions are as exact as an implementation likes; FSQRT is
 * exact. */
static void test_varies(void)
{
	struct kvm_rig rig;
	struct ls_instruction sine, root;

	kvm_open(&rig, NULL, false);
	rig.engine->ext->vcpu_instruction(rig.engine, rig.vcpu, BYTES(0xd9, 0xfe), 2, &sine);
	rig.engine->ext->vcpu_instruction(rig.engine, rig.vcpu, BYTES(0xd9, 0xfa), 2, &root);
	CU_ASSERT_TRUE(sine.varies);
	CU_ASSERT_FALSE(root.varies);
	kvm_close(&rig);
}

static CU_TestInfo tests[] = {
	{"an instruction is named with its place in the manual", test_titles},
	{"a result that is left to the implementation is told", test_varies},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("sim: instructions for reports", tests)
