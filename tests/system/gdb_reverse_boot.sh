#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gdb_reverse_boot.sh CPU VCPUS: gdb takes Debian back over what it read from a disk and wrote to it, and forth
# again to the same registers and memory, whatever the disk holds meanwhile; then the guest finishes as if
# nothing had been.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/gdb_lib.sh
. "$(dirname "$0")/gdb_lib.sh"

images=$(guest_images) || exit 77

seq 100000 | head -c 262144 >"$WORK/disk"
sum=$(sha256sum <"$WORK/disk" | cut -d' ' -f1)
truncate -s 1M "$WORK/disk"

# keep NAME: gdb's commands for all that it is shown of the machine.
keep() {
	echo "pipe thread apply all info all-registers | cat >$WORK/$1.registers"
	echo "maintenance packet Qqemu.PhyMemMode:1"
	echo "dump binary memory $WORK/$1.memory 0 0x1000000"
	echo "maintenance packet Qqemu.PhyMemMode:0"
}

# What is written begins a new history (gdb does not write what a register holds already): this one begins before the first read of the disk.
{
	printf '%s\n' 'monitor until 1400M' continue "set \$saved = \$rbx" "set \$rbx = \$saved + 1" "set \$rbx = \$saved" \
		'monitor until 1635M' continue 'monitor history'
	keep before
	printf '%s\n' "set \$here = \$rip" reverse-stepi stepi "printf \"step %d\\n\", \$rip == \$here" \
		reverse-continue 'monitor history' \
		"shell cp $WORK/disk $WORK/kept; dd if=/dev/zero of=$WORK/disk bs=1M count=1 conv=notrunc status=none" \
		continue 'monitor history' \
		"shell dd if=$WORK/kept of=$WORK/disk bs=1M count=1 conv=notrunc status=none"
	keep after
	echo detach
} | debug_run 0 '' --cpu "$1" --smp "$2" --memory 96M --kernel "$images/vmlinuz" --initrd "$images/test.initrd" \
	--append "console=ttyS0 quiet TEST=blk HOST_SUM=$sum" --disk "$WORK/disk"
present='instruction 1635000000 of all vCPUs, the present; the history has 1400000000 to 1635000000'
[ "$(grep -cxF "$present" "$WORK/gdb")" -eq 2 ] || fail "not twice the same present: $(cat "$WORK/gdb")"
said 'instruction 1400000000 of all vCPUs, in the past; the history has 1400000000 to 1635000000'
said 'step 1'
for what in registers memory; do
	cmp "$WORK/before.$what" "$WORK/after.$what" || fail "the guest has come to another place: other $what"
done
expect_result blk
[ "$(grep -c GUEST_SUM "$WORK/out")" -eq 1 ] || fail "printed twice: $(cat "$WORK/out")"
finish
