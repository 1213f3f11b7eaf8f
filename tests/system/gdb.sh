#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real gdb on a run: it stops where it is told, sees and changes what the guest has, and a guest
# that is stepped does what it does otherwise.
# gdb.sh PAYLOAD-FOLDER
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/gdb_lib.sh
. "$(dirname "$0")/gdb_lib.sh"

payloads=$1

# debug STATUS PAYLOAD OPTION... <COMMANDS
debug() {
	local status=$1 payload=$2

	shift 2
	debug_run "$status" "$payloads/$payload.64.elf" --payload "$payloads/$payload.elf" "$@"
}

# --- breakpoints, watchpoints, registers, memory ---
# checks counts the payload's checks (tests/payloads/lib/lib.c), the first of which is in unaligned().
debug 1 stacks <<'COMMANDS'
printf "first %x\n", $rip == &start
break payload
continue
printf "payload %d\n", $rip == &payload
printf "long mode %x\n", $efer & 0x500
printf "paging %x %d\n", $cr0 >> 31, $cr3 == &pml4
printf "flat %x %x\n", $cs_base, $cs_l
printf "page %d\n", *(unsigned long *)$cr3 == ((unsigned long)&pdpt | *(unsigned long *)$cr3 & 0xfff)
watch *(int *)&checks
continue
printf "checks %d\n", *(int *)&checks
stepi
delete
hbreak section
continue
printf "section %s\n", (char *)$rdi
delete
set $xmm3.v2_int64[1] = 77
set $saved = $rbx
set $rbx = 0x1234567887654321
printf "written %lx %ld\n", $rbx, $xmm3.v2_int64[1]
set $rbx = $saved
maintenance packet Qqemu.PhyMemMode:1
printf "magic %x\n", *(unsigned int *)0x100000
maintenance packet Qqemu.PhyMemMode:0
monitor translate payload
info threads
detach
COMMANDS
said 'first 1'
said 'payload 1'
said 'long mode 500'
said 'paging 1 1'
said 'flat 0 1'
said 'page 1'
said 'Old value = 0'
said 'New value = 1'
said 'checks 1'
said 'section SDM 3A:6.14.5 IST, without a change of level SS stays'
said 'written 1234567887654321 77'
said 'magic 1badb002'
grep -q '(vCPU 0, level 1)' "$WORK/gdb" || fail "no thread for the vCPU"

# --- stepping: the payload's own checks of TF, shadows and interrupts see nothing of it ---
for payload in debug interrupts; do
	debug 1 $payload <<'COMMANDS'
break payload
continue
delete
stepi 3000
detach
COMMANDS
done

# --- an INT3 of the guest's is the guest's, with breakpoints of ours beside it ---
debug 1 gates <<'COMMANDS'
break payload
continue
break finish
continue
printf "finish %d\n", $rip == &finish
detach
COMMANDS
said 'finish 1'

# --- a hypervisor and its guest ---
debug 1 vmx --cpu intel,+vmx <<'COMMANDS'
break payload
continue
delete
monitor level
monitor break vm-entry
monitor break vm-exit
continue
printf "guest %d\n", $rip == &guest
monitor level 1
printf "hypervisor's %d\n", *(char *)&payload == *(char *)&guest
monitor level running
continue
monitor level
monitor delete vm-entry
monitor delete vm-exit
detach
COMMANDS
said 'VM entry on vCPU 0, which is at level 2 now'
said 'guest 1'
said "hypervisor's 1"
said 'VM exit on vCPU 0, which is at level 1 now'
said 'vCPU 0 is at level 1, outside of any guest of its own; memory is seen at the level that runs'

# --- kill, and bad input ---
debug 130 stacks <<'COMMANDS'
kill
COMMANDS
expect_status 1 "$LOCKSTEP" run --payload "$payloads/stacks.elf" --gdb nowhere:at:all
[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "more than a line: $(cat "$WORK/err")"
expect_status 2 "$LOCKSTEP" run --payload "$payloads/stacks.elf" --gdb-wait
finish
