#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine's ways to be fast change nothing: with and without traces, fused handlers, dropped flags
# and what else needs more than one instruction, registers and written memory are the same at every
# point of a boot and of every payload.
# state_hash.sh CPU MILLIONS PAYLOAD-FOLDER
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# points FILE INTERP-TRACE ARGUMENT...
points() {
	local file=$1 trace=$2

	shift 2
	timeout 600 "$LOCKSTEP" run --cpu "$cpu" --param interp.trace="$trace" "$@" \
		>"$WORK/console" 2>"$WORK/err" </dev/null
	grep '^state-hash' "$WORK/err" >"$file"
}

# same WHAT LEAST ARGUMENT...: at LEAST points or more.
same() {
	local what=$1 least=$2 count

	shift 2
	points "$WORK/fast" 1 "$@"
	points "$WORK/slow" 0 "$@"
	count=$(sort -u "$WORK/fast" | wc -l)
	[ "$count" -ge "$least" ] || fail "$what: only $count points"
	cmp -s "$WORK/fast" "$WORK/slow" ||
		fail "$what: the first difference is at $(diff "$WORK/fast" "$WORK/slow" |
			sed -n 's/^< state-hash \([0-9]*\) .*/\1/p' | head -n 1)"
	total=$((total + count))
}

cpu=$1 total=0
for payload in "$3"/*.elf; do
	case $payload in *.64.elf | *.32.elf) continue ;; esac
	# The shortest have a few hundred instructions.
	same "$(basename "$payload" .elf)" 2 --payload "$payload" --state-hash 50 --max-instructions 5K
	same "$(basename "$payload" .elf)" 1 --payload "$payload" --state-hash 1000 --max-instructions 20M
done
images=$(guest_images) || exit 77
same boot 2 --memory 256M --kernel "$images/vmlinuz" --initrd "$images/test.initrd" \
	--append "console=ttyS0 earlyprintk=ttyS0" --state-hash 1M --max-instructions "${2}M"
echo "$total points are the same"
finish
