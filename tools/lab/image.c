/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/image.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lab/cpio.h"
#include "tools/lab/modules.h"

/* The port first: it is what the rest is heard through. Of the two drivers of KVM one fits. */
static const char *const module_names[] = {"virtio_pci", "virtio_console", "kvm-amd", "kvm-intel"};

static const char *const environment_names[] = {
	"NO_COLOR", "G_MESSAGES_DEBUG", "LANG", "LC_ALL", "TERM", "HOME", NULL};

struct lab_image {
	struct cpio *cpio;
	GPtrArray *folders;
	struct ls_error *err;
	int rc;
};

static void image_fail(struct lab_image *image, const GError *error)
{
	if (!image->rc)
		image->rc = ls_error_set(image->err, -EIO, "%s", error->message);
}

static void image_add_file(struct lab_image *image, const char *from, const char *to)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL;
	struct stat status;
	gsize length;

	if (stat(from, &status) || !g_file_get_contents(from, &bytes, &length, &error)) {
		if (error)
			image_fail(image, error);
		return;
	}
	cpio_add(image->cpio, to, status.st_mode & 0777, bytes, length);
}

/* Of a program or library what is loaded into memory; symbols and debug information, mostly the
 * larger part, stay here. Returns the new length. */
static size_t elf_loaded_part(char *bytes, size_t length)
{
	Elf64_Ehdr *head = (Elf64_Ehdr *)bytes;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(bytes + sizeof(*head));
	size_t end = 0;

	if (length < sizeof(*head) || memcmp(bytes, ELFMAG, SELFMAG) ||
	    head->e_phoff != sizeof(*head) ||
	    sizeof(*head) + head->e_phnum * sizeof(*part) > length)
		return length;
	for (unsigned int i = 0; i < head->e_phnum; i++)
		end = MAX(end, part[i].p_offset + part[i].p_filesz);
	if (end > length)
		return length;
	head->e_shoff = 0;
	head->e_shnum = head->e_shstrndx = 0;
	return end;
}

static void image_add_program(struct lab_image *image, const char *from, const char *to)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = NULL;
	gsize length;

	if (!g_file_get_contents(from, &bytes, &length, &error))
		image_fail(image, error);
	else
		cpio_add(image->cpio, to, 0755, bytes, elf_loaded_part(bytes, length));
}

/* The loader knows best which libraries this program uses. The kernel's own has no path. */
static int image_add_library(struct dl_phdr_info *library, size_t size, void *opaque)
{
	(void)size;
	if (library->dlpi_name[0] == '/')
		image_add_program(opaque, library->dlpi_name, library->dlpi_name);
	return 0;
}

static void image_add_modules(struct lab_image *image, const char *folder)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	guint i;

	for (i = 0; i < G_N_ELEMENTS(module_names) && !image->rc; i++)
		image->rc = lab_modules_find(folder, module_names[i], files, image->err);
	for (i = 0; i < files->len; i++) {
		g_autofree char *to = g_strdup_printf(LAB_MODULE, i);

		image_add_file(image, g_ptr_array_index(files, i), to);
	}
}

static void image_add_folder(struct lab_image *image, const char *path)
{
	cpio_add_folder(image->cpio, path);
	g_ptr_array_add(image->folders, g_strdup(path));
}

/* A path that the command may read or write. */
static void image_add_path(struct lab_image *image, const char *name)
{
	g_autofree char *path = g_canonicalize_filename(name, NULL);
	g_autofree char *above = g_path_get_dirname(path);

	if (g_str_has_prefix(path, "/dev/") || g_str_has_prefix(path, "/proc/") ||
	    g_str_has_prefix(path, "/sys/"))
		return;
	if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
		image_add_folder(image, path);
		return;
	}
	if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
		image_add_file(image, path, path);
	if (strchr(name, '/') && g_file_test(above, G_FILE_TEST_IS_DIR))
		image_add_folder(image, above);
}

/* A file, or a folder and all that is in it. */
static void image_add_tree(struct lab_image *image, const char *name)
{
	g_autofree char *path = g_canonicalize_filename(name, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *entry;

	if (access(path, R_OK) && !image->rc)
		image->rc = ls_error_set(image->err, -errno, "cannot read '%s': %s", name,
					 strerror(errno));
	image_add_path(image, path);
	while (dir && (entry = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, entry, NULL);

		if (!g_file_test(inner, G_FILE_TEST_IS_SYMLINK))
			image_add_tree(image, inner);
	}
}

/* FILE, --option=FILE, file:FILE, ... */
static void image_add_argument(struct lab_image *image, const char *argument)
{
	for (; argument && *argument; argument = strpbrk(argument, "=:,")) {
		argument += strspn(argument, "=:,");
		image_add_path(image, argument);
	}
}

static void append_string(GString *text, const char *string)
{
	g_string_append_len(text, string, (gssize)strlen(string) + 1);
}

static void image_add_command(struct lab_image *image, char **command)
{
	g_autoptr(GString) text = g_string_new(NULL);
	const char *const *name;
	guint i;

	for (i = 0; i < image->folders->len; i++)
		append_string(text, g_ptr_array_index(image->folders, i));
	append_string(text, "");
	for (name = environment_names; *name; name++) {
		g_autofree char *pair = g_strdup_printf("%s=%s", *name, g_getenv(*name));

		if (g_getenv(*name))
			append_string(text, pair);
	}
	append_string(text, "");
	for (; *command; command++)
		append_string(text, *command);
	cpio_add(image->cpio, LAB_COMMAND, 0644, text->str, text->len);
}

static int image_fill(struct lab_image *image, const char *modules, char **command, char **with)
{
	g_autofree char *here = g_get_current_dir();
	char **argument;

	image_add_program(image, "/proc/self/exe", LAB_PROGRAM);
	dl_iterate_phdr(image_add_library, image);
	image_add_modules(image, modules);
	image_add_folder(image, here);
	for (argument = command; *argument; argument++)
		image_add_argument(image, *argument);
	for (; with && *with; with++)
		image_add_tree(image, *with);
	image_add_command(image, command);
	cpio_add_folder(image->cpio, "/dev");
	cpio_add_folder(image->cpio, "/proc");
	cpio_add_folder(image->cpio, "/sys");
	cpio_add_folder(image->cpio, "/tmp");
	return image->rc;
}

int lab_image_make(const char *modules, char **command, char **with, GPtrArray *folders,
		   struct ls_error *err)
{
	struct lab_image image = {.folders = folders, .err = err};
	int fd = memfd_create("lab", 0), rc;
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");

	if (!out)
		return ls_error_set(err, -errno, "cannot make the lab's initramfs: %s",
				    strerror(errno));
	image.cpio = cpio_create(out);
	rc = image_fill(&image, modules, command, with);
	if (cpio_finish(image.cpio) && !rc)
		rc = ls_error_set(err, -EIO, "no room for the lab's initramfs in memory");
	if (rc)
		close(fd);
	return rc ? rc : fd;
}
