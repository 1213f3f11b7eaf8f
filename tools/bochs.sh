# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How Bochs is configured for a guest without a screen. Source it after lib.sh.

# ls_bochs_file BOCHS NAME...: the first of Bochs' own files of these names, beside the binary or
# where packages put them.
ls_bochs_file() {
	local bochs=$1 folder name

	shift
	for name in "$@"; do
		for folder in "${BXSHARE:-/usr/share/bochs}" "$(dirname "$bochs")/bios" \
			"$(dirname "$bochs")/../share/bochs" /usr/share/bochs /usr/share/vgabios; do
			[ ! -f "$folder/$name" ] || {
				echo "$folder/$name"
				return
			}
		done
	done
	ls_die "there is no $1 near $bochs; name its folder with BXSHARE=..."
}

# ls_bochs_display BOCHS: Debian's has none but those that show something, of which "term" is content
# with a file as its terminal. The option behind it ends the run.
ls_bochs_display() {
	local said

	said=$("$1" -q -n 'display_library: nogui' 'end: here' </dev/null 2>&1)
	case $said in
	*"display library 'nogui' not available"*) echo term ;;
	*) echo nogui ;;
	esac
}

# ls_bochs_config BOCHS MODEL MEGABYTES DISK SERIAL LOG: prints a configuration that boots DISK of
# tools/boot_disk.sh and writes COM1 to the file SERIAL.
#
# At ips=100M Bochs' clocks go about as fast as the host's; a boot of Linux takes the same time
# from 50 to 200 million, and longer with more (the kernel's timed waits grow).
ls_bochs_config() {
	local bochs=$1 bios vga

	bios=$(ls_bochs_file "$bochs" BIOS-bochs-latest) || exit 1
	vga=$(ls_bochs_file "$bochs" VGABIOS-lgpl/VGABIOS-lgpl-latest.bin VGABIOS-lgpl-latest.bin \
		VGABIOS-lgpl-latest) || exit 1
	cat <<-EOF_RC
		megs: $3
		cpu: model=$2, count=1, ips=100000000, reset_on_triple_fault=0
		romimage: file="$bios"
		vgaromimage: file="$vga"
		ata0-master: type=disk, path="$4", mode=flat, cylinders=$(($(stat -c %s "$4") / 516096)), heads=16, spt=63
		boot: disk
		clock: sync=none, time0=1767225600
		com1: enabled=1, mode=file, dev=$5
		display_library: $(ls_bochs_display "$bochs")
		config_interface: textconfig
		log: $6
		panic: action=fatal
		error: action=report
		info: action=ignore
	EOF_RC
}

# ls_bochs_version BOCHS: as in "Bochs x86 Emulator 2.7".
ls_bochs_version() {
	"$1" --help 2>&1 | sed -n 's/^ *\(Bochs x86 Emulator .*\)/\1/p' | head -n 1
}
