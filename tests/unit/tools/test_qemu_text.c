/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's way to write properties (its manual, "Introduction": "a comma in a value is doubled"), and
 * multiboot 1's header (section 3.1). */
#include <string.h>
#include <unistd.h>

#include "tests/unit/check.h"
#include "tools/qemu_front.h"

static void check_property(const GPtrArray *properties, guint i, const char *key, const char *value)
{
	const struct qemu_property *property = g_ptr_array_index(properties, i);

	CU_ASSERT_STRING_EQUAL(property->key, key);
	CU_ASSERT_STRING_EQUAL(property->value, value);
}

static void properties_are_split_at_commas(void)
{
	GPtrArray *properties = qemu_properties("isa-debug-exit,iobase=0xf4,iosize=0x4,flag");

	CHECK_EQUAL(properties->len, 4);
	check_property(properties, 0, "isa-debug-exit", "on");
	check_property(properties, 1, "iobase", "0xf4");
	check_property(properties, 2, "iosize", "0x4");
	check_property(properties, 3, "flag", "on");
	CU_ASSERT_STRING_EQUAL(qemu_property(properties, "iosize"), "0x4");
	CU_ASSERT_PTR_NULL(qemu_property(properties, "nothing"));
	g_ptr_array_unref(properties);
}

static void a_double_comma_is_one(void)
{
	GPtrArray *properties = qemu_properties("file=a,,b,id=x=y");

	CHECK_EQUAL(properties->len, 2);
	check_property(properties, 0, "file", "a,b");
	check_property(properties, 1, "id", "x=y");
	g_ptr_array_unref(properties);
}

static void nothing_has_no_properties(void)
{
	GPtrArray *properties = qemu_properties("");

	CHECK_EQUAL(properties->len, 0);
	g_ptr_array_unref(properties);
}

/* Writes the three words at @offset of a file of @size bytes, and looks at it. */
static bool looks_multiboot(size_t offset, size_t size, uint32_t checksum)
{
	uint32_t words[3] = {0x1badb002, 3, checksum};
	g_autofree char *bytes = g_malloc0(size);
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp(NULL, &path, NULL);
	bool is;

	memcpy(bytes + offset, words, sizeof(words));
	CHECK_EQUAL(write(fd, bytes, size), size);
	close(fd);
	is = qemu_is_multiboot(path);
	unlink(path);
	return is;
}

static void the_multiboot_header_is_found(void)
{
	uint32_t checksum = (uint32_t) - (0x1badb002 + 3);

	CU_ASSERT_TRUE(looks_multiboot(0, 12, checksum));
	CU_ASSERT_TRUE(looks_multiboot(8180, 9000, checksum));
	/* "It must be longword aligned, in the first 8192 bytes." */
	CU_ASSERT_FALSE(looks_multiboot(8184, 9000, checksum));
	CU_ASSERT_FALSE(looks_multiboot(2, 100, checksum));
	CU_ASSERT_FALSE(looks_multiboot(0, 12, checksum + 1));
	CU_ASSERT_FALSE(qemu_is_multiboot("/nonexistent"));
}

static CU_TestInfo tests[] = {
	{"properties are split at commas", properties_are_split_at_commas},
	{"a double comma is one", a_double_comma_is_one},
	{"nothing has no properties", nothing_has_no_properties},
	{"the multiboot header is found", the_multiboot_header_is_found},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools: QEMU's properties", tests)
