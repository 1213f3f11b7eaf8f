# SPDX-License-Identifier: Apache-2.0
# Turns bench-watch's report into rows "name wall cpu virtual": the spans between marks. WHOLE
# names the one from FIRST to LAST; virtual time is the kernel's own, 0 without one.

function kernel_time(line) {
	if (!match(line, /\[ *[0-9]+\.[0-9]+\]/))
		return 0
	return substr(line, RSTART + 1, RLENGTH - 2) + 0
}

function span(name, wall, cpu, virtual) {
	printf "%s\t%.6f\t%.6f\t%.6f\n", name, $1 - wall, $2 - cpu, kernel_time($0) - virtual
}

function close_part() {
	if (part != "")
		span(part, part_wall, part_cpu, part_virtual)
	part = ""
}

/MARK [a-z0-9_]+$/ {
	close_part()
	if ($NF != "start" && $NF != "end") {
		part = $NF
		part_wall = $1
		part_cpu = $2
		part_virtual = kernel_time($0)
	}
}

index($0, FIRST) && !started {
	started = 1
	wall = $1
	cpu = $2
	virtual = kernel_time($0)
}

index($0, LAST) && started && !ended {
	ended = 1
	span(WHOLE, wall, cpu, virtual)
}
