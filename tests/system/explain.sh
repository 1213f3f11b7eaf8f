#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep explain: a dump with a broken rule names it, and what is no dump is an error of one line.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

cat >"$WORK/dmesg" <<'DUMP'
[    1.000000] unrelated
[    2.000000] *** Guest State ***
[    2.000000] RFLAGS=0x00000000         DR7 = 0x0000000000000400
[    2.000000] *** Control State ***
[    2.000000]         reason=80000021 qualification=0000000000000000
DUMP
expect_status 0 "$LOCKSTEP" explain "$WORK/dmesg"
grep -q '^guest_rflags_reserved: SDM 3C:27.3.1.4, exit 33' "$WORK/out" ||
	fail "RFLAGS without bit 1 is not named"
grep -q '^VM entry: exit 33, qualification 0, by guest_rflags_reserved' "$WORK/out" ||
	fail "no verdict"
grep -q '^unknown: .*Guest CR0' "$WORK/out" || fail "missing fields are not named"

cat >"$WORK/amd" <<'DUMP'
[    2.000000] SVM: VMCB Control Area:
[    2.000000] SVM: asid:               0
[    2.000000] SVM: VMCB State Save Area:
DUMP
expect_status 0 "$LOCKSTEP" explain "$WORK/amd"
grep -q '^VM entry: VMEXIT_INVALID, by asid-not-zero' "$WORK/out" || fail "ASID 0 is not named"
expect_status 0 "$LOCKSTEP" explain --cpu amd,+svm "$WORK/amd"
expect_status 1 "$LOCKSTEP" explain --cpu intel,+vmx "$WORK/amd"
expect_status 1 "$LOCKSTEP" explain --cpu amd,-svm "$WORK/amd"
grep -q 'neither VMX nor SVM' "$WORK/err" || fail "the error does not say: neither VMX nor SVM"
printf '\0%.0s' {1..4096} >"$WORK/vmcb"
expect_status 0 "$LOCKSTEP" explain "$WORK/vmcb"
grep -q '^VM entry: VMEXIT_INVALID, by vmrun-intercepted' "$WORK/out" ||
	fail "a VMCB of zeros is not told to lack the VMRUN intercept"

# --- lockstep trace import keeps a log's dumps, and the same is said of them ---
# Two of Xen's in one log (xl dmesg), the first without bit 1 of RFLAGS, the second with TR unusable.
cat >"$WORK/xen" <<'DUMP'
(XEN) *** Guest State ***
(XEN) CR0: actual=0x0000000080050033, shadow=0x0000000080050033, gh_mask=ffffffffffffffff
(XEN) RSP = 0x0000000000000000 (0x0000000000000000)  RIP = 0x0000000000000000 (0x0000000000000000)
(XEN) RFLAGS=0x00000000 (0x00000000)  DR7 = 0x0000000000000400
(XEN)        sel  attr  limit   base
(XEN)   CS: 0010 0a09b ffffffff 0000000000000000
(XEN)   TR: 0040 0008b 00000067 0000000000000000
(XEN) *** Control State ***
(XEN) PinBased=0000003f CPUBased=b6a065fa SecondaryExec=000014eb
(XEN) *** Guest State ***
(XEN) RFLAGS=0x00000002 (0x00000002)  DR7 = 0x0000000000000400
(XEN)   TR: 0040 10000 00000067 0000000000000000
(XEN) *** Control State ***
DUMP
printf '681e GUEST_RIP: 1000\n6820 GUEST_RFLAGS: 0\n' >"$WORK/haxm"
for dump in dmesg xen haxm amd vmcb; do
	expect_status 0 "$LOCKSTEP" trace import "$WORK/$dump" "$WORK/$dump.trace"
	expect_status 0 "$LOCKSTEP" explain "$WORK/$dump"
	cp "$WORK/out" "$WORK/said"
	expect_status 0 "$LOCKSTEP" explain "$WORK/$dump.trace"
	cmp "$WORK/said" "$WORK/out" || fail "of $dump something else is said once it is imported"
done
expect_status 0 "$LOCKSTEP" explain "$WORK/xen.trace"
[ "$(grep -c '^# a dump of kvm_intel or Xen, number ' "$WORK/out")" -eq 2 ] || fail "not both of Xen's dumps"
[ "$(grep -c '^guest_rflags_reserved: ' "$WORK/out")" -eq 1 ] || fail "RFLAGS is wrong in one of the two"
expect_status 1 "$LOCKSTEP" explain --cpu amd,+svm "$WORK/xen.trace"
# Each field by the manual's name (SDM 3D:B), with what the log had.
expect_status 0 "$LOCKSTEP" trace show "$WORK/xen.trace"
grep -qE '^0 +1 dump_field  vendor=VMX  field=Guest TR access rights  value=0x8b$' "$WORK/out" ||
	fail "the first dump's TR is not shown: $(cat "$WORK/out")"
grep -qE '^0 +2 dump_field  vendor=VMX  field=Guest TR access rights  value=0x10000$' "$WORK/out" ||
	fail "the second dump's TR is not shown"
expect_status 0 "$LOCKSTEP" trace export --format jsonl "$WORK/xen.trace" "$WORK/jsonl"
grep -q '"event": "dump_field", "vendor": "VMX", "field": "Guest DR7", "value": "0x400"' "$WORK/jsonl" ||
	fail "JSON lines do not name the field"
expect_status 0 "$LOCKSTEP" trace show "$WORK/amd.trace"
grep -q 'vendor=SVM  field=guest ASID  value=0x0$' "$WORK/out" || fail "the ASID is not shown"
# A part of a dump, and a trace of something else, are refused in a line.
expect_status 0 "$LOCKSTEP" trace cut --limit 3 "$WORK/xen.trace" "$WORK/part"
expect_status 1 "$LOCKSTEP" explain "$WORK/part"
grep -q 'not all there' "$WORK/err" || fail "a part of a dump is explained: $(cat "$WORK/err")"
head -c 900 "$WORK/xen.trace" >"$WORK/short"
expect_status 1 "$LOCKSTEP" explain "$WORK/short"
[ "$(wc -l <"$WORK/err")" -eq 1 ] || fail "not one line of a short trace: $(cat "$WORK/err")"
expect_status 1 "$LOCKSTEP" trace import "$WORK/xen" /nowhere/x

echo "no dump" >"$WORK/text"
expect_status 1 "$LOCKSTEP" trace import "$WORK/text" "$WORK/x"
grep -q 'no trace.dat' "$WORK/err" || fail "the error does not say what can be imported"
[ ! -e "$WORK/x" ] || fail "a refused import leaves a file"
expect_status 1 "$LOCKSTEP" explain "$WORK/text"
grep -q 'no dump in it' "$WORK/err" || fail "the error does not say: no dump in it"
expect_status 1 "$LOCKSTEP" explain "$WORK/missing"
expect_status 1 "$LOCKSTEP" explain --cpu nonesuch "$WORK/dmesg"
grep -q 'unknown CPU model' "$WORK/err" || fail "the error does not say: unknown CPU model"
expect_status 2 "$LOCKSTEP" explain
finish
