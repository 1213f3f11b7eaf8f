#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A trace tells of a hypervisor's guests: entries with what they inject, exits with what matters for their reason, and
# the rule behind a refused entry, on VMX and SVM; each hypervisor level can be followed by itself.
# trace_guests.sh PAYLOAD-FOLDER
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

trace() {
	"$LOCKSTEP" trace "$@" >"$WORK/out" 2>"$WORK/err" || fail "trace $*: $(head -c 300 "$WORK/err")"
}

# expect PATTERN WHAT: in what trace has printed
expect() {
	grep -Eq "$1" "$WORK/out" || fail "no $2: $(head -n 20 "$WORK/out")"
}

# expect_count NUMBER PATTERN
expect_count() {
	[ "$(grep -Ec "$2" "$WORK/out")" -eq "$1" ] || fail "$(grep -Ec "$2" "$WORK/out") times '$2', not $1"
}

instructions() {
	trace show --events instruction --symbols "$1" "${@:3}" "$2"
	wc -l <"$WORK/out"
}

# Both levels together are the whole, and neither has the other's code.
expect_levels() { # PAYLOAD TRACE GUEST-SYMBOL HOST-SYMBOL
	local all host guest

	all=$(instructions "$1" "$2")
	host=$(instructions "$1" "$2" --level 1)
	grep -Eq " $3(\+0x[0-9a-f]+)? " "$WORK/out" && fail "level 1 has the guest's code"
	expect " $4(\+0x[0-9a-f]+)? " "$4 at level 1"
	guest=$(instructions "$1" "$2" --level 2)
	expect " $3(\+0x[0-9a-f]+)? " "$3 at level 2"
	grep -Eq " $4(\+0x[0-9a-f]+)? " "$WORK/out" && fail "level 2 has the hypervisor's code"
	[ $((host + guest)) -eq "$all" ] || fail "$host and $guest instructions, not $all"
	trace show --level 1 --events vm_entry,vm_exit "$2"
	cp "$WORK/out" "$WORK/switches"
	trace show --level 2 --events vm_entry,vm_exit "$2"
	cmp "$WORK/switches" "$WORK/out" || fail "entries and exits are not of both levels"
}

# --- VMX: interruption information (SDM 3C:25.8.3), exits by VMCALL of 3 bytes and CPUID of 2 ---
payload=$1/vmx_injection.elf
expect_status 1 "$LOCKSTEP" run --cpu intel,+vmx --payload "$payload" --trace "$WORK/vmx"
expect_levels "$payload" "$WORK/vmx" guest vmx_enter_asm
trace show --events vm_entry,vm_exit,exception,interrupt_injected "$WORK/vmx"
expect 'vm_entry .*interruption_info=0x80000040 ' "injected interrupt 40H"
expect 'vm_entry .*interruption_info=0x80000440 .*instruction_length=2 byte' "injected INT 40H"
expect 'vm_entry .*interruption_info=0x80000b0d .*error_code=0x1234' "injected #GP(1234H)"
expect 'guest exception  vector=#GP  error_code=0x1234 .*by_entry=yes' "delivery of the #GP"
expect 'interrupt_injected  vector=0x40  type=4 .*by_entry=yes' "delivery of the INT 40H"
expect 'vm_exit  vendor=VMX  level=2 .*reason=VMCALL .*instruction_length=3 byte' "exit by VMCALL"
expect 'vm_exit .*reason=CPUID .*instruction_length=2 byte' "exit by CPUID"
trace stat --json "$WORK/vmx"
jq -e '[.exits[] | select(.kind == "vmx" and .level == 2 and .reason == "CPUID") | .samples] == [1]' \
	"$WORK/out" >/dev/null || fail "stat: $(cat "$WORK/out")"
exits=$(jq .events.vm_exit "$WORK/out")
# Times are the machine's, also where it waits in HLT or for a device, and not numbers of instructions.
trace show --json --events vm_exit,engine_exit "$WORK/vmx"
jq -es 'map(.time) | . == sort and all(. > 0)' "$WORK/out" >/dev/null || fail "times go back"
jq -es 'map(select(.event == "vm_exit" and .time > .instructions)) | length > 0' "$WORK/out" >/dev/null ||
	fail "what ports cost is not in the time of a VM exit"

