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

# shellcheck source=tools/completion/lockstep.bash
. "$LS_ROOT/tools/completion/lockstep.bash"
compopt() { :; }

# offered WORD...: the options that the completion has behind these.
offered() {
	COMP_WORDS=("$LOCKSTEP" "$@" --)
	COMP_CWORD=$(($# + 1))
	COMPREPLY=()
	_lockstep
	printf '%s\n' "${COMPREPLY[@]}" | grep -v '^--$' | sort
}

for words in run diff lab list explain "trace show" "trace grep" "trace stat" "trace diff" "trace export" \
	"trace replay" "trace import" "trace cut"; do
	# shellcheck disable=SC2086 # several words
	"$LOCKSTEP" $words --help | sed -n 's/^  \(-[a-z], \)\?\(--[a-z-]*\).*/\2/p' | sort >"$WORK/told"
	while read -r option; do
		# A manual page writes a hyphen as \-.
		grep -qF -- "${option//-/\\-}" "$LS_ROOT/docs/lockstep.1" ||
			fail "docs/lockstep.1 doesn't have lockstep $words $option"
	done <"$WORK/told"
	# shellcheck disable=SC2086 # several words
	offered $words | diff "$WORK/told" - >"$WORK/differs" ||
		fail "the completion has other options for lockstep $words: $(cat "$WORK/differs")"
done
for option in $("$LOCKSTEP_QEMU" --help | grep -o '^  -[a-zA-Z-]*'); do
	grep -qF -- "\\fB${option//-/\\-}\\fR" "$LS_ROOT/docs/lockstep-qemu.1" ||
		fail "docs/lockstep-qemu.1 doesn't have $option"
done
finish
