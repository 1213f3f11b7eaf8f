#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lockstep-qemu answers what kvm-unit-tests' scripts ask, and ends as QEMU does.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

for payload in exit kvm triple vendor; do
	build_payload $payload
done

# scripts/arch-run.bash and x86/run of kvm-unit-tests look for these.
"$LOCKSTEP_QEMU" --help | grep -q QEMU || fail "--help doesn't say QEMU"
"$LOCKSTEP_QEMU" -h | head -n 1 | grep -qE '^QEMU emulator version [0-9]+\.[0-9]+\.[0-9]+' ||
	fail "-h doesn't start with a version"
for device in pc-testdev pci-testdev isa-debug-exit; do
	"$LOCKSTEP_QEMU" -device '?' | grep -qF "\"$device\"" || fail "-device '?': no $device"
done
for query in -cpu -machine -accel; do
	expect_status 0 "$LOCKSTEP_QEMU" $query '?'
	[ -s "$WORK/out" ] || fail "$query '?' says nothing"
done

# The command line that x86/run puts together.
kut=("$LOCKSTEP_QEMU" --no-reboot -nodefaults -global kvm-pit.lost_tick_policy=discard
	-device pc-testdev -device "isa-debug-exit,iobase=0xf4,iosize=0x4" -display none
	-serial stdio -device pci-testdev -machine accel=tcg -kernel)
expect_status 1 "${kut[@]}" _NO_FILE_4Uhere_ -smp 1 -cpu max
grep -q 'could not open kernel' "$WORK/err" || fail "run_tests.sh would skip every test"

# The -cpu lines of x86/unittests.cfg.
for cpu in max host qemu64 qemu64,+x2apic,+tsc-deadline qemu64,-x2apic,+tsc-deadline \
	max,host-phys-bits qemu64,vendor=GenuineIntel max,vendor=GenuineIntel \
	IvyBridge,phys-bits=36,host-phys-bits=off qemu64,-pcid,+invpcid qemu64,+umip \
	Opteron_G1,vendor=AuthenticAMD Skylake-Server,host-phys-bits EPYC; do
	expect_status 43 "${kut[@]}" "$WORK/exit" -smp 1 -cpu $cpu
	[ ! -s "$WORK/err" ] || fail "-cpu $cpu: $(cat "$WORK/err")"
done
expect_status 43 "${kut[@]}" "$WORK/exit" -smp 2 -m 1g -machine pit=off -machine vmport=on \
	-overcommit cpu-pm=on -enable-kvm -append 'one two'
# A guest sees KVM, as under QEMU on KVM, unless told not to.
for cpu in qemu64 EPYC max,kvm=on IvyBridge,kvm-pv-ipi=on,kvm-steal-time=off; do
	expect_status 43 "${kut[@]}" "$WORK/kvm" -cpu $cpu
done
for cpu in qemu64,kvm=off max,-kvm-pv-ipi; do
	expect_status 41 "${kut[@]}" "$WORK/kvm" -cpu $cpu
done
# The default model has the vendor of max, others their own, all the one that is asked for.
expect_status 43 "${kut[@]}" "$WORK/vendor"
for cpu in EPYC qemu64,vendor=AuthenticAMD; do
	expect_status 41 "${kut[@]}" "$WORK/vendor" -cpu $cpu
done
# QEMU ends with 0 when the guest resets and --no-reboot is given.
expect_status 0 "${kut[@]}" "$WORK/triple"
# A device that is not there is an error, so that run_tests.sh skips its test.
expect_status 1 "${kut[@]}" "$WORK/exit" -device hyperv-testdev
finish
