#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nested.sh CPU VCPUS INNER-VCPUS [NAME=VALUE[?]]...: on the sim engine's processor Debian's kernel loads
# kvm-intel or kvm-amd with these parameters, and a second kernel boots through that KVM to user
# space and powers off. A parameter with a question mark holds only where the processor has what it
# is for; the others must be as they were given.
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
cat >script <<-EOF2
	for file in /sys/module/$module/parameters/*; do
		echo "parameter \${file##*/}=\$(cat \$file)"
	done
	exec lockstep run --engine kvm --memory 256M --smp $inner --kernel $images/vmlinuz \
		--initrd $images/test.initrd --append 'console=ttyS0 quiet TEST=boot'
EOF2
append='' wanted=()
for parameter in "$@"; do
	append="$append $module.${parameter%\?}"
	[[ $parameter == *\? ]] || wanted+=("$parameter")
done
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
	fail "the inner kernel complained: $(grep -aE -A5 'BUG:|Oops|WARNING: CPU|lockup' console | head -20)"
finish
