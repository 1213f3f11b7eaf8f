#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sources.sh: no file holds both sides of a merge, and the tables that docs/architecture.md names exist.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

cd "$LS_ROOT" || die "no folder $LS_ROOT"
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "this is no clone"
git grep -nE '^(<{7}|>{7}) ' -- . && fail "a merge was not finished"
while read -r table; do
	compgen -G "$table" >/dev/null || fail "docs/architecture.md names $table"
done < <(grep '^| ' docs/architecture.md | tr '\140' '\n' | grep '/.*\.def$' | sort -u)
finish
