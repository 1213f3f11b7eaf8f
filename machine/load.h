/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put into memory before the first instruction, and how vCPU 0 starts.
 *
 * Low memory of a direct boot (firmware makes its own):
 *   0x0500  GDT            0x1000-0x6fff  page tables, 4 GiB mapped one to one
 *   0x7000  Linux's boot_params, multiboot's or PVH's start information
 *   0x90000 memory map, module list, strings (high: test programs are linked from 0x8000 on)
 *   0x20000 command line   0x38000 an SMI handler that returns (what is loaded may lie over it)
 *   0x9f000  stack of a plain ELF payload, growing down
 *   0xe0000 ACPI
 * Of user-mode code (load_user.c):
 *   0x0500  GDT            0x1000   PML4, PDPT, page directory; its page tables from 0x10000 on
 *   0x8000  IDT, TSS       0x9000   handlers        0xb000  their stack, growing down
 *   0x40000 the code's own stack, a page
 */
#ifndef LOCKSTEP_MACHINE_LOAD_H
#define LOCKSTEP_MACHINE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/error.h>

#define BOOT_GDT          0x500
#define BOOT_PAGE_TABLES  0x1000
#define BOOT_INFO         0x7000
#define BOOT_TABLES       0x90000
#define BOOT_TABLES_END   0x98000
#define BOOT_CMDLINE      0x20000
#define BOOT_CMDLINE_ROOM 0x10000
#define BOOT_SMI_HANDLER  0x38000 /* SMBASE as after RESET + 8000H: SDM 3C:32.4 */
#define BOOT_STACK        0x9f000
#define BOOT_EBDA         0x9fc00 /* end of the memory below 1 MiB that is the guest's */
#define BOOT_HIGH         0x100000

#define BOOT_USER_IDT       0x8000
#define BOOT_USER_TSS       0x8800
#define BOOT_USER_TSS_BYTES 0x68
#define BOOT_USER_HANDLERS  0x9000
#define BOOT_USER_STACK0    0xb000
#define BOOT_USER_TABLES    0x10000
#define BOOT_USER_STACK     0x40000
#define BOOT_USER_VECTORS   32

struct machine;
struct symbols;

enum boot_mode {
	BOOT_RESET,     /* as at power-on: real mode at 0xfffffff0 */
	BOOT_REAL,      /* real mode at entry = segment << 4, offset 0..15 */
	BOOT_PROTECTED, /* 32 bits, flat segments, no paging, interrupts off */
	BOOT_LONG,      /* 64 bits, flat, the low 4 GiB mapped one to one, interrupts off */
	BOOT_USER,      /* level 3, paging as the code's file says, interrupts on */
};

struct boot_state {
	enum boot_mode mode;
	uint64_t entry, rax, rbx, rsi, rsp;
	int bits; /* of BOOT_USER's code: 32 or 64 */
	bool no_alignment_check;
};

/* A file in memory. */
struct image {
	const char *path; /* for messages */
	uint8_t *data;
	size_t size;
};

int image_read(struct image *image, const char *path, const char *what, struct ls_error *err);
void image_free(struct image *image);

/* --- the memory map that guests are told --- */
#define MEMORY_MAP_MAX 8

enum memory_map_type { MEMORY_MAP_RAM = 1, MEMORY_MAP_RESERVED = 2 };

struct memory_map_entry {
	uint64_t base, size;
	uint32_t type;
} __attribute__((packed));

/* Returns the number of entries, in order of address. */
size_t memory_map_fill(struct machine *machine, struct memory_map_entry map[MEMORY_MAP_MAX]);

/* --- one per format; all fill *boot --- */
/* bzImage by the 64-bit boot protocol (Linux, Documentation/arch/x86/boot.rst). */
int load_linux(struct machine *machine, const struct image *kernel, struct boot_state *boot,
	       struct ls_error *err);
/* vmlinux with XEN_ELFNOTE_PHYS32_ENTRY (Xen, docs/misc/pvh.pandoc). */
int load_pvh(struct machine *machine, const struct image *kernel, struct boot_state *boot,
	     struct ls_error *err);
/* Multiboot 0.6.96. 1 if the file has no multiboot header. The command line is the file's
 * path, a space, and config.append; config.initrd is the one module. */
int load_multiboot(struct machine *machine, const struct image *payload, struct boot_state *boot,
		   struct ls_error *err);
/* An ELF file without multiboot header starts at its e_entry with a stack at BOOT_STACK and the
 * command line's address in RSI (ESI): a 32-bit file in BOOT_PROTECTED, a 64-bit one in
 * BOOT_LONG. Segments go to their physical addresses. */
int load_elf(struct machine *machine, const struct image *payload, struct boot_state *boot,
	     struct ls_error *err);
/* User-mode code: an ELF file with a note of owner "Lockstep" and type 1. Its segments are level
 * 3's pages, one to one and with their rights (of two in a page the later one's); it begins at the
 * symbol that is the last word of config.append, or at its e_entry. An exception ends it: the first
 * instruction of each handler is an OUT to the exit port. Words before leave out what an engine has
 * not: "no-rf" (a handler first clears RF where it was pushed), "no-ac" (CR0.AM is clear). 1 if the
 * file has no such note. */
int load_user(struct machine *machine, const struct image *payload, struct boot_state *boot,
	      struct ls_error *err);
/* Whether it has. */
bool load_is_user(const struct image *payload);
/* The registers that user-mode code begins with. */
int boot_user(struct machine *machine, const struct boot_state *boot, struct ls_error *err);
/* Mapped below 4 GiB and copied to 0xe0000-0xfffff. */
int load_firmware(struct machine *machine, const struct image *firmware, struct boot_state *boot,
		  struct ls_error *err);

/* --- parts they share --- */
/* A segment of an ELF file that is loaded. */
struct elf_segment {
	uint64_t linear, physical, size;
	bool write, execute;
};
#define ELF_SEGMENTS 16

struct elf_image {
	uint64_t entry; /* physical */
	uint64_t start, end;
	int bits; /* 32 or 64 */
	uint64_t pvh_entry;
	int has_pvh_entry;
	struct elf_segment segment[ELF_SEGMENTS]; /* the first of them */
	unsigned int segments;                    /* all */
};
/* Whether it has a note of that owner and type. */
bool elf_has_note(const struct image *image, const char *owner, uint32_t type);
/* Copies the segments and collects machine_symbols. */
int elf_load(struct machine *machine, const struct image *image, struct elf_image *elf,
	     struct ls_error *err);
/* Puts config.append, with @prefix and a space before it if not NULL, at BOOT_CMDLINE. */
int load_cmdline(struct machine *machine, const char *prefix, size_t limit, struct ls_error *err);
/* Reads config.initrd and puts it at the highest page below @limit, not below @floor.
 * *start and *size are 0 if there is none. */
int load_initrd(struct machine *machine, uint64_t floor, uint64_t limit, uint64_t *start,
		uint64_t *size, struct ls_error *err);
int load_bytes(struct machine *machine, uint64_t gpa, const void *from, uint64_t size,
	       const char *what, struct ls_error *err);

/* Loads what the config names and starts vCPU 0 there. At creation and at each reset. */
int machine_load(struct machine *machine, struct ls_error *err);
int boot_apply(struct machine *machine, const struct boot_state *boot, struct ls_error *err);

#endif
