#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nested_twice.sh CPU: a Linux in a Linux in a Linux. The sim engine's guest runs KVM with nested=1; the
# lab in it, on --engine kvm, is a Linux that runs KVM, too; and in that one a third kernel boots to
# user space and powers off.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

images=$(guest_images) || exit 77
case $1 in
intel*) module=kvm_intel ;;
*) module=kvm_amd ;;
esac
cd "$WORK" || die "no work folder"
# What the lab loads, for the lab in the lab.
mkdir modules
for name in virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_console irqbypass kvm \
	kvm-intel kvm-amd ccp; do
	find "$images/modules" -name "$name.ko" -exec cp {} modules \;
done
LIMIT=1200 expect_status 0 "$LOCKSTEP" lab --host sim --cpu "$1" --memory 2G --append "$module.nested=1" \
	--with "$images/vmlinuz" --with "$images/test.initrd" --with modules -- \
	lab --host kvm --memory 1G --kernel "$images/vmlinuz" --modules "$WORK/modules" -- \
	run --engine kvm --memory 128M --kernel "$images/vmlinuz" --initrd "$images/test.initrd" \
	--append "console=ttyS0 quiet TEST=boot"
expect_result boot
finish
