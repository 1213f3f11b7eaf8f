# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Runs in the guest, as the start of every init: the file systems and the commands.

/bin/busybox mkdir -p /proc /sys /dev /tmp /usr/bin /usr/sbin /sbin
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s
export PATH=/usr/bin:/usr/sbin:/bin:/sbin
