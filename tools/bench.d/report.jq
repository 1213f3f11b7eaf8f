# SPDX-License-Identifier: Apache-2.0
# Makes the report of what tools/bench has recorded. Inputs: $head (an object), $spans (lines of
# part, row, engine, wall, cpu, virtual) and $guests (lines of part, engine, statistics).

def table: split("\n") | map(select(. != "") | split("\t")) | to_entries
	| map(.value + [.key]);

def spread: sort | {
	median: (if length % 2 == 1 then .[length / 2 | floor]
		 else (.[length / 2 - 1] + .[length / 2]) / 2 end),
	min: .[0],
	max: .[-1]
};

def numbers($column): map(.[$column] | tonumber);

# In the order in which they came first.
def groups(key): group_by(key) | sort_by(.[0][-1]);

def ratio($a; $b): if $b > 0 then ($a / $b * 1000 | round / 1000) else null end;

[$spans | table | groups([.[0], .[1], .[2]])[] | {
	part: .[0][0],
	row: .[0][1],
	engine: .[0][2],
	runs: length,
	wall_seconds: (numbers(3) | spread),
	cpu_seconds: (numbers(4) | spread),
	virtual_seconds: (numbers(5) | spread.median)
}] as $rows
| $head + {
	rows: $rows,
	ratios: [$rows[] as $ours
		| select($ours.engine == (if $ours.part == "user" then "kvm" else "sim" end))
		| $rows[] as $other
		| select($other.part == $ours.part and $other.row == $ours.row
			 and $other.engine != $ours.engine)
		| {
			part: $ours.part,
			row: $ours.row,
			engines: "\($ours.engine)/\($other.engine)",
			wall: ratio($ours.wall_seconds.median; $other.wall_seconds.median),
			cpu: ratio($ours.cpu_seconds.median; $other.cpu_seconds.median)
		}],
	guests: [$guests | table | groups([.[0], .[1]])[] | {
		part: .[0][0],
		engine: .[0][1],
		instructions: (map(.[2] | fromjson | .instructions) | spread.median),
		mips: (map(.[2] | fromjson | .mips) | spread),
		virtual_to_wall: (map(.[2] | fromjson | .guest_to_wall) | spread)
	}]
}
