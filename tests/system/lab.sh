#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab.sh HOST: lockstep lab: output, exit status and files come back as if the command had run here, and what is
# in its way is said in one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
mkdir "$WORK/here" "$WORK/elsewhere" "$WORK/more"
cd "$WORK/here" || die "no work folder"
echo given >given
echo old >old
echo kept >kept
echo along >"$WORK/more/inside"
echo named >"$WORK/elsewhere/named"
touch -d @0 given kept
cat >script <<-'EOF2'
	echo "$1:$2"
	cat given "$3" "$4"
	echo complaint >&2
	[ -c /dev/kvm ] && echo has kvm
	lockstep --version
	echo new >old
	echo made >made
	mkdir deep && echo deeper >deep/made
	echo out >"${5#file:}"
	echo no >/outside
	exit 7
EOF2
busybox=$(command -v busybox)
expect_status 7 "$LOCKSTEP" lab --host "$1" --with "$busybox" --with "$WORK/more" --with given --with kept \
	--with old -- "$busybox" ash script \
	'two words' '' ../elsewhere/named "$WORK/more/inside" "file:$WORK/elsewhere/out"
cat >"$WORK/wanted" <<-EOF2
	two words:
	given
	named
	along
	has kvm
	$("$LOCKSTEP" --version)
EOF2
cmp "$WORK/wanted" "$WORK/out" || fail "standard output differs: $(cat "$WORK/out")"
[ "$(cat "$WORK/err")" = complaint ] || fail "standard error differs: $(cat "$WORK/err")"
expect_file() {
	[ "$(cat "$1" 2>&1)" = "$2" ] || fail "$1 holds '$(cat "$1" 2>&1)', not '$2'"
}
expect_file old new
expect_file made made
expect_file deep/made deeper
expect_file "$WORK/elsewhere/out" out
expect_file kept kept
[ "$(stat -c %Y given kept | sort -u)" = 0 ] || fail "a file that was only read was written"
[ ! -e /outside ] || fail "a file outside of the folders came back"

# expect_line STATUS WORD COMMAND...
expect_line() {
	expect_status "$1" "${@:3}"
	[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line: $(cat "$WORK/err")"
	grep -qF -- "$2" "$WORK/err" || fail "the line doesn't name '$2': $(cat "$WORK/err")"
}

expect_line 1 nosuchcpu "$LOCKSTEP" lab --host "$1" --cpu nosuchcpu -- list engines
expect_line 1 nothing-here "$LOCKSTEP" lab --host "$1" --kernel nothing-here -- list engines
expect_line 1 nothing-here "$LOCKSTEP" lab --host "$1" --modules nothing-here -- list engines
expect_line 1 nothing-here "$LOCKSTEP" lab --host "$1" --with nothing-here -- list engines
expect_line 1 qemu-system-x86_64 env PATH=/nothing-here "$LOCKSTEP" lab -- list engines
expect_line 1 nosuchengine "$LOCKSTEP" lab --host nosuchengine -- list engines
for bad in "--memory foo" "--memory 64M" "--smp 0" "--smp -1"; do
	# shellcheck disable=SC2086 # two words
	expect_line 2 "$bad: " "$LOCKSTEP" lab --host "$1" $bad -- list engines
done
expect_line 2 "which command" "$LOCKSTEP" lab
expect_line 2 --nosuchoption "$LOCKSTEP" lab --nosuchoption -- list engines
finish
