/* SPDX-License-Identifier: Apache-2.0 */
/* User-mode code: its pages, and behind them just enough of a kernel to see an exception. */
#include <inttypes.h>
#include <string.h>

#include "machine/internal.h"
#include "machine/load.h"

#define NOTE_OWNER "Lockstep"
#define NOTE_USER  1

#define PAGE         UINT64_C(4096)
#define TABLE_SPAN   (PAGE * 512)
#define TABLES       16
#define KERNEL_BYTES 0x20000 /* that is mapped for level 0 */

/* Accessed and dirty from the start on: the host's processor has other tables to mark. */
#define PTE_P     UINT64_C(1)
#define PTE_W     UINT64_C(2)
#define PTE_U     UINT64_C(4)
#define PTE_AD    UINT64_C(0x60)
#define PTE_NX    (UINT64_C(1) << 63)
#define PTE_UPPER (PTE_P | PTE_W | PTE_U | PTE_AD)

#define EXIT_PORT   0xf4
#define CODE0       0x10
#define GATE_USER   0x60 /* DPL 3 */
#define GATE        UINT64_C(0x8e)
#define WITH_ERROR  (1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21) /* SDM 3A, table 6-1 */
#define FOR_LEVEL3  (1u << 3 | 1u << 4)                           /* INT3, INTO */
#define RED_ZONE_UP 0x100 /* of the stack, that the code may read above it */

bool load_is_user(const struct image *payload)
{
	return elf_has_note(payload, NOTE_OWNER, NOTE_USER);
}

/* --- pages --- */

static int put_word(struct machine *machine, uint64_t gpa, uint64_t value, struct ls_error *err)
{
	return load_bytes(machine, gpa, &value, sizeof(value), "a page table", err);
}

static int map_page(struct machine *machine, uint64_t page, uint64_t rights, struct ls_error *err)
{
	return put_word(machine, BOOT_USER_TABLES + page / PAGE * 8, page | rights | PTE_AD, err);
}

static int map_range(struct machine *machine, uint64_t from, uint64_t size, uint64_t rights,
		     struct ls_error *err)
{
	int ret = 0;

	for (uint64_t page = from & ~(PAGE - 1); page < from + size && !ret; page += PAGE)
		ret = map_page(machine, page, rights, err);
	return ret;
}

/* Page tables stand one behind the other, so that the entry of a page is found by its number. */
static int map_kernel(struct machine *machine, struct ls_error *err)
{
	int ret = put_word(machine, BOOT_PAGE_TABLES, (BOOT_PAGE_TABLES + PAGE) | PTE_UPPER, err);

	if (!ret)
		ret = put_word(machine, BOOT_PAGE_TABLES + PAGE,
			       (BOOT_PAGE_TABLES + 2 * PAGE) | PTE_UPPER, err);
	for (unsigned int n = 0; n < TABLES && !ret; n++)
		ret = put_word(machine, BOOT_PAGE_TABLES + 2 * PAGE + n * 8,
			       (BOOT_USER_TABLES + n * PAGE) | PTE_UPPER, err);
	return ret ? ret : map_range(machine, 0, KERNEL_BYTES, PTE_P | PTE_W, err);
}

static int map_segment(struct machine *machine, const struct image *payload,
		       const struct elf_segment *segment, struct ls_error *err)
{
	uint64_t rights =
		PTE_P | PTE_U | (segment->write ? PTE_W : 0) | (segment->execute ? 0 : PTE_NX);

	if (segment->linear != segment->physical || segment->linear < BOOT_HIGH ||
	    segment->linear + segment->size > TABLES * TABLE_SPAN)
		return ls_error_set(err, -ENOEXEC,
				    "a segment of '%s' is at 0x%" PRIx64
				    "; user-mode code lies from 0x%x to 0x%" PRIx64 ", one to one",
				    payload->path, segment->linear, BOOT_HIGH, TABLES * TABLE_SPAN);
	return map_range(machine, segment->linear, segment->size, rights, err);
}

static int map_all(struct machine *machine, const struct image *payload,
		   const struct elf_image *elf, struct ls_error *err)
{
	int ret = map_kernel(machine, err);

	if (!ret && elf->segments > ELF_SEGMENTS)
		return ls_error_set(err, -ENOEXEC, "'%s' has more than %u segments", payload->path,
				    ELF_SEGMENTS);
	for (unsigned int n = 0; n < elf->segments && !ret; n++)
		ret = map_segment(machine, payload, &elf->segment[n], err);
	return ret ? ret : map_page(machine, BOOT_USER_STACK, PTE_P | PTE_W | PTE_U | PTE_NX, err);
}

