/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID of a model on an engine that supports less (SDM 2A CPUID, APM 3 appendix E). */
#include "machine/cpu_model.h"
#include "tests/unit/check.h"

#define INDEXED KVM_CPUID_FLAG_SIGNIFCANT_INDEX

static const struct kvm_cpuid_entry2 amd = {
	.eax = 0xd, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65};

static void add(union cpuid_buffer *cpuid, struct kvm_cpuid_entry2 entry)
{
	cpuid->head.entries[cpuid->head.nent++] = entry;
}

static void expect(const union cpuid_buffer *cpuid, uint32_t leaf, uint32_t subleaf, uint32_t eax,
		   uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_find(&cpuid->head, leaf, subleaf);

	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CHECK_ROW(entry->eax == eax && entry->ebx == ebx && entry->ecx == ecx && entry->edx == edx,
		  "leaf 0x%x.%u: 0x%x 0x%x 0x%x 0x%x", leaf, subleaf, entry->eax, entry->ebx,
		  entry->ecx, entry->edx);
}

/* Leaf 1: EAX and EBX are the model's, ECX and EDX features. A leaf that the engine does not have
 * offers none; one that only the engine has is not added. */
static void test_features(void)
{
	static union cpuid_buffer model, engine;

	add(&model, amd);
	add(&engine, amd);
	add(&model, (struct kvm_cpuid_entry2){
			    .function = 1, .eax = 0x111, .ebx = 0x222, .ecx = 0xf0, .edx = 0xff});
	add(&engine, (struct kvm_cpuid_entry2){
			     .function = 1, .eax = 0x999, .ebx = 0x888, .ecx = 0x3c, .edx = 0xf00});
	add(&model, (struct kvm_cpuid_entry2){.function = 7, .flags = INDEXED, .ebx = 0xff});
	add(&model,
	    (struct kvm_cpuid_entry2){.function = 7, .index = 1, .flags = INDEXED, .eax = 0xff});
	add(&engine, (struct kvm_cpuid_entry2){.function = 7, .flags = INDEXED, .ebx = 0x18});
	add(&engine, (struct kvm_cpuid_entry2){.function = 0x80000001, .edx = 0xff});
	CHECK_EQUAL(cpu_model_intersect(&model.head, &engine.head), 0);
	expect(&model, 1, 0, 0x111, 0x222, 0x30, 0);
	expect(&model, 7, 0, 0, 0x18, 0, 0);
	expect(&model, 7, 1, 0, 0, 0, 0);
	CU_ASSERT_PTR_NULL(cpuid_find(&model.head, 0x80000001, 0));
}

/* 80000008H:EAX[7:0] and [15:8] are numbers of address bits; XSAVE's areas lie where the hardware
 * puts them; the TSC's rate of a model is not the host's. */
static void test_numbers(void)
{
	static union cpuid_buffer model, engine;

	add(&model, amd);
	add(&engine, amd);
	add(&model, (struct kvm_cpuid_entry2){.function = 0x80000008, .eax = 0x3930});
	add(&engine, (struct kvm_cpuid_entry2){.function = 0x80000008, .eax = 0x3034});
	add(&model, (struct kvm_cpuid_entry2){
			    .function = 0xd, .index = 9, .flags = INDEXED, .eax = 8, .ebx = 0xa80});
	add(&engine,
	    (struct kvm_cpuid_entry2){
		    .function = 0xd, .index = 9, .flags = INDEXED, .eax = 8, .ebx = 0x980});
	add(&model, (struct kvm_cpuid_entry2){.function = 0x15, .eax = 1, .ebx = 40, .ecx = 25});
	CHECK_EQUAL(cpu_model_intersect(&model.head, &engine.head), 0);
	expect(&model, 0x80000008, 0, 0x3030, 0, 0, 0);
	expect(&model, 0xd, 9, 8, 0x980, 0, 0);
	expect(&model, 0x15, 0, 0, 0, 0, 0);
}

static void test_vendors(void)
{
	static union cpuid_buffer model, engine;

	add(&model,
	    (struct kvm_cpuid_entry2){.ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69});
	add(&engine, amd);
	CHECK_EQUAL(cpu_model_intersect(&model.head, &engine.head), -EINVAL);
}

/* Processor 2 of 3 on a host of 64 with two threads a core: three cores need two bits of APIC ID.
 */
static void test_place(void)
{
	static union cpuid_buffer cpuid;

	add(&cpuid, (struct kvm_cpuid_entry2){.function = 1, .ebx = 0x3f400800});
	add(&cpuid, (struct kvm_cpuid_entry2){.function = 0xb, .eax = 1, .ebx = 2, .edx = 63});
	add(&cpuid, (struct kvm_cpuid_entry2){.function = 4,
					      .index = 3,
					      .flags = INDEXED,
					      .eax = 0x7c0fc163}); /* level 3, unified */
	add(&cpuid, (struct kvm_cpuid_entry2){.function = 0x80000008, .ecx = 0x703f});
	add(&cpuid, (struct kvm_cpuid_entry2){.function = 0x8000001e, .eax = 63, .ebx = 0x11f});
	cpu_model_place(&cpuid.head, 2, 3);
	expect(&cpuid, 1, 0, 0, 0x02030800, 0, 1u << 28);
	expect(&cpuid, 0xb, 0, 0, 1, 0x100, 2);
	expect(&cpuid, 0xb, 1, 2, 3, 0x201, 2);
	expect(&cpuid, 4, 3, 0x08008163, 0, 0, 0);
	expect(&cpuid, 0x80000008, 0, 0, 0, 0x2002, 0);
	expect(&cpuid, 0x8000001e, 0, 2, 2, 0, 0);
}

static CU_TestInfo tests[] = {
	{"features are those that both have", test_features},
	{"numbers, layouts and clocks", test_numbers},
	{"another vendor's model is refused", test_vendors},
	{"processors of a host's leaves are numbered anew", test_place},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/cpu_model", tests)
