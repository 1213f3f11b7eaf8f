/* SPDX-License-Identifier: Apache-2.0 */
/* A BIOS image below 4 GiB, its end also below 1 MiB, from where the processor begins. */
#include <inttypes.h>

#include "machine/internal.h"
#include "machine/load.h"

#define FIRMWARE_MAX (8u << 20)
#define SHADOW_MAX   0x40000u
#define SHADOW_END   0x100000u

int load_firmware(struct machine *machine, const struct image *firmware, struct boot_state *boot,
		  struct ls_error *err)
{
	size_t shadow = firmware->size < SHADOW_MAX ? firmware->size : SHADOW_MAX;
	int ret;

	if (firmware->size > FIRMWARE_MAX || firmware->size & 0xfff)
		return ls_error_set(err, -EINVAL,
				    "'%s' is no firmware image: %zu bytes are not a multiple of 4 "
				    "KiB up to 8 MiB; name SeaBIOS's bios.bin",
				    firmware->path, firmware->size);
	/* At power-on a PC shows the end of its ROM below 1 MiB too; firmware then runs from,
	 * and writes to, the RAM there. */
	ret = load_bytes(machine, SHADOW_END - shadow, firmware->data + firmware->size - shadow,
			 shadow, "the firmware", err);
	if (!ret)
		ret = memory_map_rom(machine, firmware->data, firmware->size, err);
	*boot = (struct boot_state){.mode = BOOT_RESET};
	return ret;
}