# --- the rules that refuse, all of them, the one that decides first (vmx_entry.c) ---
expect_status 1 "$LOCKSTEP" run --cpu intel,+vmx --payload "$1/vmx_entry.elf" \
	--trace "$WORK/refused:entry_check,vm_exit"
cp "$WORK/err" "$WORK/log"
trace show "$WORK/refused"
expect 'entry_check  vendor=VMX  verdict=fail  field=0x400a  value=0x5  rule=cr3_target_count' "CR3-target count of 5"
grep -A 1 'field=0x4000  value=0x0  rule=pin_reserved' "$WORK/out" | grep -q 'field=0x6820  value=0x0  rule=guest_rflags' ||
	fail "controls do not come before guest state, or one of two rules is missing"
expect 'vm_exit .*reason=INVALID_STATE\|0x80000000' "exit 33"

# The log says the same, with the section, the value, what was wanted and the other rules, a few times for each rule.
log='VMfailValid\(7\) \(pin_reserved\): SDM 3C:27\.2\.1\.1: .*= 0x0; wanted: .*; so fail guest_rflags_reserved$'
grep -Eq "vCPU 0: VM entry: $log" "$WORK/log" || fail "the log does not name both rules: $(head -n 5 "$WORK/log")"
grep -q '(entry_msr_load): SDM 3C:27.4: .* entry [0-9]*: MSR 0x' "$WORK/log" || fail "the log does not name the MSR"
[ "$(grep -c '(resume_launched)' "$WORK/log")" -eq 3 ] || fail "more than 3 lines for a rule"

# --- SVM: exit codes (APM 2 appendix C), the ASID, VMEXIT_INVALID ---
build_payload svm
expect_status 41 "$LOCKSTEP" run --cpu amd,+svm --payload "$WORK/svm" --trace "$WORK/svm.trace"
expect_levels "$WORK/svm" "$WORK/svm.trace" guest host_run
trace show --events vm_entry,vm_exit,entry_check --symbols "$WORK/svm" "$WORK/svm.trace"
expect_count 2 'vm_entry  vendor=SVM  level=2 .*caller=0x[0-9a-f]+ <host_run.*tag=7'
expect 'vm_exit  vendor=SVM .*reason=cpuid .*next_rip=0x[0-9a-f]+ <guest\+0x3>' "exit by CPUID"
expect 'vm_exit .*reason=hypercall .*<guest_end>' "exit by VMMCALL"
expect 'entry_check  vendor=SVM  verdict=fail  field=0x58  value=0x0  rule=asid-not-zero' "rule on the ASID"
expect 'entry_check .*field=0x558 .*rule=cr0-cache' "rule on CR0"
expect 'vm_exit .*reason=invalid_guest_state' "VMEXIT_INVALID"
trace show --json --level 2 --events instruction "$WORK/svm.trace"
jq -es 'all(.level == 2)' "$WORK/out" >/dev/null || fail "level is not 2 in JSON"

# --- other programs' files ---
trace export --format chrome "$WORK/vmx" "$WORK/chrome"
jq -e --argjson exits "$exits" '[.traceEvents[] | select(.name == "level 2" and .ph == "X")] | length == $exits' \
	"$WORK/chrome" >/dev/null || fail "Chrome's file has not one span for each of $exits guest runs"
if command -v trace-cmd >/dev/null; then
	trace export --format trace.dat "$WORK/vmx" "$WORK/trace.dat"
	trace-cmd report "$WORK/trace.dat" >"$WORK/report" 2>"$WORK/err" || fail "trace-cmd: $(cat "$WORK/err")"
	[ "$(grep -c kvm_nested_vmexit: "$WORK/report")" -eq "$exits" ] || fail "trace-cmd reports other than $exits exits"
	grep -q 'kvm_nested_vmexit: .*reason 18 ' "$WORK/report" || fail "trace-cmd reports no exit 18"
	grep -Eq 'kvm_nested_vmenter: .*vmcs: 0x[0-9a-f]+ .*event_inj: 0x80000b0d' "$WORK/report" ||
		fail "trace-cmd reports no injected #GP"
	trace import "$WORK/trace.dat" "$WORK/imported"
	trace stat --json "$WORK/imported"
	jq -e '[.exits[] | select(.level == 2 and .reason == "CPUID") | .samples] == [1]' "$WORK/out" >/dev/null ||
		fail "imported: $(cat "$WORK/out")"
else
	echo "SKIP: there is no trace-cmd to read trace.dat back"
fi
finish
