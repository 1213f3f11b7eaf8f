#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lab_payloads.sh FOLDER: on a real kvm_amd payloads print and end as they do on the sim engine.
# Those that QEMU's own processor model gets wrong (it runs them, under KVM) are not among them.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
need gcc gcc
for name in exit triple halt kvm; do
	build_payload $name
done
for name in branches triple_fault; do
	cp "$1/$name.elf" "$WORK/$name"
done
seam=$(realpath "$1/../unit/unit_accel_seam")
cd "$WORK" || die "no work folder"
cat >script <<-'EOF2'
	engine=$1
	for name in exit triple halt branches triple_fault; do
		lockstep run --engine "$engine" --memory 64M --payload "$name"
		echo "$name: status $?"
	done 2>&1
EOF2
busybox=$(command -v busybox)
PATH=$(dirname "$LOCKSTEP"):$PATH expect_status 0 "$busybox" ash script sim
mv out wanted
expect_status 0 "$LOCKSTEP" lab --with "$busybox" --with exit --with triple --with halt \
	--with branches --with triple_fault -- "$busybox" ash script kvm
# After a shutdown the state is undefined (APM 2:15.14.3), and KVM resets such a vCPU.
sed -i 's/ at 0x[^:]*: triple fault/: triple fault/' wanted out
diff wanted out >difference || fail "kvm in the lab differs from sim: $(cat difference)"
# The strongest engine is taken where it works; a guest of KVM sees KVM.
expect_status 43 "$LOCKSTEP" lab -- run --engine auto --memory 64M --payload kvm
grep -q '^lockstep: engine kvm: ' err || fail "auto did not take kvm: $(cat err)"
# What the machine builds on: the unit test of the seam, with this KVM under it.
cunit=$(ldd "$seam" | awk '/libcunit/ { print $3 }')
cat >seam-script <<-'EOF2'
	LOCKSTEP_ENGINE=kvm "$1"
EOF2
expect_status 0 "$LOCKSTEP" lab --with "$busybox" --with "$cunit" -- "$busybox" ash seam-script "$seam"
grep -q FAILED out && fail "the seam on KVM: $(cat out err)"
finish
