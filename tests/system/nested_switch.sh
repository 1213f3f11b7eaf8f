#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nested_switch.sh CPU HOST FOLDER: a hypervisor and its guest, which compute together, do not notice that
# they are saved and loaded, nor ten moves between sim and the KVM of a lab on HOST, begun on either.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
cp "$3/nested_sum.elf" "$WORK/sum"
cd "$WORK" || die "no work folder"
guest="--memory 64M --payload sum"
# shellcheck disable=SC2086 # several words
expect_status 1 "$LOCKSTEP" run --cpu "$1" $guest
mv out wanted
grep -q ^PASSED wanted || fail "the payload alone: $(cat wanted)"
for at in accesses:300 accesses:301 instructions:700000 instructions:700001; do
	# shellcheck disable=SC2086
	expect_status 0 "$LOCKSTEP" snapshot save guest.snap --at "$at" --cpu "$1" $guest
	expect_status 1 "$LOCKSTEP" snapshot load guest.snap
	cmp out wanted || fail "loaded at $at: $(cat out err)"
done
cat >script <<-EOF2
	lockstep run --engine kvm --switch-to sim --at accesses:100 --switches 10 $guest || echo "status \$?"
	lockstep run --engine sim --switch-to kvm --at accesses:101 --switches 10 $guest || echo "status \$?"
	for way in kvm:sim sim:kvm; do
		lockstep snapshot save guest.snap --engine "\${way%:*}" --fit "\${way#*:}" --at accesses:1000 $guest ||
			echo "save: status \$?"
		lockstep snapshot load guest.snap --engine "\${way#*:}" || echo "status \$?"
	done
	exit 0
EOF2
busybox=$(command -v busybox)
model=()
[ "$2" = qemu ] || model=(--cpu "$1")
expect_status 0 "$LOCKSTEP" lab --host "$2" "${model[@]}" --with "$busybox" --with sum -- "$busybox" ash script
for _ in 1 2 3 4; do
	cat wanted
	echo "status 1"
done >all
diff all out >difference || fail "a move was noticed: $(cat difference err)"
finish
