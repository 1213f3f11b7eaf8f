#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same in the lab, on KVM: a disk whose doorbells are the engine's, and a CPU model by name.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_images
IN=lab exec "$(dirname "$0")/virtio_blk.sh" amd --engine kvm
