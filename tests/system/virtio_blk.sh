#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# virtio_blk.sh CPU [ARGUMENT...]: the guest reads what the host wrote on a disk, and the host finds what the guest wrote.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

seq 100000 | head -c 262144 >"$WORK/disk"
sum=$(sha256sum <"$WORK/disk" | cut -d' ' -f1)
truncate -s 1M "$WORK/disk"

APPEND="quiet TEST=blk HOST_SUM=$sum" guest_boot --cpu "$@" --disk "$WORK/disk"
expect_result blk
theirs=$(sed -n 's/^GUEST_SUM \([0-9a-f]*\).*/\1/p' "$WORK/out")
ours=$(tail -c +262145 "$WORK/disk" | head -c 262144 | sha256sum | cut -d' ' -f1)
[ "$theirs" = "$ours" ] || fail "the guest wrote $theirs, the disk has $ours"
[ "$(head -c 262144 "$WORK/disk" | sha256sum | cut -d' ' -f1)" = "$sum" ] ||
	fail "the part that the guest only read has changed"
[ "$(stat -c %s "$WORK/disk")" = 1048576 ] || fail "the disk has changed its size"
finish
