#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# diff_own_trace.sh FOLDER: a trace of a payload, compared with the engine that it is of, is equal: by step
# and by exit, with VMX and SVM, on one vCPU and on two. Of each as many instructions as are quick.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

payloads=$1
most=40000
trace=$WORK/own.trace

# own NAME MODEL EVENTS ARGUMENT...: what is compared is equal, and is not nothing.
own() {
	local name=$1 cpu=$2 events=$3

	shift 3
	timeout -k 5 60 "$LOCKSTEP" run --memory 64M --cpu "$cpu" --payload "$payloads/$name.elf" \
		--max-instructions $most --trace "$trace$events" "$@" >"$WORK/run" 2>&1 </dev/null
	for granularity in step exit; do
		expect_status 0 "$LOCKSTEP" diff --dut "trace:$trace" --granularity $granularity
		grep -qE '^payloads +1 +1 +0 +0 +0 +[1-9]' "$WORK/out" ||
			fail "$name on $cpu by $granularity: $(cat "$WORK/out")"
	done
}

# Those that know both vendors run as one of them.
for path in "$payloads"/*.elf; do
	name=$(basename "$path" .elf)
	case $name in
	*.64 | *.32 | bench) continue ;;
	svm_* | branch_records) cpu=amd ;;
	waits) cpu=max ;;
	*) cpu=intel ;;
	esac
	# Memory, page walks and fills of the TLB, too, where a run of a sanitizer build is not too long.
	[ "${SANITIZE:-}" != yes ] || case $name in [d-z]*) continue ;; esac
	own "$name" "$cpu" :all
done
most=150000
for name in svm_avic_smp svm_skinit; do
	own $name amd "" --smp 2
	grep -q 'in which order the 2 vCPUs did' "$WORK/out" || fail "of two vCPUs: $(cat "$WORK/out")"
done
own waits max :all --smp 2

# Two vCPUs' trace with the end of one cut off: the difference is that one's.
expect_status 0 "$LOCKSTEP" trace cut --vcpu 0 "$trace" "$WORK/part"
expect_status 1 "$LOCKSTEP" diff --dut "trace:$WORK/part" --granularity step
grep -q '^part: vCPU 1: ' "$WORK/out" || fail "the vCPU is not named: $(cat "$WORK/out")"
finish
