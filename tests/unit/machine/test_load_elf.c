/* SPDX-License-Identifier: Apache-2.0 */
/* ELF (System V ABI, gABI 4.1, chapters 4 and 5); PVH: Xen, docs/misc/pvh.pandoc; the start of a
 * plain payload: machine/load.h. */
#include "fake_engine.h"
#include "machine/internal.h"
#include "machine/symbols.h"
#include "tests/unit/check.h"
#include "tests/unit/machine/elf_file.h"

static const char strings[] = "\0start\0data\0file.c";

/* One segment of 16 bytes, 32 in memory, linked at 0xffffffff80300000 and loaded at 0x300000;
 * entry 4 bytes into it; a PVH note; three symbols. */
static struct elf_file file64(void)
{
	struct {
		Elf64_Nhdr note;
		char name[4];
		uint64_t entry;
	} __attribute__((packed)) note = {{4, 8, 18}, "Xen", 0x300008};
	struct elf_parts parts = {
		.entry = 0xffffffff80300004,
		.load = {{.p_type = PT_LOAD,
			  .p_offset = ELF_CODE,
			  .p_vaddr = 0xffffffff80300000,
			  .p_paddr = 0x300000,
			  .p_filesz = 16,
			  .p_memsz = 32}},
		.note = &note,
		.symbol =
			{{0},
			 {.st_name = 1,
			  .st_info = STT_FUNC,
			  .st_shndx = 1,
			  .st_value = 0x300000,
			  .st_size = 8},
			 {.st_name = 7, .st_info = STT_OBJECT, .st_shndx = 1, .st_value = 0x300010},
			 {.st_name = 12, .st_info = STT_FILE, .st_shndx = SHN_ABS}},
		.strings = strings,
		.strings_size = sizeof(strings),
	};

	return elf_file(&parts);
}

static struct elf_file file32(void)
{
	struct elf_file file = {{0}};
	Elf32_Ehdr header = {.e_type = ET_EXEC,
			     .e_machine = EM_386,
			     .e_version = 1,
			     .e_entry = 0x400000,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf32_Phdr),
			     .e_phnum = 1};
	Elf32_Phdr segment = {.p_type = PT_LOAD,
			      .p_offset = ELF_CODE,
			      .p_vaddr = 0x400000,
			      .p_paddr = 0x400000,
			      .p_filesz = 4,
			      .p_memsz = 4};

	memcpy(header.e_ident, "\177ELF\1\1\1", 7);
	elf_put(&file, 0, &header, sizeof(header));
	elf_put(&file, sizeof(header), &segment, sizeof(segment));
	elf_put(&file, ELF_CODE, "code", 4);
	return file;
}

static struct machine *boot(enum machine_boot kind, const struct elf_file *file, size_t size,
			    struct ls_error *err)
{
	struct machine_config config = fake_config();
	char *path = fake_file(file->bytes, size);
	struct machine *machine;

	config.boot = kind;
	config.kernel = path;
	config.append = "one two";
	machine = machine_create(&config, err);
	remove(path);
	free(path);
	return machine;
}

static void test_64(void)
{
	struct elf_file file = file64();
	struct machine *machine = boot(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];
	char text[16];

	CHECK_EQUAL(vcpu->regs.rip, 0x300004); /* physical: nothing maps the link address */
	CHECK_EQUAL(vcpu->sregs.cs.l, 1);
	CHECK_EQUAL(vcpu->regs.rsp, 0x9f000);
	machine_dma_read(machine, 0x300000, text, 16);
	CHECK_EQUAL(memcmp(text, "0123456789abcdef", 16), 0);
	machine_dma_read(machine, vcpu->regs.rsi, text, 8);
	CU_ASSERT_STRING_EQUAL(text, "one two");
	machine_destroy(machine);
}

/* p_memsz beyond p_filesz is zero, whatever was there: a reset loads over used memory. */
static void test_bss(void)
{
	struct machine_config config = fake_config();
	struct elf_file file = file64();
	char *path = fake_file(file.bytes, ELF_SIZE);
	struct machine *machine;
	uint8_t bytes[17];

	config.boot = MACHINE_BOOT_PAYLOAD;
	config.kernel = path;
	machine = machine_create(&config, NULL);
	memset(machine_memory_ptr(machine, 0x300000, 0x21), 0xff, 0x21);
	fake_of(machine)->vcpus[0]->regs.rip = 0;
	bus_write(machine_ports(machine), 0xcf9, 1, 6);
	CU_ASSERT(control_service(machine));
	CHECK_EQUAL(fake_of(machine)->vcpus[0]->regs.rip, 0x300004);
	machine_dma_read(machine, 0x300010, bytes, 17);
	for (int i = 0; i < 16; i++)
		CHECK_EQUAL(bytes[i], 0);
	CHECK_EQUAL(bytes[16], 0xff); /* and nothing beyond it */
	machine_destroy(machine);
	remove(path);
	free(path);
}

