#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# snapshot.sh CPU VCPUS: a guest that was saved and loaded goes on to the byte as one that wasn't: its
# console, and registers and written memory at every point. A file that is not what was saved is
# refused with a line that says so, and one that is being replaced stays whole.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

images=$(guest_images) || exit 77
machine=(--cpu "$1" --smp "$2" --memory 128M --console --rng 7 --kernel "$images/vmlinuz"
	--initrd "$images/test.initrd" --append "console=ttyS0 earlyprintk=ttyS0")
at=400M end=500M
snapshot=$WORK/guest.snap

# points FILE: what --state-hash has printed.
points() {
	grep '^state-hash' "$1"
}

# --- to the byte ---
expect_status 124 "$LOCKSTEP" run "${machine[@]}" --state-hash 10M --max-instructions "$end"
mv "$WORK/out" "$WORK/whole"
points "$WORK/err" >"$WORK/whole.points"
expect_status 0 "$LOCKSTEP" snapshot save "$snapshot" --at "instructions:$at" "${machine[@]}" --state-hash 10M
mv "$WORK/out" "$WORK/parts"
points "$WORK/err" >"$WORK/parts.points"
expect_status 124 "$LOCKSTEP" snapshot load "$snapshot" --state-hash 10M --max-instructions "$end"
cat "$WORK/out" >>"$WORK/parts"
points "$WORK/err" >>"$WORK/parts.points"
[ "$(wc -l <"$WORK/whole.points")" -eq 50 ] || fail "points: $(cat "$WORK/whole.points")"
cmp "$WORK/whole" "$WORK/parts" || fail "the console differs"
cmp "$WORK/whole.points" "$WORK/parts.points" || fail "the state differs"

# --- a damaged file ---
# damage NAME OFFSET: a copy with eight other bytes there.
damage() {
	cp --sparse=always "$snapshot" "$WORK/$1"
	printf 'DAMAGED!' | dd of="$WORK/$1" bs=1 seek="$2" conv=notrunc status=none
}

# refused NAME TEXT OPTION...: loading it fails with one line that has the text, and the status of a file that
# cannot be used. STATUS: another one.
refused() {
	local name=$1 text=$2

	shift 2
	expect_status "${STATUS:-1}" "$LOCKSTEP" snapshot load "$WORK/$name" --max-instructions 1 "$@"
	{ [ "$(wc -l <"$WORK/err")" -eq 1 ] && grep -q "$text" "$WORK/err"; } ||
		fail "$name: $(cat "$WORK/err")"
}

size=$(stat -c %s "$snapshot")
damage magic 0
refused magic 'is no snapshot'
damage version 8
refused version 'is of version'
damage header 20
refused header 'damaged: its header'
damage state 8192
refused state 'damaged: the state of processors'
damage memory $((size - (112 << 20)))
refused memory 'damaged: guest memory from 0x' --verify
# Without --verify it is found while the guest runs, and always before the run has ended.
STATUS=122 refused memory 'damaged: guest memory from 0x'
cp --sparse=always "$snapshot" "$WORK/short"
truncate -s -4096 "$WORK/short"
refused short 'not as long as it says'
: >"$WORK/empty"
refused empty 'is no snapshot'
refused none 'cannot read'
STATUS=2 refused guest.snap 'says that itself' --memory 64M
expect_status 0 "$LOCKSTEP" snapshot info "$snapshot" --verify --json
grep -q '"engine": "sim".*"cpu": "'"$1"'"' "$WORK/out" || fail "info: $(cat "$WORK/out")"

# --- being killed while it writes leaves the old file ---
sum=$(cksum "$snapshot")
for delay in 0.05 0.1 0.2; do
	"$LOCKSTEP" snapshot save "$snapshot" --load "$snapshot" --at instructions:1 >"$WORK/out" 2>&1 </dev/null &
	sleep "$delay"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	expect_status 0 "$LOCKSTEP" snapshot info "$snapshot" --verify
done
[ "$sum" ] || fail "no checksum"
# A run that ends before it was to be saved says so.
expect_status 1 "$LOCKSTEP" snapshot save "$WORK/never" --at time:1000 --load "$snapshot" --max-instructions 401M
grep -q "was not written: the run ended first" "$WORK/err" || fail "never: $(cat "$WORK/err")"
[ ! -e "$WORK/never" ] || fail "there is a file"
finish
