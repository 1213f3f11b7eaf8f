#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole suite of lockstep diff on a real kvm_amd: every case is equal, and at most one in twenty
# needs a declared difference.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
expect_status 0 "$LOCKSTEP" diff --dut lab --suite
tail -n 20 "$WORK/out"
read -r _ cases equal declared _ < <(grep '^all ' "$WORK/out")
[ "${equal:-none}" = "${cases:-no table}" ] || fail "not all are equal"
[ $((declared * 20)) -le "${cases:-0}" ] || fail "$declared of $cases need declared differences"
finish
