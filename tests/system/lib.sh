# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the system tests share. Source it. LOCKSTEP and LOCKSTEP_QEMU are the binaries under
# test; WORK is a folder that goes away at the end.
set -uo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib.sh"

: "${LOCKSTEP:=$LS_ROOT/build/release/lockstep}"
: "${LOCKSTEP_QEMU:=$(dirname "$LOCKSTEP")/lockstep-qemu}"
export NO_COLOR=1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# A crash must show as one: no core files, but their exit status.
ulimit -c 0

failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# Ends a test: its status says whether anything failed.
finish() {
	[ "$failures" -eq 0 ] || echo "$failures failures"
	exit $((failures != 0))
}

die() {
	fail "$*"
	finish
}

# ctest shows 77 as skipped.
skip() {
	echo "SKIP: $*" >&2
	exit 77
}

# need COMMAND PACKAGE
need() {
	command -v "$1" >/dev/null || skip "there is no $1 (Debian's $2)"
}

# The folder with vmlinuz and test.initrd.
guest_images() {
	"$LS_ROOT/tools/guest-images" --cached 2>/dev/null ||
		skip "no guest images; tools/guest-images makes them"
}

# What `lockstep lab` needs.
lab_images() {
	need qemu-system-x86_64 qemu-system-x86
	need busybox busybox-static
	guest_images >"$WORK/images" || exit 77
}

# expect_status WANTED COMMAND...: its output goes to $WORK/out and $WORK/err.
expect_status() {
	local wanted=$1 status

	shift
	timeout -k 5 "${LIMIT:-120}" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	status=$?
	[ $status -eq "$wanted" ] ||
		fail "status $status, not $wanted: $* ($(head -c 300 "$WORK/err"))"
}

# Builds payload/NAME.S, a multiboot program, as $WORK/NAME.
build_payload() {
	need gcc gcc
	gcc -m32 -c -o "$WORK/$1.o" "$LS_ROOT/tests/system/payload/$1.S" ||
		die "payload $1 does not assemble"
	ld -m elf_i386 -Ttext=0x100000 -o "$WORK/$1" "$WORK/$1.o" || die "payload $1 does not link"
}

# guest_boot ARGUMENT...: runs the test initramfs; the console goes to $WORK/out. APPEND is
# added to the kernel's command line. IN=lab: in the lab.
guest_boot() {
	local images

	images=$(guest_images) || exit 77
	expect_status 0 "$LOCKSTEP" ${IN:+"$IN" --} run --memory 256M --kernel "$images/vmlinuz" \
		--initrd "$images/test.initrd" --append "console=ttyS0 ${APPEND:-}" "$@"
}

# expect_result NAME: the guest side of that test passed.
expect_result() {
	grep -aq "^RESULT $1: pass" "$WORK/out" ||
		fail "the guest did not report '$1: pass'; its last lines: $(tail -n 15 "$WORK/out")"
}
