/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses that meet the edges of slots: no byte of the host's beside them is touched. */
#include "sim/cpu/memory.h"
#include "tests/unit/sim/system_rig.h"

#define EDGE 0x8000 /* where the only slot ends; the rig's host memory goes on */

static void limit_slot(struct cpu_rig *rig, u32 flags)
{
	struct kvm_userspace_memory_region region = {0};

	CHECK_EQUAL(slots_set(&rig->slots, &region), 0);
	region = (struct kvm_userspace_memory_region){
		.memory_size = EDGE, .userspace_addr = (uintptr_t)rig->memory, .flags = flags};
	CHECK_EQUAL(slots_set(&rig->slots, &region), 0);
	cpu_flush_tlb(rig->cpu);
}

/* SDM 3C:31.11: SMBASE needs no alignment, so a field of the save area may cross the end of memory.
 */
static void test_physical_edge(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	limit_slot(&rig, 0);
	memset(rig.memory + EDGE - 8, 0x11, 16);
	for (unsigned int inside = 1; inside < 8; inside++) {
		u64 value = UINT64_C(0x8877665544332211);

		mem_store_physical(rig.cpu, EDGE - inside, value, 8);
		CHECK_EQUAL(memcmp(rig.memory + EDGE - inside, &value, inside), 0);
		CHECK_EQUAL(rig.memory[EDGE], 0x11);
		CHECK_EQUAL(mem_load_physical(rig.cpu, EDGE - inside, 8),
			    (value & (BIT(8 * inside) - 1)) | ~UINT64_C(0) << 8 * inside);
	}
	CHECK_EQUAL(mem_load_physical(rig.cpu, EDGE - 2, 4), 0xffff7766);
	rig_close(&rig);
}

/* Two pages of one slot and a page of another are one memory. */
static void test_physical_crossing(void)
{
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	mem_store_physical(rig.cpu, 0x1ffd, UINT64_C(0x0102030405060708), 8);
	CHECK_EQUAL(mem_load_physical(rig.cpu, 0x1ffd, 8), UINT64_C(0x0102030405060708));
	CHECK_EQUAL(rig.memory[0x1ffd], 0x08);
	CHECK_EQUAL(rig.memory[0x2004], 0x01);
	rig_close(&rig);
}

static u64 page_written;

static void note_code_written(struct cpu *cpu, u64 gpa)
{
	(void)cpu;
	page_written = gpa;
}

/* SDM 3A:4.8, 8.1.3: setting an accessed bit is a write, also for code that lies in the entry. */
static void test_accessed_bit_in_code(void)
{
	static const struct cpu_platform platform = {.code_page_written = note_code_written};
	struct cpu_rig rig;
	u64 entry = 0x5003;
	u64 *word;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->platform = &platform;
	memcpy(rig.memory + 0x1000, &(u32){0x2023}, 4); /* directory: table at 2000H, accessed */
	memcpy(rig.memory + 0x2014, &entry, 4);         /* of linear 5000H */
	rig.cpu->cr3 = 0x1000;
	rig.cpu->cr0 |= CR0_PG;
	cpu_update_mode(rig.cpu);
	word = slot_code_word(slots_find(&rig.slots, 0x2000), 0x2000);
	*word = 3; /* traces were made from the first two lines */
	page_written = 0;
	CHECK_EQUAL(mem_translate(rig.cpu, 0x5000, WALK_READ), 0x5000);
	CHECK_EQUAL(rig.memory[0x2014], 0x23);
	CHECK_EQUAL(*word, 2);
	CHECK_EQUAL(page_written, 0x2014);
	rig_close(&rig);
}

static unsigned int device_writes;

static bool take_mmio(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	(void)cpu, (void)gpa, (void)data, (void)size;
	device_writes += write;
	return true;
}

/* KVM_MEM_READONLY: the accessed bit of a descriptor in ROM goes to the device, not into the ROM.
 */
static void test_descriptor_in_rom(void)
{
	static const struct cpu_platform platform = {.mmio = take_mmio};
	struct cpu_rig rig;

	rig_open(&rig, "intel");
	limit_slot(&rig, KVM_MEM_READONLY);
	rig.cpu->platform = &platform;
	rig.cpu->single = true;
	device_writes = 0;
	CHECK_EQUAL(mem_compare_exchange_system(rig.cpu, 0x1004, 0, 0x100), true);
	CHECK_EQUAL(rig.memory[0x1005], 0);
	CHECK_EQUAL(device_writes, 1);
	rig_close(&rig);
}

static bool leave_to_user(struct cpu *cpu, u64 gpa, void *data, unsigned int size, bool write)
{
	(void)cpu, (void)gpa, (void)data, (void)size, (void)write;
	return false;
}

/* An image of 512 bytes has more pieces than user space answers: the rest are ones, never what the
 * interpreter's own memory holds. */
static void test_image_from_device(void)
{
	static const struct cpu_platform platform = {.mmio = leave_to_user};
	struct cpu_rig rig;
	int outcome, exits = 0;

	rig_open(&rig, "intel");
	rig_mode(&rig, MODE_64, 0);
	rig.cpu->cr4 |= CR4_OSFXSR;
	cpu_update_mode(rig.cpu);
	rig.cpu->platform = &platform;
	rig.cpu->reg[REG_RDI] = RIG_MEMORY;
	while ((outcome = RUN(&rig, 0x0f, 0xae, 0x0f)) == LEFT) { /* fxrstor [rdi] */
		CU_ASSERT_EQUAL_FATAL(rig.cpu->exit, CPU_EXIT_IO);
		rig.cpu->io.fragment[rig.cpu->io.completed++].data = 0;
		rig.cpu->io.consumed = 0;
		rig.cpu->single = true;
		exits++;
	}
	CHECK_EQUAL(outcome, NOTHING);
	CHECK_EQUAL(exits, CPU_IO_FRAGMENTS);
	for (unsigned int i = 0; i < 16; i++)
		CHECK_EQUAL(rig.cpu->vec[i].q[0], UINT64_MAX);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"image from a device", test_image_from_device},
	{"physical edge", test_physical_edge},
	{"physical crossing", test_physical_crossing},
	{"descriptor in ROM", test_descriptor_in_rom},
	{"accessed bits in code", test_accessed_bit_in_code},
	CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.memory", tests)
