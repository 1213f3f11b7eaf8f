#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh PEER: on this peer the payloads fail as tools/peers.d/outcomes.list says and not otherwise.
# A difference without a row fails, and so does a row without a difference.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need jq jq
case $1 in
bochs_*)
	need bochs bochs
	need grub-mkimage grub-common
	need cpio cpio
	;;
*) lab_images ;;
esac
peers=("$LS_ROOT/tools/peers" --lockstep "$LOCKSTEP" --peer "$1" --only vmx_entry --only vmx_paging
	--limit 60)

# KVM has the machine's memory in SMM, too.
smm=()
[ "$1" != kvm_intel ] || smm=(--only vmx_smm)
expect_status 0 "${peers[@]}" --only vmx_exits "${smm[@]}" --json "$WORK/report" --verbose
grep -Eq '^'"$1"' +vmx_entry +[0-9]+ of [0-9]+ +differs$' "$WORK/out" ||
	fail "the table has no row for vmx_entry: $(cat "$WORK/out")"

[ ${#smm[@]} -eq 0 ] || grep -Eq '^kvm_intel +vmx_smm +[0-9]+ of [0-9]+ +passes$' "$WORK/out" ||
	fail "SMM on KVM: $(cat "$WORK/out")"

# has WHAT FILTER: the JSON file says so.
has() {
	jq -e "$2" "$WORK/report" >/dev/null || fail "the JSON file has not $1: $(cat "$WORK/report")"
}
has 'its payloads' '.outcomes | length >= 3'
has 'a version' 'all(.outcomes[]; .version | length > 0)'
has 'reasons' 'all(.outcomes[].differences[]; .reason | length > 0)'
has 'checks' 'all(.outcomes[] | select(.checks); .passed > 0 and .passed <= .checks)'

# The same outcomes by themselves, against a list without vmx_entry's rows and with one of nothing.
{
	grep -v '| vmx_entry |' "$LS_ROOT/tools/peers.d/outcomes.list"
	echo "$1-* | vmx_paging | no such check | nobody's"
} >"$WORK/list"
expect_status 1 "${peers[@]}" --outcomes "$WORK/list"
grep -q '^    no row: ' "$WORK/out" || fail "a difference without a row: $(cat "$WORK/out")"
grep -q '^    no check fails any more: no such check' "$WORK/out" ||
	fail "a row without a difference: $(cat "$WORK/out")"

echo 'a row | without its columns' >"$WORK/list"
expect_status 1 "${peers[@]}" --outcomes "$WORK/list"
grep -q 'list:1: a row has four columns' "$WORK/err" || fail "a bad row: $(cat "$WORK/err")"
expect_status 2 "$LS_ROOT/tools/peers" --peer nobody
grep -q "no peer 'nobody'" "$WORK/err" || fail "a peer that is not there: $(cat "$WORK/err")"
finish
