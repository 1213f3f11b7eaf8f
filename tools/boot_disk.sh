# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Makes a disk image that GRUB boots from, without root and without a file system. Source it.

ls_grub_images=/usr/lib/grub/i386-pc

# le32 NUMBER: as four bytes.
ls_le32() {
	# shellcheck disable=SC2059 # the escapes are the format
	printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# ls_boot_disk DISK CONFIG FOLDER: a disk on which GRUB runs the script CONFIG and finds the files
# of FOLDER as (hd0,msdos1)/NAME. It fills whole cylinders of 16 heads and 63 sectors.
#
# boot.img at sector 0 loads core.img from sector 1, where grub-mkimage's defaults expect it.
# Behind them, from 1 MiB on, a partition holds the files as a plain cpio archive, which GRUB
# reads as a file system.
ls_boot_disk() {
	local disk=$1 config=$2 folder=$3 core=$1.core files=$1.cpio

	grub-mkimage -O i386-pc -p / -c "$config" -o "$core" \
		biosdisk part_msdos newc serial terminal echo linux multiboot boot || return 1
	[ "$(stat -c %s "$core")" -lt $((1048576 - 512)) ] || return 1
	(cd "$folder" && find . -type f -printf '%P\n' | cpio --quiet -o -H newc) >"$files" || return 1
	truncate -s %512 "$files"
	# One MBR entry: active, no CHS, type 0x83, first sector, length.
	{
		head -c 446 "$ls_grub_images/boot.img"
		printf '\x80\0\0\0\x83\0\0\0'
		ls_le32 2048
		ls_le32 $(($(stat -c %s "$files") / 512))
		head -c 48 /dev/zero
		printf '\x55\xaa'
		cat "$core"
	} >"$disk"
	truncate -s 1M "$disk"
	cat "$files" >>"$disk"
	truncate -s %$((16 * 63 * 512)) "$disk"
	rm -f "$core" "$files"
}
