/* SPDX-License-Identifier: Apache-2.0 */
/* Multiboot Specification 0.6.96: header 3.1, machine state 3.2, boot information 3.3. */
#include "fake_engine.h"
#include "tests/unit/check.h"

#define HEADER_AT 0x1004 /* any multiple of 4 in the first 8192 bytes */
#define SIZE      0x3000
#define LOAD_AT   0x200000u

struct file {
	uint8_t bytes[SIZE];
};

/* An image that says itself where it goes (flag 16): all of it at LOAD_AT, 0x1000 bytes of
 * bss, entry at its byte 0x20. */
static struct file addressed(uint32_t flags)
{
	struct file file = {{0}};
	uint32_t header[8] = {
		0x1badb002, flags | 1 << 16, -(0x1badb002 + (flags | 1 << 16)), LOAD_AT + HEADER_AT,
		LOAD_AT,    LOAD_AT + SIZE,  LOAD_AT + SIZE + 0x1000,           LOAD_AT + 0x20};

	memset(file.bytes, 0x90, SIZE);
	memcpy(file.bytes + HEADER_AT, header, sizeof(header));
	return file;
}

static struct machine *boot(struct machine_config *config, const struct file *file, size_t size,
			    char *path_seen, struct ls_error *err)
{
	char *path = fake_file(file->bytes, size);
	struct machine *machine;

	config->boot = MACHINE_BOOT_PAYLOAD;
	config->kernel = path;
	machine = machine_create(config, err);
	if (path_seen)
		strcpy(path_seen, path);
	remove(path);
	free(path);
	return machine;
}

static uint32_t get(struct machine *machine, uint64_t at)
{
	uint32_t value = 0;

	CHECK_EQUAL(machine_dma_read(machine, at, &value, 4), 0);
	return value;
}

/* 3.2: EAX magic, EBX information, flat 32-bit segments, PE without PG, interrupts off. */
static void test_state(void)
{
	struct machine_config config = fake_config();
	struct file file = addressed(0);
	struct machine *machine = boot(&config, &file, SIZE, NULL, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];

	CHECK_EQUAL(vcpu->regs.rax, 0x2badb002);
	CHECK_EQUAL(vcpu->regs.rip, LOAD_AT + 0x20);
	CHECK_EQUAL(vcpu->sregs.cr0 & 0x80000001, 1);
	CHECK_EQUAL(vcpu->regs.rflags & 0x20200, 0); /* IF, VM */
	CHECK_EQUAL(vcpu->sregs.cs.base, 0);
	CHECK_EQUAL(vcpu->sregs.cs.limit, 0xffffffff);
	CHECK_EQUAL(vcpu->sregs.cs.type & 0xa, 0xa);
	CHECK_EQUAL(vcpu->sregs.ss.type & 0xa, 0x2);
	CHECK_EQUAL(get(machine, LOAD_AT + SIZE - 4), 0x90909090);
	CHECK_EQUAL(get(machine, LOAD_AT + SIZE), 0); /* bss */
	machine_destroy(machine);
}

static void test_information(void)
{
	struct machine_config config = fake_config();
	struct file file = addressed(0x3);
	struct machine *machine;
	char path[64], expected[80], text[80] = {0};
	uint32_t info, map, length, found = 0;

	config.append = "a b";
	machine = boot(&config, &file, SIZE, path, NULL);
	info = (uint32_t)fake_of(machine)->vcpus[0]->regs.rbx;
	CHECK_EQUAL(get(machine, info) & 0x4d, 0x45); /* memory, command line, map; no modules */
	CHECK_EQUAL(get(machine, info + 4), 639);     /* KiB below the EBDA */
	CHECK_EQUAL(get(machine, info + 8), 15 << 10);
	machine_dma_read(machine, get(machine, info + 16), text, sizeof(text) - 1);
	snprintf(expected, sizeof(expected), "%s a b", path);
	CU_ASSERT_STRING_EQUAL(text, expected);
	length = get(machine, info + 44);
	map = get(machine, info + 48);
	/* An entry's size does not count itself. */
	for (uint32_t at = map; at < map + length; at += get(machine, at) + 4) {
		if (get(machine, at + 4) == 0x100000 && get(machine, at + 20) == 1) {
			CHECK_EQUAL(get(machine, at + 12), 15 << 20);
			found++;
		}
	}
	CHECK_EQUAL(found, 1);
	machine_destroy(machine);
}

static void test_module(void)
{
	struct machine_config config = fake_config();
	struct file file = addressed(0);
	struct machine *machine;
	char text[64] = {0};
	char *path = fake_file("NR_CPUS=2\n", 10);
	uint32_t info, module;

	config.initrd = path;
	machine = boot(&config, &file, SIZE, NULL, NULL);
	info = (uint32_t)fake_of(machine)->vcpus[0]->regs.rbx;
	CHECK_EQUAL(get(machine, info) & 8, 8);
	CHECK_EQUAL(get(machine, info + 20), 1);
	module = get(machine, info + 24);
	CHECK_EQUAL(get(machine, module) & 0xfff, 0);
	CHECK_EQUAL(get(machine, module + 4) - get(machine, module), 10);
	machine_dma_read(machine, get(machine, module), text, 10);
	CU_ASSERT_STRING_EQUAL(text, "NR_CPUS=2\n");
	machine_dma_read(machine, get(machine, module + 8), text, 63);
	CU_ASSERT_STRING_EQUAL(text, path);
	machine_destroy(machine);
	remove(path);
	free(path);
}

static void expect_error(const struct file *file, size_t size, const char *phrase)
{
	struct machine_config config = fake_config();
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(boot(&config, file, size, NULL, &err));
	CHECK_ROW(strstr(err.text, phrase), "'%s' does not say '%s'", err.text, phrase);
}

static void test_bad_files(void)
{
	struct file file = addressed(1 << 5); /* 3.1.2: bits 0-15 not known must be refused */

	expect_error(&file, SIZE, "unknown features");
	file = addressed(0);
	expect_error(&file, SIZE - 1, "truncated");
	file.bytes[HEADER_AT + 8]++; /* checksum: then it is no header, and no ELF file either */
	expect_error(&file, SIZE, "not an ELF file");
	file = addressed(0);
	memcpy(file.bytes + HEADER_AT + 16, (uint32_t[]){LOAD_AT + 0x2000}, 4);
	expect_error(&file, SIZE, "addresses are wrong"); /* loaded behind its own header */
	file = addressed(0);
	memcpy(file.bytes + HEADER_AT + 24, (uint32_t[]){0xf0000000}, 4);
	expect_error(&file, SIZE, "memory"); /* bss */
}

static void test_header_place(void)
{
	struct machine_config config = fake_config();
	struct file file = {{0}}, late;
	struct ls_error err = {0};

	file = addressed(0);
	memset(&late, 0x90, sizeof(late));
	memcpy(late.bytes + 8192, file.bytes + HEADER_AT, 32); /* just beyond the first 8192 */
	CU_ASSERT_PTR_NULL(boot(&config, &late, SIZE, NULL, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not an ELF file"));
}

static CU_TestInfo tests[] = {
	{"registers at the start (3.2)", test_state},
	{"memory, map and command line (3.3)", test_information},
	{"the boot module", test_module},
	{"damaged headers and files", test_bad_files},
	{"the header lies in the first 8192 bytes", test_header_place},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/load_multiboot", tests)
