/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/suite.h"

#include <gelf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/diff/compare.h"

extern const char suite64_start[], suite64_end[], suite32_start[], suite32_end[];
extern const char user64_start[], user64_end[], user32_start[], user32_end[];

static const struct {
	const char *start, *end;
	bool user;
} images[] = {{suite64_start, suite64_end, false},
	      {suite32_start, suite32_end, false},
	      {user64_start, user64_end, true},
	      {user32_start, user32_end, true}};

/* A path that the machine can load it from. The file goes with the process. */
static char *image_path(const char *bytes, size_t length, struct ls_error *err)
{
	int fd = memfd_create("suite", 0);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
		ls_error_set(err, -errno, "no memory for the suite: %s", g_strerror(errno));
		return NULL;
	}
	return g_strdup_printf("/proc/self/fd/%d", fd);
}

/* "theme<TAB>name<TAB>vcpus<TAB>purpose", as tools/suite/suite.h writes it. */
static void add_case(GPtrArray *cases, const char *row, const char *image, bool user)
{
	g_auto(GStrv) words = g_strsplit(row, "\t", 4);
	struct diff_case *test;

	if (g_strv_length(words) != 4)
		return;
	test = g_new0(struct diff_case, 1);
	test->theme = g_strdup(words[0]);
	test->name = g_strdup(words[1]);
	test->vcpus = (unsigned int)atoi(words[2]);
	test->purpose = g_strdup(words[3]);
	test->append = g_strdup(words[1]);
	test->image = g_strdup(image);
	test->called = g_strdup("suite"); /* the number in its path may be another each time */
	test->user = user;
	g_ptr_array_add(cases, test);
}

static void add_section(GPtrArray *cases, const Elf_Data *data, const char *image, bool user)
{
	const char *row = data->d_buf, *end = row + data->d_size;

	for (; row < end; row += strlen(row) + 1)
		add_case(cases, row, image, user);
}

static int add_image(GPtrArray *cases, const char *bytes, const char *end, bool user,
		     struct ls_error *err)
{
	size_t length = (size_t)(end - bytes), names = 0;
	g_autofree char *path = image_path(bytes, length, err);
	Elf *elf = path ? elf_memory((char *)bytes, length) : NULL;
	Elf_Scn *section = NULL;

	if (!path)
		return err->code;
	elf_getshdrstrndx(elf, &names);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr head;
		const char *name =
			gelf_getshdr(section, &head) ? elf_strptr(elf, names, head.sh_name) : NULL;

		if (name && !strcmp(name, ".suite"))
			add_section(cases, elf_rawdata(section, NULL), path, user);
	}
	elf_end(elf);
	return 0;
}

int suite_load(GPtrArray *cases, struct ls_error *err)
{
	int rc = 0;

	elf_version(EV_CURRENT);
	for (size_t i = 0; i < G_N_ELEMENTS(images) && !rc; i++)
		rc = add_image(cases, images[i].start, images[i].end, images[i].user, err);
	return rc;
}
