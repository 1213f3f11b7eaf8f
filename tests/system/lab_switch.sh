#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_switch.sh PAYLOAD-FOLDER: a guest that computes a checksum of all that a processor holds does not notice ten
# moves between kvm_amd and sim, begun on either, nor being saved on one and loaded on the other. Nor does one that reads all MSRs, and writes
# some, tell the engines apart.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
need gcc gcc
build_payload checksum
cp "$1/msrs.elf" "$WORK"
cd "$WORK" || die "no work folder"
expect_status 1 "$LOCKSTEP" run --cpu amd --memory 64M --payload checksum
mv out wanted
grep -qx '[0-9a-f]\{8\}' wanted || fail "no checksum: $(cat wanted)"
cat >script <<-'EOF2'
	guest="--memory 64M --payload checksum"
	lockstep run --engine kvm --switch-to sim --at accesses:300 --switches 10 $guest || echo "status $?"
	lockstep run --engine sim --switch-to kvm --at accesses:300 --switches 10 $guest || echo "status $?"
	for way in kvm:sim sim:kvm; do
		lockstep snapshot save guest.snap --engine "${way%:*}" --fit "${way#*:}" --at accesses:1000 $guest ||
			echo "save: status $?"
		lockstep snapshot load guest.snap --engine "${way#*:}" || echo "status $?"
	done
	msrs="--cpu amd --memory 64M --payload msrs.elf"
	lockstep run --engine sim --fit kvm $msrs >msrs.sim
	lockstep run --engine kvm $msrs >msrs.kvm
	lockstep run --engine kvm --switch-to sim --at accesses:500 --switches 5 $msrs >msrs.moved
	exit 0
EOF2
busybox=$(command -v busybox)
expect_status 0 "$LOCKSTEP" lab --with "$busybox" --with checksum --with msrs.elf -- "$busybox" ash script
for _ in 1 2 3 4; do
	cat wanted
	echo "status 1"
done >all
grep "switches between" err && fail "a run ended before all its moves"
diff all out >difference || fail "a move was noticed: $(cat difference err)"
grep -q "^0xc0010015 0x1000000" msrs.sim || fail "no MSRs: $(head -3 msrs.sim)"
cmp msrs.sim msrs.kvm || fail "MSRs tell where the guest runs: $(diff msrs.sim msrs.kvm | head -5)"
cmp msrs.sim msrs.moved || fail "MSRs told of the move: $(diff msrs.sim msrs.moved | head -5)"
finish
