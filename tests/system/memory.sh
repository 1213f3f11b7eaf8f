#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# memory.sh CPU VCPUS: with Linux booted to a shell, what the process holds beside the guest's
# memory is within 96 MiB, even with the files that it has read at the start counted in.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

cpu=$1 vcpus=$2
limit_kib=$((96 * 1024)) guest_kib=$((256 * 1024))
images=$(guest_images) || exit 77

mkfifo "$WORK/keys"
"$LOCKSTEP" run --cpu "$cpu" --smp "$vcpus" --memory ${guest_kib}K --kernel "$images/vmlinuz" \
	--initrd "$images/demo.initrd" --append "console=ttyS0 DEMO=shell" \
	<"$WORK/keys" >"$WORK/out" 2>"$WORK/err" &
pid=$!
exec 9>"$WORK/keys" # nothing is typed, so the shell waits

until grep -aq '^up since' "$WORK/out"; do
	kill -0 $pid 2>/dev/null || die "the guest ended early: $(tail -n 3 "$WORK/err")"
	sleep 0.2
done
# The guest's memory is one mapping; all the others are the process's own.
read -r own guest < <(awk -v guest=$guest_kib '
	/^Size:/ { size = $2 }
	/^Rss:/ { if (size == guest) in_guest += $2; else own += $2 }
	END { print own, in_guest + 0 }' "/proc/$pid/smaps")
kill $pid
wait $pid

[ "$guest" -gt 0 ] || die "there is no mapping of $guest_kib KiB, so nothing can be said"
read_kib=$((($(stat -c %s "$images/vmlinuz") + $(stat -c %s "$images/demo.initrd")) / 1024))
echo "$own KiB beside the guest's memory (of which it touched $guest KiB); $read_kib KiB of files read"
[ $((own + read_kib)) -le $limit_kib ] || fail "that is more than $limit_kib KiB"
finish
