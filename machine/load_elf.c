/* SPDX-License-Identifier: Apache-2.0 */
/* ELF: its segments, its symbols, and the note by which a kernel says how it starts (PVH). */
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <string.h>

#include "machine/internal.h"
#include "machine/load.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

static int elf_bad(const struct image *image, const char *what, struct ls_error *err)
{
	return ls_error_set(err, -ENOEXEC,
			    "'%s' cannot be loaded: %s; name a 32- or 64-bit x86 ELF file",
			    image->path, what);
}

static int elf_check(Elf *elf, const struct image *image, GElf_Ehdr *header, struct ls_error *err)
{
	if (image->size < 4 || memcmp(image->data, ELFMAG, SELFMAG) || !elf ||
	    elf_kind(elf) != ELF_K_ELF)
		return elf_bad(image, "it is not an ELF file", err);
	if (!gelf_getehdr(elf, header))
		return elf_bad(image, "its ELF header is damaged or truncated", err);
	if (header->e_machine != EM_386 && header->e_machine != EM_X86_64)
		return elf_bad(image, "it is for another processor", err);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return elf_bad(image, "it is not linked", err);
	return 0;
}

static int elf_load_segment(struct machine *machine, const struct image *image,
			    const GElf_Phdr *segment, struct ls_error *err)
{
	int ret;

	if (segment->p_filesz > image->size || segment->p_offset > image->size - segment->p_filesz)
		return elf_bad(image, "it is truncated", err);
	if (segment->p_filesz > segment->p_memsz)
		return elf_bad(image, "a segment is larger in the file than in memory", err);
	if (!machine_memory_ptr(machine, segment->p_paddr, segment->p_memsz))
		return ls_error_set(err, -ENOSPC,
				    "'%s' wants memory at 0x%" PRIx64 "-0x%" PRIx64
				    ", outside the machine's %" PRIu64
				    " MiB; give it more memory or link it lower",
				    image->path, segment->p_paddr,
				    segment->p_paddr + segment->p_memsz,
				    machine->config.memory >> 20);
	ret = load_bytes(machine, segment->p_paddr, image->data + segment->p_offset,
			 segment->p_filesz, "a segment", err);
	if (!ret)
		ret = machine_dma_zero(machine, segment->p_paddr + segment->p_filesz,
				       segment->p_memsz - segment->p_filesz);
	return ret;
}

/* Where the descriptor is of a note in @segment of that owner and type, and its size; NULL if there
 * is none. A note's name and descriptor are padded to 4 bytes (ELF, "note section"). */
static const uint8_t *elf_find_note(Elf *elf, const GElf_Phdr *segment, const char *owner,
				    uint32_t type, size_t *size)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz,
					      ELF_T_NHDR);
	size_t at = 0, name, descriptor;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &descriptor)) > 0) {
		const uint8_t *bytes = data->d_buf;

		if (note.n_type != type || note.n_namesz != strlen(owner) + 1 ||
		    memcmp(bytes + name, owner, note.n_namesz))
			continue;
		*size = note.n_descsz;
		return bytes + descriptor;
	}
	return NULL;
}

static void elf_find_pvh(Elf *elf, const GElf_Phdr *segment, struct elf_image *out)
{
	size_t size;
	const uint8_t *descriptor =
		elf_find_note(elf, segment, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &size);

	if (!descriptor || size < 4 || size > 8)
		return;
	memcpy(&out->pvh_entry, descriptor, size);
	out->has_pvh_entry = 1;
}

bool elf_has_note(const struct image *image, const char *owner, uint32_t type)
{
	size_t count = 0, size;
	bool found = false;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image->data, image->size);
	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count))
		count = 0;
	for (size_t i = 0; i < count && !found; i++) {
		GElf_Phdr segment;

		found = gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_NOTE &&
			elf_find_note(elf, &segment, owner, type, &size);
	}
	elf_end(elf);
	return found;
}

static void elf_note_segment(const GElf_Phdr *segment, struct elf_image *out)
{
	if (out->segments < ELF_SEGMENTS)
		out->segment[out->segments] =
			(struct elf_segment){segment->p_vaddr, segment->p_paddr, segment->p_memsz,
					     segment->p_flags & PF_W, segment->p_flags & PF_X};
	out->segments++;
}

static int elf_load_segments(struct machine *machine, Elf *elf, const struct image *image,
			     const GElf_Ehdr *header, struct elf_image *out, struct ls_error *err)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) || !count)
		return elf_bad(image, "it has no program headers", err);
	out->start = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		int ret;

		if (!gelf_getphdr(elf, (int)i, &segment))
			return elf_bad(image, "its program headers are damaged or truncated", err);
		if (segment.p_type == PT_NOTE)
			elf_find_pvh(elf, &segment, out);
		if (segment.p_type != PT_LOAD || !segment.p_memsz)
			continue;
		ret = elf_load_segment(machine, image, &segment, err);
		if (ret)
			return ret;
		elf_note_segment(&segment, out);
		if (segment.p_paddr < out->start)
			out->start = segment.p_paddr;
		if (segment.p_paddr + segment.p_memsz > out->end)
			out->end = segment.p_paddr + segment.p_memsz;
		/* Entered without its own page tables: at the physical address. */
		if (header->e_entry - segment.p_vaddr < segment.p_memsz)
			out->entry = header->e_entry - segment.p_vaddr + segment.p_paddr;
	}
	return out->end ? 0 : elf_bad(image, "it has nothing to load", err);
}

int elf_load(struct machine *machine, const struct image *image, struct elf_image *out,
	     struct ls_error *err)
{
	GElf_Ehdr header;
	Elf *elf;
	int ret;

	*out = (struct elf_image){0};
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)image->data, image->size);
	ret = elf_check(elf, image, &header, err);
	if (!ret) {
		out->entry = header.e_entry;
		out->bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
		ret = elf_load_segments(machine, elf, image, &header, out, err);
	}
	if (!ret)
		symbols_collect(&machine->symbols, elf);
	elf_end(elf);
	return ret;
}

int load_elf(struct machine *machine, const struct image *payload, struct boot_state *boot,
	     struct ls_error *err)
{
	struct elf_image elf;
	int ret;

	if (machine->config.initrd)
		return ls_error_set(
			err, -EINVAL,
			"'%s' has no multiboot header, so nothing tells it of '%s'; leave "
			"out the initrd",
			payload->path, machine->config.initrd);
	ret = elf_load(machine, payload, &elf, err);
	if (!ret)
		ret = load_cmdline(machine, NULL, BOOT_CMDLINE_ROOM, err);
	if (ret)
		return ret;
	*boot = (struct boot_state){.mode = elf.bits == 64 ? BOOT_LONG : BOOT_PROTECTED,
				    .entry = elf.entry,
				    .rsi = BOOT_CMDLINE,
				    .rsp = BOOT_STACK};
	return 0;
}