static void test_32(void)
{
	struct elf_file file = file32();
	struct machine *machine = boot(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];

	CHECK_EQUAL(vcpu->regs.rip, 0x400000);
	CHECK_EQUAL(vcpu->sregs.cs.l, 0);
	CHECK_EQUAL(vcpu->sregs.cs.db, 1);
	CHECK_EQUAL(vcpu->sregs.cr0 & 0x80000001, 1);
	CHECK_EQUAL(vcpu->sregs.efer, 0);
	CU_ASSERT_PTR_NULL(machine_symbols(machine));
	machine_destroy(machine);
}

static void test_symbols(void)
{
	struct elf_file file = file64();
	struct machine *machine = boot(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, NULL);
	const struct symbols *symbols = machine_symbols(machine);
	uint64_t offset;

	CHECK_EQUAL(symbols->count, 2); /* the file's name is none */
	CU_ASSERT_STRING_EQUAL(symbols_find(symbols, 0x300007, &offset)->name, "start");
	CHECK_EQUAL(offset, 7);
	CU_ASSERT_PTR_NULL(symbols_find(symbols, 0x300008, NULL)); /* start has 8 bytes */
	CU_ASSERT_STRING_EQUAL(symbols_find(symbols, 0x300018, &offset)->name, "data");
	CHECK_EQUAL(offset, 8);
	CU_ASSERT_PTR_NULL(symbols_find(symbols, 0x2fffff, NULL));
	CHECK_EQUAL(symbols_by_name(symbols, "data")->address, 0x300010);
	machine_destroy(machine);
}

/* PVH: 32-bit flat protected mode without paging at the note's address, EBX at
 * hvm_start_info with its magic, version 1, one memory map. */
static void test_pvh(void)
{
	struct elf_file file = file64();
	struct machine *machine = boot(MACHINE_BOOT_LINUX, &file, ELF_SIZE, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];
	uint64_t info[7], map[3];
	char text[8];

	CHECK_EQUAL(vcpu->regs.rip, 0x300008);
	CHECK_EQUAL(vcpu->sregs.cs.l, 0);
	CHECK_EQUAL(vcpu->sregs.cr0 & 0x80000001, 1);
	machine_dma_read(machine, vcpu->regs.rbx, info, sizeof(info));
	CHECK_EQUAL(info[0], 0x1336ec578); /* magic, version 1 */
	CHECK_EQUAL(info[1], 0);           /* no flags, no modules */
	machine_dma_read(machine, info[3], text, 8);
	CU_ASSERT_STRING_EQUAL(text, "one two");
	CHECK_EQUAL(info[4], 0xe0000); /* RSDP */
	CHECK_EQUAL((uint32_t)info[6], 4);
	machine_dma_read(machine, info[5] + 3 * 24, map, sizeof(map));
	CHECK_EQUAL(map[0], 0x100000);
	CHECK_EQUAL(map[1], 15 << 20);
	CHECK_EQUAL(map[2], 1);
	machine_destroy(machine);
}

static void expect_error(enum machine_boot kind, const struct elf_file *file, size_t size,
			 const char *phrase)
{
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(boot(kind, file, size, &err));
	CHECK_ROW(strstr(err.text, phrase), "'%s' does not say '%s'", err.text, phrase);
}

static void test_bad_files(void)
{
	struct elf_file file = file64();
	Elf64_Ehdr *header = (void *)file.bytes;
	Elf64_Phdr *segment = (void *)(file.bytes + sizeof(*header));

	expect_error(MACHINE_BOOT_PAYLOAD, &file, 3, "not an ELF file");
	expect_error(MACHINE_BOOT_PAYLOAD, &file, 40, "");
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_CODE + 15, "truncated");
	header->e_machine = EM_AARCH64;
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "another processor");
	file = file64();
	header->e_type = ET_REL;
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "not linked");
	file = file64();
	segment->p_paddr = 0xfffff8; /* 32 bytes at the end of 16 MiB */
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "more memory");
	file = file64();
	segment->p_paddr = UINT64_MAX - 8;
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "more memory");
	file = file64();
	segment->p_filesz = UINT64_MAX - 4;
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "truncated");
	file = file64();
	segment->p_memsz = 8;
	expect_error(MACHINE_BOOT_PAYLOAD, &file, ELF_SIZE, "larger in the file");
	file = file64();
	segment[1].p_type = PT_NULL;
	expect_error(MACHINE_BOOT_LINUX, &file, ELF_SIZE, "PVH entry note");
}

static CU_TestInfo tests[] = {
	{"a 64-bit payload starts in long mode", test_64},
	{"memory beyond the file's bytes is zeroed", test_bss},
	{"a 32-bit payload starts in protected mode", test_32},
	{"symbols are kept", test_symbols},
	{"vmlinux with a PVH note", test_pvh},
	{"damaged and foreign files", test_bad_files},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/load_elf", tests)
