/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's -drive and -device (its manual, "Block device options"): what they add to the machine. */
#include "tests/unit/check.h"
#include "tools/qemu_front.h"

static struct qemu_front front;

static void begin(void)
{
	front = (struct qemu_front){
		.drives = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.strings = g_ptr_array_new_with_free_func(g_free),
	};
}

static void end(void)
{
	g_hash_table_unref(front.drives);
	g_ptr_array_unref(front.strings);
}

/* "readonly=on" of a drive holds, whichever option connects it. */
static void test_read_only(void)
{
	static const char *const drives[] = {
		"file=disk,if=virtio,readonly=on",
		"file=disk,if=none,id=d,readonly=on",
		"file=disk,if=none,id=d",
	};

	for (unsigned int i = 0; i < 3; i++) {
		const struct machine_config *config = &front.session.config;

		begin();
		CHECK_EQUAL(qemu_drive(&front, drives[i], NULL), 0);
		CHECK_EQUAL(config->disk_count, i == 0);
		if (i)
			CHECK_EQUAL(qemu_device(&front, "virtio-blk-pci,drive=d", NULL), 0);
		CHECK_EQUAL(config->disk_count, 1);
		CU_ASSERT_STRING_EQUAL(config->disks[0].path, "disk");
		CHECK_EQUAL(config->disks[0].read_only, i < 2);
		end();
	}
}

static void test_unknown_drive(void)
{
	struct ls_error err = {0};

	begin();
	CHECK_EQUAL(qemu_device(&front, "virtio-blk-pci,drive=d", &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "'d'"));
	end();
}

static CU_TestInfo tests[] = {
	{"a drive is read-only if it says so", test_read_only},
	{"a device wants a drive that exists", test_unknown_drive},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools/qemu_device", tests)
