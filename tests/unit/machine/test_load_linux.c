/* SPDX-License-Identifier: Apache-2.0 */
/* Linux, Documentation/arch/x86/boot.rst; offsets of the zero page from zero-page.rst. */
#include "fake_engine.h"
#include "tests/unit/check.h"

#define SETUP_SECTS 2
#define SETUP_SIZE  ((SETUP_SECTS + 1) * 512)
#define CODE_SIZE   0x1000
#define FILE_SIZE   (SETUP_SIZE + CODE_SIZE)

struct kernel {
	uint8_t bytes[FILE_SIZE];
};

static void put(struct kernel *kernel, size_t at, uint64_t value, size_t size)
{
	memcpy(kernel->bytes + at, &value, size);
}

/* A bzImage of boot protocol 2.15 that prefers 1 MiB. */
static struct kernel good_kernel(void)
{
	struct kernel kernel = {{0}};

	put(&kernel, 0x1f1, SETUP_SECTS, 1);
	put(&kernel, 0x1f4, CODE_SIZE / 16, 4); /* syssize */
	put(&kernel, 0x1fe, 0xaa55, 2);
	put(&kernel, 0x201, 0x6a, 1); /* header ends at 0x26c */
	put(&kernel, 0x202, 0x53726448, 4);
	put(&kernel, 0x206, 0x020f, 2);
	put(&kernel, 0x211, 0x01, 1); /* LOADED_HIGH */
	put(&kernel, 0x22c, 0x7fffffff, 4);
	put(&kernel, 0x230, 0x200000, 4);
	put(&kernel, 0x234, 1, 1);
	put(&kernel, 0x236, 0x0001, 2); /* XLF_KERNEL_64 */
	put(&kernel, 0x238, 100, 4);    /* cmdline_size */
	put(&kernel, 0x258, 0x200000, 8);
	put(&kernel, 0x260, 0x100000, 4); /* init_size */
	for (size_t i = 0; i < CODE_SIZE; i++)
		kernel.bytes[SETUP_SIZE + i] = (uint8_t)(i * 7);
	return kernel;
}

/* Boots it with @config's other fields; NULL and *err on failure. */
static struct machine *boot(struct machine_config *config, const struct kernel *kernel, size_t size,
			    struct ls_error *err)
{
	char *path = fake_file(kernel->bytes, size);
	struct machine *machine;

	config->boot = MACHINE_BOOT_LINUX;
	config->kernel = path;
	machine = machine_create(config, err);
	remove(path);
	free(path);
	return machine;
}

static uint64_t get(struct machine *machine, uint64_t at, unsigned int size)
{
	uint64_t value = 0;

	CHECK_EQUAL(machine_dma_read(machine, at, &value, size), 0);
	return value;
}

/* "64-bit boot protocol": CS 0x10 and DS 0x18 flat, long mode with everything mapped one to
 * one, interrupts off, RSI at the zero page, entry at 0x200 behind the load address. */
static void test_entry(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();
	struct machine *machine = boot(&config, &kernel, FILE_SIZE, NULL);
	struct fake_vcpu *vcpu = fake_of(machine)->vcpus[0];
	uint64_t table;

	CHECK_EQUAL(vcpu->regs.rip, 0x200200);
	CHECK_EQUAL(get(machine, 0x200000 + 100, 1), (uint8_t)(100 * 7));
	CHECK_EQUAL(get(machine, 0x200000 + CODE_SIZE - 1, 1), (uint8_t)((CODE_SIZE - 1) * 7));
	CHECK_EQUAL(vcpu->regs.rflags & 0x200, 0);
	CHECK_EQUAL(vcpu->sregs.cs.selector, 0x10);
	CHECK_EQUAL(vcpu->sregs.cs.l, 1);
	CHECK_EQUAL(vcpu->sregs.ds.selector, 0x18);
	CHECK_EQUAL(vcpu->sregs.efer & 0x500, 0x500);
	CHECK_EQUAL(vcpu->sregs.cr0 & 0x80000001, 0x80000001);
	CHECK_EQUAL(vcpu->sregs.cr4 & 0x20, 0x20);
	/* 3 GiB + 2 MiB, walked by hand. */
	table = get(machine, vcpu->sregs.cr3, 8) & ~0xfffull;
	table = get(machine, table + 3 * 8, 8) & ~0xfffull;
	CHECK_EQUAL(get(machine, table + 8, 8) & ~0x60ull, 0xc0200083);
	/* The loaded GDT says what the registers say. */
	CHECK_EQUAL(get(machine, vcpu->sregs.gdt.base + 0x10, 8), 0x00af9b000000ffff);
	CHECK_EQUAL(get(machine, vcpu->sregs.gdt.base + 0x18, 8), 0x00cf93000000ffff);
	machine_destroy(machine);
}

