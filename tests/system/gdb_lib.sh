# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests with the real gdb share. Source it behind lib.sh.
need gdb gdb

socket=$WORK/socket

# debug_run STATUS SYMBOLS OPTION... <COMMANDS: gdb, with symbols of a file unless that is '', on a run
# that waits for it and then ends so. What gdb prints goes to $WORK/gdb, the guest's console to $WORK/out.
debug_run() {
	local status=$1 symbols=$2 run

	shift 2
	cat >"$WORK/commands"
	timeout -k 5 100 "$LOCKSTEP" run --gdb "$socket" --gdb-wait "$@" >"$WORK/out" 2>"$WORK/err" </dev/null &
	run=$!
	while [ ! -S "$socket" ] && kill -0 $run 2>/dev/null; do sleep 0.05; done
	timeout -k 5 90 gdb -nx -batch -ex 'set confirm off' -ex 'set width 0' -ex 'set arch i386:x86-64' \
		-ex "target remote $socket" -x "$WORK/commands" ${symbols:+"$symbols"} >"$WORK/gdb" 2>&1
	wait $run
	[ $? -eq "$status" ] || fail "${symbols##*/} $*: the run ends otherwise than with $status: $(cat "$WORK/err")"
}

# said TEXT: gdb has printed that line.
said() {
	grep -qxF -- "$1" "$WORK/gdb" || fail "gdb did not print '$1': $(tail -n 30 "$WORK/gdb")"
}
