#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SeaBIOS starts GRUB from a disk, which loads Debian's kernel from it and boots to power-off.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/boot_disk.sh
. "$LS_ROOT/tools/boot_disk.sh"

firmware=/usr/share/seabios/bios-256k.bin
[ -f $firmware ] || skip "there is no $firmware (Debian's seabios)"
[ -f "$ls_grub_images/boot.img" ] ||
	skip "there is no $ls_grub_images/boot.img (Debian's grub-pc-bin)"
need grub-mkimage grub-common
need cpio cpio
images=$(guest_images) || exit 77

cat >"$WORK/grub.cfg" <<-'EOF'
	serial --unit=0 --speed=115200
	terminal_output serial
	echo GRUB has started
	linux (hd0,msdos1)/vmlinuz console=ttyS0 TEST=boot
	initrd (hd0,msdos1)/test.initrd
	boot
EOF
mkdir "$WORK/files"
cp "$images/vmlinuz" "$images/test.initrd" "$WORK/files"
ls_boot_disk "$WORK/disk" "$WORK/grub.cfg" "$WORK/files" || die "the disk could not be made"

expect_status 0 "$LOCKSTEP" run --cpu intel --memory 256M --firmware $firmware \
	--disk "$WORK/disk"
grep -aq 'GRUB has started' "$WORK/out" || fail "GRUB did not start: $(tail -c 2000 "$WORK/out")"
expect_result boot
finish
