#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nested.sh CPU VCPUS INNER-VCPUS [NAME=VALUE]... [inner.OPTION=VALUE]...: on the sim engine's processor Debian's
# kernel loads kvm-intel or kvm-amd with these parameters, which have to hold, and a second kernel boots through
# that KVM to user space and powers off. The inner run gets the options.
# With avic=1 KVM has to use AVIC, as its trace points tell, and with avic=0 not to.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need busybox busybox-static
images=$(guest_images) || exit 77
cpu=$1 vcpus=$2 inner=$3
shift 3
case $cpu in
intel*) module=kvm_intel ;;
*) module=kvm_amd ;;
esac
cd "$WORK" || die "no work folder"
append='' wanted=() options='' avic=''
for parameter in "$@"; do
	case $parameter in
	inner.*)
		option=${parameter#inner.}
		options="$options --${option%%=*} ${option#*=}"
		continue
		;;
	avic=*) avic=${parameter#*=} ;;
	esac
	append="$append $module.$parameter"
	wanted+=("$parameter")
done
cat >script <<-EOF2
	for file in /sys/module/$module/parameters/*; do
		echo "parameter \${file##*/}=\$(cat \$file)"
	done
	mount -t tracefs tracefs /sys/kernel/tracing
	for event in /sys/kernel/tracing/events/kvm/kvm_avic_*; do
		echo 1 >\$event/enable
	done
	lockstep run --engine kvm --memory 256M --smp $inner$options --kernel $images/vmlinuz \
		--initrd $images/test.initrd --append 'console=ttyS0 quiet TEST=boot'
	status=\$?
	for event in unaccelerated_access incomplete_ipi; do
		echo "seen \$event=\$(grep -c kvm_avic_\$event: /sys/kernel/tracing/trace)"
	done
	dmesg | grep -E 'BUG:|Oops|WARNING: CPU|Call Trace'
	exit \$status
EOF2
busybox=$(command -v busybox)
LIMIT=600 expect_status 0 "$LOCKSTEP" lab --host sim --cpu "$cpu" --smp "$vcpus" --append "$append" \
	--with "$busybox" --with "$images/vmlinuz" --with "$images/test.initrd" \
	-- "$busybox" ash script
tr -d '\r' <out >console
for parameter in "${wanted[@]}"; do
	value=$(sed -n "s/^parameter ${parameter%=*}=//p" console | tr NY 01)
	[ "$value" = "${parameter#*=}" ] || fail "$parameter, but it is '$value'"
done
expect_result boot
grep -aq "^cpus: $inner" console || fail "the inner guest doesn't see $inner CPUs"
grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace|soft lockup' console &&
	fail "a kernel complained: $(grep -aE -A5 'BUG:|Oops|WARNING: CPU|lockup' console | head -20)"
seen() {
	sed -n "s/^seen $1=//p" console
}
case $avic in
1)
	[ "$(seen unaccelerated_access)" -gt 0 ] || fail "no access of the guest's went through AVIC"
	[ "$inner" -eq 1 ] || [ "$(seen incomplete_ipi)" -gt 0 ] || fail "no IPI went through AVIC"
	;;
0) [ "$(seen unaccelerated_access)" -eq 0 ] || fail "AVIC was used" ;;
esac
finish
