#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_breakpoint.sh CPU PAYLOAD-FOLDER: KVM's breakpoints stop a guest at --at address:, where it goes on on sim, and
# the stub for gdb passes its test on KVM: breakpoints, watchpoints, steps. No MSR tells of the engine. The KVM is that of our own processor: QEMU's TCG does not arm the breakpoints of the DR7 that VMRUN loads.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need busybox busybox-static
guest_images >/dev/null || exit 77
need gcc gcc
build_payload checksum
cp "$2/msrs.elf" "$WORK"
stub=$(realpath "$2/../unit/unit_tools_gdb")
cd "$WORK" || die "no work folder"
guest=(--memory 64M --payload checksum)
expect_status 1 "$LOCKSTEP" run --cpu "$1" "${guest[@]}"
mv out wanted
fold=$(nm checksum | sed -n 's/^0*\([0-9a-f]*\) t fold$/\1/p')
cat >script <<-'EOF2'
	LOCKSTEP_ENGINE=kvm "$1" >stub.log 2>&1
	lockstep run --engine sim --fit kvm --cpu "$2" --memory 64M --payload msrs.elf >msrs.sim
	lockstep run --engine kvm --cpu "$2" --memory 64M --payload msrs.elf >msrs.kvm
	lockstep run --cpu "$2,-vmx,-svm" --engine kvm --switch-to sim --at "address:0x$3" --memory 64M --payload checksum
EOF2
busybox=$(command -v busybox)
cunit=$(ldd "$stub" | awk '/libcunit/ { print $3 }')
expect_status 1 "$LOCKSTEP" lab --host sim --cpu "$1" --with "$busybox" --with "$cunit" --with checksum --with msrs.elf -- \
	"$busybox" ash script "$stub" "$1" "$fold"
cmp out wanted || fail "the move was noticed: $(cat out)"
grep "switches between" err && fail "there was no move"
grep -q '^PASSED' msrs.sim || fail "no MSRs: $(head -3 msrs.sim)"
cmp msrs.sim msrs.kvm || fail "MSRs tell where the guest runs: $(diff msrs.sim msrs.kvm | head -5)"
grep -q '^ *asserts *[0-9]* *[0-9]* *[0-9]* *0 ' stub.log || fail "the stub for gdb on KVM: $(cat stub.log)"
finish