static void test_zero_page(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();
	struct machine *machine;
	char text[32] = {0};
	uint64_t zero;

	config.append = "console=ttyS0";
	config.memory = 5ull << 30;
	machine = boot(&config, &kernel, FILE_SIZE, NULL);
	zero = fake_of(machine)->vcpus[0]->regs.rsi;
	CHECK_EQUAL(get(machine, zero + 0x202, 4), 0x53726448); /* the header is copied */
	CHECK_EQUAL(get(machine, zero + 0x210, 1), 0xff);       /* type_of_loader */
	CHECK_EQUAL(get(machine, zero + 0x218, 8), 0);          /* no ramdisk */
	machine_dma_read(machine, get(machine, zero + 0x228, 4), text, 14);
	CU_ASSERT_STRING_EQUAL(text, "console=ttyS0");
	CHECK_EQUAL(get(machine, zero + 0x070, 8), 0xe0000); /* acpi_rsdp_addr */
	/* e820: conventional memory, BIOS areas, RAM to 3 GiB, RAM from 4 GiB. */
	CHECK_EQUAL(get(machine, zero + 0x1e8, 1), 5);
	CHECK_EQUAL(get(machine, zero + 0x2d0, 8), 0);
	CHECK_EQUAL(get(machine, zero + 0x2d8, 8), 0x9fc00);
	CHECK_EQUAL(get(machine, zero + 0x2e0, 4), 1);
	CHECK_EQUAL(get(machine, zero + 0x2d0 + 3 * 20, 8), 0x100000);
	CHECK_EQUAL(get(machine, zero + 0x2d8 + 3 * 20, 8), 0xbff00000);
	CHECK_EQUAL(get(machine, zero + 0x2d0 + 4 * 20, 8), 0x100000000);
	CHECK_EQUAL(get(machine, zero + 0x2d8 + 4 * 20, 8), 0x80000000);
	CHECK_EQUAL(get(machine, zero + 0x2e0 + 4 * 20, 4), 1);
	machine_destroy(machine);
}

static void test_initrd(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();
	struct machine *machine;
	char bytes[5000];
	uint64_t zero, at;
	char *path;

	memset(bytes, 0x5a, sizeof(bytes));
	path = fake_file(bytes, sizeof(bytes));
	config.initrd = path;
	machine = boot(&config, &kernel, FILE_SIZE, NULL);
	zero = fake_of(machine)->vcpus[0]->regs.rsi;
	at = get(machine, zero + 0x218, 4);
	CHECK_EQUAL(get(machine, zero + 0x21c, 4), 5000);
	CHECK_EQUAL(at & 0xfff, 0);
	CHECK_EQUAL(at, (16 << 20) - 0x2000); /* as high as it goes */
	CHECK_EQUAL(get(machine, at + 4999, 2), 0x5a);
	machine_destroy(machine);
	/* initrd_addr_max bounds it too. */
	put(&kernel, 0x22c, 0x7fffff, 4);
	machine = boot(&config, &kernel, FILE_SIZE, NULL);
	CHECK_EQUAL(get(machine, zero + 0x218, 4), 0x7fe000);
	machine_destroy(machine);
	remove(path);
	free(path);
}

static void expect_error(struct machine_config *config, const struct kernel *kernel, size_t size,
			 const char *phrase)
{
	struct ls_error err = {0};

	CU_ASSERT_PTR_NULL(boot(config, kernel, size, &err));
	CU_ASSERT(err.code < 0);
	CHECK_ROW(strstr(err.text, phrase), "'%s' does not say '%s'", err.text, phrase);
	CU_ASSERT_PTR_NULL(strchr(err.text, '\n'));
}

static void test_bad_files(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();

	expect_error(&config, &kernel, 100, "is no Linux kernel");
	expect_error(&config, &kernel, FILE_SIZE - 16, "truncated");
	expect_error(&config, &kernel, SETUP_SIZE, "truncated");
	put(&kernel, 0x202, 0, 4);
	expect_error(&config, &kernel, FILE_SIZE, "is no Linux kernel");
	kernel = good_kernel();
	put(&kernel, 0x1fe, 0, 2);
	expect_error(&config, &kernel, FILE_SIZE, "is no Linux kernel");
	kernel = good_kernel();
	put(&kernel, 0x206, 0x020b, 2);
	expect_error(&config, &kernel, FILE_SIZE, "no 64-bit entry");
	kernel = good_kernel();
	put(&kernel, 0x236, 0, 2);
	expect_error(&config, &kernel, FILE_SIZE, "no 64-bit entry");
}

static void test_too_large(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();
	static char large[15 << 20], line[101];
	char *path = fake_file(large, sizeof(large));

	config.initrd = path;
	expect_error(&config, &kernel, FILE_SIZE, "initrd");
	config.initrd = "/nonexistent/initrd";
	expect_error(&config, &kernel, FILE_SIZE, "/nonexistent/initrd");
	config.initrd = NULL;
	memset(line, 'x', 100);
	config.append = line;
	machine_destroy(boot(&config, &kernel, FILE_SIZE, NULL)); /* exactly cmdline_size: fine */
	put(&kernel, 0x238, 99, 4);
	expect_error(&config, &kernel, FILE_SIZE, "command line");
	config.append = NULL;
	put(&kernel, 0x260, 32 << 20, 4);
	expect_error(&config, &kernel, FILE_SIZE, "more memory");
	remove(path);
	free(path);
}

/* relocatable_kernel: where memory ends before the preferred address, the kernel goes to the
 * lowest aligned address from 1 MiB on. */
static void test_relocation(void)
{
	struct machine_config config = fake_config();
	struct kernel kernel = good_kernel();
	struct machine *machine;

	put(&kernel, 0x258, 0x1000000, 8); /* 16 MiB: the end of memory */
	machine = boot(&config, &kernel, FILE_SIZE, NULL);
	CHECK_EQUAL(fake_of(machine)->vcpus[0]->regs.rip, 0x200200);
	CHECK_EQUAL(get(machine, 0x200000 + 1, 1), 7);
	machine_destroy(machine);
	put(&kernel, 0x234, 0, 1);
	expect_error(&config, &kernel, FILE_SIZE, "more memory");
}

static CU_TestInfo tests[] = {
	{"the 64-bit entry", test_entry},
	{"boot_params, command line, e820", test_zero_page},
	{"initrd as high as allowed", test_initrd},
	{"damaged and foreign files", test_bad_files},
	{"what does not fit", test_too_large},
	{"relocation into small memory", test_relocation},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("machine/load_linux", tests)
