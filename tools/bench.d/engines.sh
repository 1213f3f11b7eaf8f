# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How tools/bench starts its engines. Source it. ENGINE_command KIND VCPUS APPEND leaves in the
# array `command` what runs a guest with its console on standard output. KIND is linux (the
# kernel with bench.initrd) or payload.
# shellcheck disable=SC2154 # its user has $lockstep, $baseline, $bochs, $build, $factor, $images, $payload, $work

memory=512 # MiB
append_linux='console=ttyS0,115200 loglevel=6 printk.devkmsg=on'

# $1's command line for a guest of kind $2.
engine_append() {
	case $1 in
	linux) echo "$append_linux $2" ;;
	payload) echo "$2" ;;
	esac
}

lockstep_command() {
	command=("$1" run --memory "${memory}M" --stats-file "$work/stats" --append
		"$(engine_append "$2" "$4")")
	[ "$3" -eq 1 ] || command+=(--smp "$3" --schedule parallel)
	case $2 in
	linux) command+=(--kernel "$images/vmlinuz" --initrd "$images/bench.initrd") ;;
	payload) command+=(--payload "$payload") ;;
	esac
}

sim_command() {
	lockstep_command "$lockstep" "$@"
}

baseline_command() {
	lockstep_command "$baseline" "$@"
}

kvm_command() {
	command=("$lockstep" run --engine kvm --memory "${memory}M" --append "$3" --payload "$payload")
}

host_command() {
	command=("$build/bench-host-loop" "$factor")
}

# Four levels of page tables: five make QEMU slower, and Bochs' model has four, too.
qemu_command() {
	command=(qemu-system-x86_64 -accel "tcg,thread=multi" -cpu 'max,-la57' -m "$memory" -smp "$2"
		-nodefaults -display none -serial stdio -no-reboot
		-device "isa-debug-exit,iobase=0xf4,iosize=1" -append "$(engine_append "$1" "$3")")
	case $1 in
	linux) command+=(-kernel "$images/vmlinuz" -initrd "$images/bench.initrd") ;;
	payload) command+=(-kernel "$payload") ;;
	esac
}

# nested_command ENGINE CPU: the kernel of a Linux guest within a guest of CPU's maker.
nested_command() {
	local binary=$lockstep host=(--host sim --cpu "$2")

	case $1 in
	baseline) binary=$baseline ;;
	qemu) host=(--host qemu) ;;
	esac
	command=("$binary" lab "${host[@]}" -- run --engine kvm --memory "${memory}M"
		--kernel "$images/vmlinuz" --initrd "$images/bench.initrd"
		--append "$(engine_append linux BENCH=boot)")
}

# The disk with GRUB and the guest, made once for each command line.
bochs_disk() {
	local disk=$1 folder=$1.files

	mkdir -p "$folder"
	case $2 in
	linux)
		cp "$images/vmlinuz" "$images/bench.initrd" "$folder"
		printf 'linux (hd0,msdos1)/vmlinuz %s\ninitrd (hd0,msdos1)/bench.initrd\nboot\n' \
			"$(engine_append "$2" "$3")"
		;;
	payload)
		cp "$payload" "$folder/payload"
		printf 'multiboot (hd0,msdos1)/payload %s\nboot\n' "$3"
		;;
	esac >"$disk.cfg"
	ls_boot_disk "$disk" "$disk.cfg" "$folder" || ls_die "the disk for Bochs could not be made"
	rm -r "$folder"
}

bochs_command() {
	local disk

	disk=$work/bochs-$1-$(printf '%s' "$3" | tr -c 'A-Za-z0-9\n' '-')
	[ -f "$disk" ] || bochs_disk "$disk" "$1" "$3"
	ls_bochs_config "$bochs" corei7_skylake_x $memory "$disk" /dev/stdout "$work/bochs.log" \
		>"$disk.rc" || exit 1
	command=("$bochs" -q -f "$disk.rc")
}

engine_version() {
	case $1 in
	sim) "$lockstep" --version ;;
	baseline) "$baseline" --version ;;
	qemu) qemu-system-x86_64 --version ;;
	bochs) ls_bochs_version "$bochs" ;;
	esac | head -n 1
}
