#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What lockstep diff writes: JSON that jq reads, XML that a parser reads, and a page whose script shows
# the timeline and the state behind the event that is clicked, in a browser.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need jq jq
expect_status 0 "$LOCKSTEP" diff --dut sim --case faults --case gates --json \
	--junit "$WORK/junit.xml" --html "$WORK/page.html"
jq -e '.cases == .equal and .cases == (.results | length) and .cases > 40' "$WORK/out" >/dev/null ||
	fail "the JSON has other cases than it counts"
[ "$(jq .cases "$WORK/out")" = "$(grep -c '<testcase ' "$WORK/junit.xml")" ] ||
	fail "the XML has other cases than the JSON"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$WORK/junit.xml" ||
	fail "the XML is not well-formed"

# Nothing of the page comes from elsewhere.
! grep -nE '(src|href)=|@import|url\(' "$WORK/page.html" || fail "the page refers to other files"

# What repeats a difference says all that it came of, and repeats it.
expect_status 1 "$LOCKSTEP" diff --dut sim --memory 8M --append 'a b' --dut-param ignore_msrs=1 --case msr_unknown \
	--html "$WORK/page.html"
again=$(sed -n 's/^  again: lockstep //p' "$WORK/out")
grep -v ' s$' "$WORK/out" >"$WORK/first"
eval "expect_status 1 \"\$LOCKSTEP\" $again"
grep -v ' s$' "$WORK/out" | diff "$WORK/first" - || fail "'$again' gives something else"
grep -q '^ *sim (ref) *sim (dut) *$' "$WORK/out" || fail "the sides have one name"

need chromium chromium
timeout -k 5 100 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$WORK/browser" \
	--virtual-time-budget=2000 --dump-dom "file://$WORK/page.html" >"$WORK/dom" 2>"$WORK/err" ||
	fail "chromium fails: $(tail -n 2 "$WORK/err")"
grep -q 'aria-current="true">msr_unknown<' "$WORK/dom" || fail "no case is shown"
grep -q '1 cases: 0 equal (0 with a declared difference), 1 different, 0 failed' "$WORK/dom" || fail "no counts are shown"
grep -q 'aria-selected="true"' "$WORK/dom" || fail "no event is selected"
grep -q 'class="differs[^>]*"><span>RAX</span><span>0xd</span><span>0x100</span>' "$WORK/dom" || fail "the state behind the event is not shown"
finish
