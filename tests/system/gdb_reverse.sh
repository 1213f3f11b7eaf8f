#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real gdb takes a run back: to where its own steps, breakpoints and watchpoints say, and from there
# the run comes to the same place again, with the same registers and memory, and prints nothing twice.
# gdb_reverse.sh PAYLOAD-FOLDER
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/gdb_lib.sh
. "$(dirname "$0")/gdb_lib.sh"

payloads=$1

# debug STATUS PAYLOAD OPTION... <COMMANDS
debug() {
	local status=$1 payload=$2

	shift 2
	debug_run "$status" "$payloads/$payload.64.elf" --payload "$payloads/$payload.elf" --memory 4M "$@"
}

# keep NAME: gdb's commands for all that it is shown of the machine.
keep() {
	echo "pipe thread apply all -q info all-registers | cat >$WORK/$1.registers"
	echo "maintenance packet Qqemu.PhyMemMode:1"
	echo "dump binary memory $WORK/$1.memory 0 0x400000"
	echo "maintenance packet Qqemu.PhyMemMode:0"
}

# same WHAT: kept before and kept after are the same.
same() {
	local what

	for what in registers memory; do
		cmp "$WORK/before.$what" "$WORK/after.$what" || fail "$1: the run has come to another place: other $what"
	done
}

# --- steps, breakpoints, watchpoints, and both ends of the history ---
# checks counts the payload's checks (tests/payloads/lib/lib.c), the first of which is in unaligned().
debug 1 stacks <<'COMMANDS'
break payload
continue
stepi 3
printf "forth %d\n", $rip > &payload
reverse-stepi 2
reverse-stepi
printf "back %d\n", $rip == &payload
stepi 3
watch *(int *)&checks
continue
continue
printf "checks %d\n", *(int *)&checks
reverse-continue
printf "one less %d\n", *(int *)&checks
reverse-continue
printf "none %d\n", *(int *)&checks
reverse-continue
printf "at payload %d\n", $rip == &payload
reverse-continue
printf "start %d\n", $rip == &start
set var $rbx = 1
COMMANDS
said 'forth 1'
said 'back 1'
said 'checks 2'
said 'Old value = 2'
said 'one less 1'
said 'none 0'
said 'at payload 1'
said 'No more reverse-execution history.'
said 'start 1'
grep -q 'this is the past, which cannot be changed' "$WORK/gdb" || fail "the past was changed: $(tail -n 5 "$WORK/gdb")"

# --- the past ends where the run has been, and a change there begins a new history ---
debug 1 stacks <<'COMMANDS'
break payload
continue
delete
stepi 5
set $where = $rip
reverse-stepi 3
continue
printf "present %d\n", $rip == $where
set var $xmm3.v2_int64[1] = 77
stepi
reverse-stepi
printf "changed %ld %d\n", $xmm3.v2_int64[1], $rip == $where
reverse-stepi
printf "begins there %d\n", $rip == $where
continue
detach
COMMANDS
said 'present 1'
said 'changed 77 1'
said 'begins there 1'

# --- a place by its number, from both sides ---
debug 1 interrupts <<'COMMANDS'
break payload
monitor until 500
continue
set $there = $rip
monitor history
continue
printf "payload %d\n", $rip == &payload
monitor until 500
reverse-continue
printf "there %d\n", $rip == $there
monitor history
detach
COMMANDS
said 'instruction 500 of all vCPUs, the present; the history has 0 to 500'
said 'payload 1'
said 'there 1'
grep -q '^instruction 500 of all vCPUs, in the past; the history has 0 to ' "$WORK/gdb" || fail "not at 500: $(tail -n 5 "$WORK/gdb")"

# --- an INT3 of the guest's on the way back is the guest's ---
debug 1 gates <<'COMMANDS'
break payload
continue
break finish
continue
printf "finish %d\n", $rip == &finish
delete 2
reverse-stepi
reverse-continue
printf "payload %d\n", $rip == &payload
continue
printf "again %d\n", $rip == &finish
detach
COMMANDS
said 'finish 1'
said 'payload 1'
said 'again 1'

# --- what STI and MOV SS hold back stays so, whichever way one steps over them: the payload's own checks
# (SDM 2B: STI, 2A: MOV) see nothing of it ---
debug 1 interrupts <<'COMMANDS'
break payload
continue
delete
stepi 400
set $there = $rip
reverse-stepi 300
stepi 300
printf "there %d\n", $rip == $there
stepi 400
detach
COMMANDS
said 'there 1'

# --- a hypervisor and its guest: back over a VM entry to level 1, forth to level 2, and to entries and exits ---
debug 1 vmx --cpu intel,+vmx <<'COMMANDS'
monitor break vm-entry
continue
printf "guest %d\n", $rip == &guest
reverse-stepi
printf "vmlaunch %x\n", *(int *)$rip & 0xffffff
monitor level
stepi
monitor level
printf "again %d\n", $rip == &guest
monitor break vm-exit
continue
continue
set $entry = $rip
continue
reverse-continue
printf "back at the entry %d\n", $rip == $entry
reverse-continue
reverse-continue
printf "back at the first %d\n", $rip == &guest
detach
COMMANDS
said 'guest 1'
said 'vmlaunch c2010f' # SDM 3C:31.3
said 'vCPU 0 is at level 1, outside of any guest of its own; memory is seen at the level that runs'
said "vCPU 0 is at level 2, in a guest of the machine's hypervisor; memory is seen at the level that runs"
said 'again 1'
said 'back at the entry 1'
said 'back at the first 1'
[ "$(grep -c '^VM exit on vCPU 0, which is at level 1 now$' "$WORK/gdb")" -eq 3 ] || fail "not three VM exits: $(cat "$WORK/gdb")"

# --- from a guest that has a second stage back to where there was none ---
from_guest() {
	debug 1 "$@" <<'COMMANDS'
set $first = $rip
monitor break vm-entry
continue
monitor delete vm-entry
set $guest = $rip
stepi
reverse-continue
printf "start %d\n", $rip == $first
stepi 100
continue
reverse-stepi
printf "guest %d\n", $rip == $guest
detach
COMMANDS
	said 'start 1'
	said 'guest 1'
}

from_guest vmx_ept --cpu intel,+vmx
from_guest svm_nested_paging --cpu amd,+svm

# --- all the way back and forth again: interrupts, timers, levels, tasks ---
# round STATUS PAYLOAD OPTION...
round() {
	local payload=$2

	timeout -k 5 100 "$LOCKSTEP" run --payload "$payloads/$payload.elf" --memory 4M "${@:3}" >"$WORK/plain" 2>/dev/null </dev/null
	{
		printf '%s\n' "set \$first = \$rip" 'break payload' continue delete 'break finish' continue delete
		keep before
		printf '%s\n' reverse-continue "printf \"start %d\\n\", \$rip == \$first" continue
		keep after
		echo detach
	} | debug "$@"
	said 'start 1'
	same "$*"
	cmp "$WORK/plain" "$WORK/out" || fail "$*: the console has other lines"
}

round 1 stacks
round 1 interrupts
round 1 debug
round 1 tsc_deadline
round 1 vmx --cpu intel,+vmx
round 1 svm_entry --cpu amd,+svm
round 1 waits --cpu max --smp 2

# --- where there is no history ---
debug 1 stacks --schedule parallel <<'COMMANDS'
break payload
continue
reverse-stepi
detach
COMMANDS
said 'Target remote does not support this command.'
finish
