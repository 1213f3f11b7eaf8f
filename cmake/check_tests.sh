#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes C of the tables that the unit tests of the checks go through: for each of their rows
#   {"identifier", "unit.FOLDER.TEST: FILE:LINE"},
# check_tests.sh COMPILER TEST FILE...: rows are found when macros are expanded.
compiler=$1 test=$2
shift 2
for file; do
	sed 's/^#include.*//' "$file" | "$compiler" -E -x c - |
		awk -v place="$test: $(basename "$file")" '
			/^# [0-9]+ / { line = $2; next }
			{
				while (match($0, /[{][ \t]*"[^,]*",/)) {
					name = substr($0, RSTART, RLENGTH)
					$0 = substr($0, RSTART + RLENGTH)
					gsub(/[{", \t]/, "", name)
					printf "{\"%s\", \"%s:%d\"},\n", name, place, line
				}
				line++
			}' || exit 1
done
