#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_trace_dat.sh FOLDER: what trace-cmd records of a real kvm_amd while it runs a payload has the exits of the
# processor that sim has at its instructions, and no others.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
need trace-cmd trace-cmd
payloads="branches management triple_fault"
with=()
for name in $payloads; do
	cp "$1/$name.elf" "$WORK/$name.elf"
	with+=(--with "$name.elf")
done
recorder=$(command -v trace-cmd)
while read -r library; do
	with+=(--with "$library")
done < <(ldd "$recorder" | awk '/=> \// { print $3 }')
cd "$WORK" || die "no work folder"
cat >script <<-'EOF2'
	recorder=$1
	shift
	mount -t tracefs tracefs /sys/kernel/tracing
	for name; do
		"$recorder" record -e kvm -o "$name.dat" lockstep run --engine kvm --memory 64M --payload "$name.elf"
	done
EOF2
busybox=$(command -v busybox)
# shellcheck disable=SC2086
expect_status 0 "$LOCKSTEP" lab --with "$busybox" --with "$recorder" "${with[@]}" -- \
	"$busybox" ash script "$recorder" $payloads
for name in $payloads; do
	[ -s "$name.dat" ] || die "there is no recording of $name: $(cat "$WORK/out" "$WORK/err")"
	expect_status 0 "$LOCKSTEP" trace import "$name.dat" "$name.trace"
	expect_status 0 "$LOCKSTEP" diff --dut "trace:$name.trace" --memory 64M "$name.elf"
	# A payload's serial port alone has this many.
	events=$(awk '$1 == "payloads" { print $NF }' "$WORK/out")
	[ "${events:-0}" -gt 40 ] || fail "$name: only ${events:-no} exits are compared: $(cat "$WORK/out")"
done
# Whichever way the file is packed, and of another payload.
trace-cmd convert --file-version 6 -i branches.dat -o old.dat >"$WORK/out" 2>&1 || fail "trace-cmd: $(cat "$WORK/out")"
expect_status 0 "$LOCKSTEP" trace import old.dat old.trace
cmp old.trace branches.trace || fail "version 6 and 7 of one recording differ"
expect_status 1 "$LOCKSTEP" diff --dut trace:management.trace --memory 64M branches.elf
finish
