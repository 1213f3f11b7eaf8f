#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SeaBIOS starts GRUB from a disk, which loads Debian's kernel from it and boots to power-off.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

firmware=/usr/share/seabios/bios-256k.bin
grub=/usr/lib/grub/i386-pc
[ -f $firmware ] || skip "there is no $firmware (Debian's seabios)"
[ -f $grub/boot.img ] || skip "there is no $grub/boot.img (Debian's grub-pc-bin)"
need grub-mkimage grub-common
need cpio cpio
images=$(guest_images) || exit 77

# boot.img at sector 0 loads core.img from sector 1, where grub-mkimage's defaults expect it.
# Behind them, from 1 MiB on, a partition holds the files as a plain cpio archive, which GRUB
# reads as a file system.
cat >"$WORK/grub.cfg" <<-'EOF'
	serial --unit=0 --speed=115200
	terminal_output serial
	echo GRUB has started
	linux (hd0,msdos1)/vmlinuz console=ttyS0 TEST=boot
	initrd (hd0,msdos1)/test.initrd
	boot
EOF
grub-mkimage -O i386-pc -p / -c "$WORK/grub.cfg" -o "$WORK/core.img" \
	biosdisk part_msdos newc serial terminal echo linux boot || die "grub-mkimage failed"
[ "$(stat -c %s "$WORK/core.img")" -lt $((1048576 - 512)) ] || die "core.img is too large"
(cd "$images" && printf 'vmlinuz\ntest.initrd\n' | cpio --quiet -o -H newc) >"$WORK/files"
truncate -s %512 "$WORK/files"
sectors=$(($(stat -c %s "$WORK/files") / 512))

# le32 NUMBER: as four bytes.
le32() {
	# shellcheck disable=SC2059 # the escapes are the format
	printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) \
		$(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# One MBR entry: active, no CHS, type 0x83, first sector, length.
{
	head -c 446 $grub/boot.img
	printf '\x80\0\0\0\x83\0\0\0'
	le32 2048
	le32 "$sectors"
	head -c 48 /dev/zero
	printf '\x55\xaa'
	cat "$WORK/core.img"
} >"$WORK/disk"
truncate -s 1M "$WORK/disk"
cat "$WORK/files" >>"$WORK/disk"

expect_status 0 "$LOCKSTEP" run --cpu intel --memory 256M --firmware $firmware \
	--disk "$WORK/disk"
grep -aq 'GRUB has started' "$WORK/out" || fail "GRUB did not start: $(tail -c 2000 "$WORK/out")"
expect_result boot
finish
