# SPDX-License-Identifier: Apache-2.0
# Prints the report of tools/peers as a table; $verbose: with the differences that have a reason.

def left($width): . + " " * ([$width - length, 0] | max);

(.outcomes | map({key: .peer, value: .version}) | from_entries | to_entries[] | "\(.key): \(.value)"),
"",
(.outcomes[]
 | . as $row
 | (.differences | length) as $count
 | (.peer | left(14)) + (.payload | left(26))
   + (if .checks then "\(.passed) of \(.checks)" else "-" end | left(14))
   + (if .outcome == "unexpected" then "UNEXPECTED" else .outcome end)
   + (if .skipped then ": \(.skipped)" else "" end),
   (.differences[] | select(.reason == null) | "    no row: \(.text)"),
   (.unused[] | "    no check fails any more: \(.)"),
   (select($verbose != "") | .differences | map(select(.reason)) | group_by(.reason)[]
    | "    \(.[0].reason)", (.[] | "        \(.text)"))),
"",
(.outcomes | group_by(.peer)[]
 | "\(.[0].peer): \(length) payloads, \(map(select(.outcome == "passes")) | length) pass, "
   + "\(map(select(.outcome == "skips")) | length) skip, "
   + "\(map(select(.outcome == "differs")) | length) differ as known, "
   + "\(map(select(.outcome == "unexpected")) | length) unexpected")