/* --- descriptors and handlers --- */

/* Selectors as Linux has them, which its programs can see: 23H and 33H for code of 32 and 64 bits,
 * 2BH for data. */
static int write_descriptors(struct machine *machine, struct ls_error *err)
{
	static const uint64_t gdt[] = {0,
				       0,
				       0x00af9b000000ffff,
				       0x00cf93000000ffff,
				       0x00cffb000000ffff,
				       0x00cff3000000ffff,
				       0x00affb000000ffff,
				       0,
				       0x00008b0000000000 | BOOT_USER_TSS << 16 |
					       (BOOT_USER_TSS_BYTES - 1),
				       0};
	uint8_t tss[BOOT_USER_TSS_BYTES] = {0};
	const uint64_t stack = BOOT_USER_STACK0;
	int ret = load_bytes(machine, BOOT_GDT, gdt, sizeof(gdt), "the GDT", err);

	memcpy(tss + 4, &stack, sizeof(stack));
	tss[102] = BOOT_USER_TSS_BYTES; /* no I/O permission map */
	return ret ? ret : load_bytes(machine, BOOT_USER_TSS, tss, sizeof(tss), "the TSS", err);
}

static int write_handler(struct machine *machine, unsigned int vector, bool clear_rf,
			 struct ls_error *err)
{
	uint64_t at = BOOT_USER_HANDLERS + 16 * vector;
	uint64_t type = GATE | (FOR_LEVEL3 >> vector & 1 ? GATE_USER : 0);
	uint64_t gate[2] = {(at & 0xffff) | CODE0 << 16 | type << 40 | (at >> 16) << 48, 0};
	/* ANDL $~RF, RFLAGS in the frame; OUT; HLT */
	const uint8_t code[] = {0x81, 0x64,      0x24, WITH_ERROR >> vector & 1 ? 0x18 : 0x10,
				0xff, 0xff,      0xfe, 0xff,
				0xe6, EXIT_PORT, 0xf4};
	unsigned int skip = clear_rf ? 0 : 8;
	int ret = load_bytes(machine, at, code + skip, sizeof(code) - skip, "a handler", err);

	return ret ? ret
		   : load_bytes(machine, BOOT_USER_IDT + 16 * vector, gate, sizeof(gate), "the IDT",
				err);
}

/* --- where it begins --- */

static const char *last_word(const char *text)
{
	const char *space = strrchr(text, ' ');

	return space ? space + 1 : text;
}

/* Of the words before the last. */
static bool asked(const char *append, const char *word)
{
	size_t length = strlen(word);

	for (const char *space; (space = strchr(append, ' ')); append = space + 1)
		if ((size_t)(space - append) == length && !memcmp(append, word, length))
			return true;
	return false;
}

static int find_entry(struct machine *machine, const struct image *payload, uint64_t *entry,
		      struct ls_error *err)
{
	const char *name = machine->config.append ? last_word(machine->config.append) : "";
	const struct symbol *symbol = *name ? symbols_by_name(&machine->symbols, name) : NULL;

	if (*name && !symbol)
		return ls_error_set(
			err, -ENOENT,
			"'%s' has no symbol '%s' to begin at; leave --append out to begin "
			"at its entry point",
			payload->path, name);
	if (symbol)
		*entry = symbol->address;
	return 0;
}

int load_user(struct machine *machine, const struct image *payload, struct boot_state *boot,
	      struct ls_error *err)
{
	const char *append = machine->config.append ? machine->config.append : "";
	struct elf_image elf;
	int ret;

	if (!load_is_user(payload))
		return 1;
	ret = elf_load(machine, payload, &elf, err);
	if (!ret)
		ret = map_all(machine, payload, &elf, err);
	if (!ret)
		ret = write_descriptors(machine, err);
	for (unsigned int n = 0; n < BOOT_USER_VECTORS && !ret; n++)
		ret = write_handler(machine, n, asked(append, "no-rf"), err);
	if (!ret)
		ret = find_entry(machine, payload, &elf.entry, err);
	if (ret)
		return ret;
	*boot = (struct boot_state){.mode = BOOT_USER,
				    .entry = elf.entry,
				    .bits = elf.bits,
				    .no_alignment_check = asked(append, "no-ac"),
				    .rsp = BOOT_USER_STACK + PAGE - RED_ZONE_UP};
	return 0;
}
