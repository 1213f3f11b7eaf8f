#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --help works on every level, and the manual pages and the completion know every option.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

for words in "--help" "run --help" "list --help" "explain --help" "help" "help run" "--version"; do
	# shellcheck disable=SC2086 # several words
	expect_status 0 "$LOCKSTEP" $words
	[ -s "$WORK/out" ] || fail "lockstep $words prints nothing"
	[ ! -s "$WORK/err" ] || fail "lockstep $words prints on stderr"
done
expect_status 0 "$LOCKSTEP_QEMU" --help
grep -q QEMU "$WORK/out" || fail "lockstep-qemu --help has to say QEMU, for kvm-unit-tests"

for command in run diff lab list explain; do
	for option in $("$LOCKSTEP" $command --help | grep -o -- '^  --[a-z-]*'); do
		# A manual page writes a hyphen as \-.
		grep -qF -- "${option//-/\\-}" "$LS_ROOT/docs/lockstep.1" ||
			fail "docs/lockstep.1 doesn't have lockstep $command $option"
		grep -qF -- "$option" "$LS_ROOT/tools/completion/lockstep.bash" ||
			fail "the completion doesn't have lockstep $command $option"
	done
done
for option in $("$LOCKSTEP_QEMU" --help | grep -o '^  -[a-zA-Z-]*'); do
	grep -qF -- "\\fB${option//-/\\-}\\fR" "$LS_ROOT/docs/lockstep-qemu.1" ||
		fail "docs/lockstep-qemu.1 doesn't have $option"
done
finish
