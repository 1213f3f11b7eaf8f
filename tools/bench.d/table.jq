# SPDX-License-Identifier: Apache-2.0
# Prints report.jq's report as a table: medians, and sim's time over each other engine's.

def left($width): . + " " * ([$width - length, 0] | max);
def right($width): " " * ([$width - length, 0] | max) + .;
# A number with two places.
def places: if . == null then "-"
	else (. * 100 | round) as $n
		| "\($n / 100 | floor).\("0\($n % 100)"[-2:])" end;
def pair: map(places | right(8)) | join("");

(.engines | keys_unsorted) as $engines
| ($engines | map(select(. != "sim" and ($engines | index("sim"))))) as $others
| . as $report
| "\(.engines | to_entries | map("\(.key): \(.value)") | join("; "))",
  "revision \(.revision)\(if .modified then " (modified)" else "" end), \(.started), "
	+ "\(.machine.processors) x \(.machine.processor), load \(.machine.load | join(" to ")), "
	+ "medians of \([.rows[].runs] | unique | map(tostring) | join(" or "))",
  "",
  ("seconds" | left(28)) + ([$engines[], ($others[] | "sim/\(.)")] | map(right(16)) | join("")),
  (" " * 28) + ([$engines[], $others[]] | map("    wall     cpu") | join("")),
  ([.rows[] | select(.part != "user") | {part, row}] | reduce .[] as $row ([]; if index([$row]) then . else . + [$row] end)
   | .[] as $row
   | (if $row.part == $row.row then $row.row else "\($row.part).\($row.row)" end | left(28))
     + ([$engines[] as $engine
	 | first($report.rows[] | select(.engine == $engine and .part == $row.part
						and .row == $row.row)
		 | [.wall_seconds.median, .cpu_seconds.median]) // [null, null] | pair] | join(""))
     + ([$others[] as $engine
	 | first($report.ratios[] | select(.engines == "sim/\($engine)" and .part == $row.part
						and .row == $row.row)
		 | [.wall, .cpu]) // [null, null] | pair] | join(""))),
  "",
  (.guests[] | "\(.engine), \(.part): \(.instructions) guest instructions, "
	+ "\(.mips.median | round) MIPS over the whole run, virtual to wall time "
	+ "\(.virtual_to_wall.median | places)"),
  ([$engines[] as $engine
    | [.rows[] | select(.part == "smp" and .engine == $engine)]
    | select(length == 2) | map({(.row): .}) | add
    | "\($engine), smp: 2 vCPUs have \(.apart.wall_seconds.median / .together.wall_seconds.median | places)"
	+ " of the throughput of two machines (by CPU seconds "
	+ "\(.apart.cpu_seconds.median / .together.cpu_seconds.median | places))"] | .[]),
  (.ratios[] | select(.row == "user_loop")
    | "user: the loop takes \(.wall) of its time as a program of the host (by CPU seconds \(.cpu))")
