#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gdb takes a guest back over what was typed, which it hears again then; what is typed meanwhile waits for the
# present, and nobody has to wait for an idle guest a second time.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/gdb_lib.sh
. "$(dirname "$0")/gdb_lib.sh"

images=$(guest_images) || exit 77

mkfifo "$WORK/keys"
exec 5<>"$WORK/keys"
timeout -k 5 120 "$LOCKSTEP" run --gdb "$socket" --gdb-wait --cpu intel --memory 96M --console --kernel "$images/vmlinuz" \
	--initrd "$images/test.initrd" --append "console=ttyS0 quiet TEST=console" <"$WORK/keys" >"$WORK/out" 2>"$WORK/err" &
run=$!
while [ ! -S "$socket" ] && kill -0 $run 2>/dev/null; do sleep 0.05; done

# Where the guest waits for its second answer gdb stops it; the answer is typed in the past.
cat >"$WORK/commands" <<COMMANDS
continue
monitor history
monitor until 100M
reverse-continue
monitor history
shell echo 'for ttyS0' >$WORK/keys
continue
monitor history
detach
COMMANDS
# It has no timeout of its own, which would take the signal: the run has one.
gdb -nx -batch -ex 'set confirm off' -ex 'set width 0' -ex 'set arch i386:x86-64' \
	-ex "target remote $socket" -x "$WORK/commands" >"$WORK/gdb" 2>&1 &
gdb=$!

asked() {
	while ! grep -aq "^ASK $1" "$WORK/out"; do
		kill -0 $run 2>/dev/null || die "it ended before it asked on $1: $(tail -n 3 "$WORK/out" "$WORK/err")"
		sleep 0.1
	done
}

asked hvc0
echo 'for hvc0' >&5
asked ttyS0
kill -INT $gdb
wait $gdb
wait $run || fail "status $?"
[ "$(grep -c 'the present' "$WORK/gdb")" -eq 2 ] || fail "not twice the present: $(cat "$WORK/gdb")"
grep -q '^instruction 100000000 of all vCPUs, in the past' "$WORK/gdb" || fail "not back at 100M: $(cat "$WORK/gdb")"
expect_result console
[ "$(grep -ac '^ASK' "$WORK/out")" -eq 2 ] || fail "asked more than twice: $(cat "$WORK/out")"
finish
