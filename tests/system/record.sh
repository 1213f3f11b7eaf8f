#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# record.sh CPU: any part of a recorded run, made again from a snapshot in it, has the records of a run
# that was traced, to the byte: two vCPUs, with a disk that has changed since, and a network.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

images=$(guest_images) || exit 77

# equal VCPUS FROM TO: a boot that is recorded, one that is traced from FROM on, and the part of the
# recording.
equal() {
	local vcpus=$1 from=$2 to=$3
	local machine=(--cpu "$cpu" --smp "$vcpus" --memory 96M --kernel "$images/vmlinuz"
		--append console=ttyS0 --max-instructions "$((to + vcpus * 2000000))")

	expect_status 124 "$LOCKSTEP" run "${machine[@]}" --record "$WORK/rec" --record-every 20M
	expect_status 124 "$LOCKSTEP" run "${machine[@]}" --trace "$WORK/traced:feed,instruction@count=$((from - 1000))"
	expect_status 0 "$LOCKSTEP" trace cut --events instruction --from "$from" --to "$to" "$WORK/traced" "$WORK/part"
	G_MESSAGES_DEBUG=all expect_status 0 "$LOCKSTEP" trace replay --from "$from" --to "$to" "$WORK/rec" "$WORK/again"
	replayed_near "$vcpus" "$from" "$to"
	cmp "$WORK/part" "$WORK/again" || fail "$vcpus vCPUs: the replay from $from to $to has other records"
	expect_status 0 "$LOCKSTEP" trace show --events snapshot --json "$WORK/rec"
	[ "$(jq -s 'map(select(.part == 2)) | length' "$WORK/out")" -ge 2 ] || fail "too few snapshots"
}

# replayed_near VCPUS FROM TO: the last replay ran from a snapshot not long before that part, and no further than to
# its end. Counts are of all vCPUs together.
replayed_near() {
	local from to

	from=$(sed -n 's/.*goes on from instruction \([0-9]*\) .*/\1/p' "$WORK/err")
	to=$(sed -n 's/.*ends at instruction \([0-9]*\) .*/\1/p' "$WORK/err")
	[ "${from:-0}" -gt $(($2 - 22000000)) ] || fail "$1 vCPUs: from $2 on began at '$from'"
	[ "${to:-0}" -lt "$3" ] || [ "$to" -gt $((($3 + 2000000) * $1)) ] && fail "$1 vCPUs: up to $3 ended at '$to'"
	return 0
}

# same_end: of a whole run that was recorded with its exits: the last one, where the guest powers the
# machine off, is where it was, from a snapshot and from the start.
same_end() {
	local last

	expect_status 0 "$LOCKSTEP" trace show --events engine_exit --json "$WORK/rec"
	last=$(tail -n 1 "$WORK/out" | jq .instructions)
	expect_status 0 "$LOCKSTEP" trace cut --events feed "$WORK/rec" "$WORK/feeds"
	for from in rec feeds; do
		expect_status 0 "$LOCKSTEP" trace replay --from "$((last - 20000))" --to "$((last + 1))" "$WORK/$from" "$WORK/end.$from"
	done
	cmp "$WORK/end.rec" "$WORK/end.feeds" || fail "from a snapshot it goes on otherwise than from the start"
	expect_status 0 "$LOCKSTEP" trace show "$WORK/end.rec"
	# The OUT itself does not retire any more; before it the port's number was loaded (ACPI's PM1a control).
	tail -n 1 "$WORK/out" | grep -q " $((last - 1)) .*rdx=604" || fail "no OUT at $last: $(tail -n 1 "$WORK/out")"
}

cpu=$1
equal 1 50000000 50100000
equal 2 45000000 45050000

# What the disk held when it was read, whatever it holds now.
seq 100000 | head -c 262144 >"$WORK/disk"
sum=$(sha256sum <"$WORK/disk" | cut -d' ' -f1)
truncate -s 1M "$WORK/disk"
APPEND="quiet TEST=blk HOST_SUM=$sum" guest_boot --cpu "$cpu" --disk "$WORK/disk" \
	--trace "$WORK/rec:feed,snapshot,engine_exit" --record-every 200M
expect_result blk
rm "$WORK/disk"
same_end

# And what came over the network: here an answer to each ping.
APPEND="quiet TEST=net" guest_boot --cpu "$cpu" --net user --trace "$WORK/rec:feed,snapshot,engine_exit" --record-every 200M
same_end

# Bad input.
expect_status 2 "$LOCKSTEP" run --kernel "$images/vmlinuz" --record "$WORK/x" --schedule parallel
expect_status 2 "$LOCKSTEP" run --kernel "$images/vmlinuz" --record-every 1M
finish
