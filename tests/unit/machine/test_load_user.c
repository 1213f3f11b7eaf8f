/* SPDX-License-Identifier: Apache-2.0 */
/* User-mode code (machine/load.h): its pages, the kernel behind them, and the registers that it
 * begins with. */
#include "fake_engine.h"
#include "machine/internal.h"
#include "machine/load.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/elf_file.h"

#define CODE 0x200000
#define DATA 0x300000

#define PTE_U  0x4u
#define PTE_W  0x2u
#define PTE_AD 0x60u
#define PTE_NX (UINT64_C(1) << 63)

static const char strings[] = "\0second";

/* A page to execute and two to write, a note, and a symbol 8 bytes into the code. */
static struct elf_file user_file(void)
{
	struct {
		Elf64_Nhdr note;
		char name[12];
	} note = {{9, 0, 1}, "Lockstep"};
	struct elf_parts parts = {
		.entry = CODE,
		.load = {{.p_type = PT_LOAD,
			  .p_flags = PF_R | PF_X,
			  .p_offset = ELF_CODE,
			  .p_vaddr = CODE,
			  .p_paddr = CODE,
			  .p_filesz = 16,
			  .p_memsz = 16},
			 {.p_type = PT_LOAD,
			  .p_flags = PF_R | PF_W,
			  .p_vaddr = DATA,
			  .p_paddr = DATA,
			  .p_memsz = 8192}},
		.note = &note,
		.symbol = {{0},
			   {.st_name = 1,
			    .st_info = STT_FUNC,
			    .st_shndx = 1,
			    .st_value = CODE + 8,
			    .st_size = 8}},
		.strings = strings,
		.strings_size = sizeof(strings),
	};

	return elf_file(&parts);
}

static struct machine *boot(const struct elf_file *file, const char *append, struct ls_error *err)
{
	struct machine_config config = fake_config();
	char *path = fake_file(file->bytes, ELF_SIZE);
	struct machine *machine;

	config.boot = MACHINE_BOOT_PAYLOAD;
	config.kernel = path;
	config.append = append;
	machine = machine_create(&config, err);
	remove(path);
	free(path);
	return machine;
}

static uint64_t word(struct machine *machine, uint64_t at)
{
	uint64_t value = 0;

	machine_dma_read(machine, at, &value, sizeof(value));
	return value;
}

/* By the tables, from CR3 on (SDM 3A:4.5.4); 0: not present. */
static uint64_t entry_of(struct machine *machine, uint64_t linear)
{
	uint64_t entry = fake_of(machine)->vcpus[0]->sregs.cr3;

	for (unsigned int shift = 39; shift >= 12; shift -= 9) {
		entry = word(machine, (entry & 0xffffffffff000) + (linear >> shift & 511) * 8);
		if (!(entry & 1))
			return 0;
	}
	return entry;
}

/* A page is level 3's with its segment's rights, and all is accessed and dirty already. */
static void test_pages(void)
{
	struct elf_file file = user_file();
	struct machine *machine = boot(&file, NULL, NULL);

	CHECK_EQUAL(entry_of(machine, CODE), CODE | PTE_AD | PTE_U | 1);
	CHECK_EQUAL(entry_of(machine, CODE + 4096), 0);
	CHECK_EQUAL(entry_of(machine, DATA), DATA | PTE_AD | PTE_U | PTE_W | 1 | PTE_NX);
	CHECK_EQUAL(entry_of(machine, DATA + 4096) & 0xfff, PTE_AD | PTE_U | PTE_W | 1);
	CHECK_EQUAL(entry_of(machine, DATA + 8192), 0);
	CHECK_EQUAL(entry_of(machine, BOOT_USER_STACK) & 0xfff, PTE_AD | PTE_U | PTE_W | 1);
	CHECK_EQUAL(entry_of(machine, BOOT_USER_STACK - 4096), 0);
	CHECK_EQUAL(entry_of(machine, BOOT_USER_IDT) & 0xfff, PTE_AD | PTE_W | 1);
	CHECK_EQUAL(word(machine, CODE), 0x3736353433323130);
	machine_destroy(machine);
}

/* 64-bit code, interrupts on, alignment checks possible; the selectors are those that Linux's
 * programs see. */
static void test_registers(void)
{
	struct elf_file file = user_file();
	struct machine *machine = boot(&file, NULL, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];

	CHECK_EQUAL(vcpu->regs.rip, CODE);
	CHECK_EQUAL(vcpu->regs.rflags, 0x202);
	CHECK_EQUAL(vcpu->sregs.cs.selector, 0x33);
	CHECK_EQUAL(vcpu->sregs.cs.l, 1);
	CHECK_EQUAL(vcpu->sregs.cs.dpl, 3);
	CHECK_EQUAL(vcpu->sregs.ss.selector, 0x2b);
	CHECK_EQUAL(vcpu->sregs.efer, 0xd00);
	CHECK_EQUAL(vcpu->sregs.cr0, 0x80050033);
	CHECK_EQUAL(vcpu->regs.rsp & ~0xfffull, BOOT_USER_STACK);
	machine_destroy(machine);
}

/* The last word names where it begins; those before leave something out. */
static void test_words(void)
{
	struct elf_file file = user_file();
	struct machine *machine = boot(&file, "no-rf no-ac second", NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];
	struct ls_error err = {0};

	CHECK_EQUAL(vcpu->regs.rip, CODE + 8);
	CHECK_EQUAL(vcpu->sregs.cr0, 0x80010033);
	CHECK_EQUAL(word(machine, BOOT_USER_HANDLERS + 16 * 6), 0xfffeffff10246481);  /* #UD */
	CHECK_EQUAL(word(machine, BOOT_USER_HANDLERS + 16 * 14), 0xfffeffff18246481); /* #PF */
	machine_destroy(machine);
	CU_ASSERT_PTR_NULL(boot(&file, "third", &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no symbol 'third'"));
}

/* SDM 3A:6.14.1: a gate for each vector, of level 3 for INT3 and INTO; each handler begins with the
 * OUT. */
static void test_gates(void)
{
	struct elf_file file = user_file();
	struct machine *machine = boot(&file, NULL, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];

	CHECK_EQUAL(vcpu->sregs.idt.limit, 0x1ff);
	for (unsigned int n = 0; n < 32; n++) {
		uint64_t low = word(machine, vcpu->sregs.idt.base + 16 * n);
		uint64_t handler = (low & 0xffff) | (low >> 32 & 0xffff0000);

		CHECK_EQUAL(low >> 40 & 0xff, n == 3 || n == 4 ? 0xee : 0x8e);
		CHECK_EQUAL(word(machine, handler) & 0xffff, 0xf4e6);
	}
	machine_destroy(machine);
}

static void expect_error(const struct elf_file *file, const char *phrase)
{
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(boot(file, NULL, &err));
	CHECK_ROW(strstr(err.text, phrase), "'%s' does not say '%s'", err.text, phrase);
}

static void test_bad_files(void)
{
	struct elf_file file = user_file();
	Elf64_Phdr *segment = (void *)(file.bytes + sizeof(Elf64_Ehdr));

	segment->p_vaddr = 0x201000;
	expect_error(&file, "one to one");
	segment->p_vaddr = segment->p_paddr = 0x8000; /* the kernel's */
	expect_error(&file, "a segment");
}

static CU_TestInfo tests[] = {
	{"pages", test_pages},
	{"registers", test_registers},
	{"the command line's words", test_words},
	{"gates and handlers", test_gates},
	{"files that cannot be", test_bad_files},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/load_user", tests)
