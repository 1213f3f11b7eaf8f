#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SeaBIOS starts a boot sector from a disk, which reads another sector through the BIOS.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

firmware=/usr/share/seabios/bios-256k.bin
[ -f $firmware ] || skip "there is no $firmware (Debian's seabios)"
need gcc gcc
gcc -m32 -c -o "$WORK/bootsector.o" "$(dirname "$0")/payload/bootsector.S" ||
	die "the boot sector does not assemble"
ld -m elf_i386 -Ttext=0x7c00 --oformat binary -o "$WORK/disk" "$WORK/bootsector.o" ||
	die "the boot sector does not link"
truncate -s 1M "$WORK/disk"

for cpu in intel amd; do
	expect_status 11 "$LOCKSTEP" run --cpu $cpu --memory 64M --firmware $firmware \
		--disk "$WORK/disk" --exit-port 0xf4
	grep -aq 'sector one was read' "$WORK/out" || fail "$cpu: the sector did not show up"
done
finish
