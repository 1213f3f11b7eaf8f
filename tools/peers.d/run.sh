# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How tools/peers runs payloads. Source it. Each function writes for each payload a file
# $work/PEER/PAYLOAD with what the payload printed and a last line "END how it ended".
# shellcheck disable=SC2154 # its user has $bochs, $lockstep, $payloads, $work, $limit

# The program of the moment, for the one who interrupts us.
child=''

# run_limited SECONDS COMMAND...: its status; 124 after the limit.
run_limited() {
	local status

	timeout -k 5 "$@" </dev/null &
	child=$!
	wait $child
	status=$?
	child=''
	return $status
}

# run_on_bochs FOLDER MODEL PAYLOAD...: each on a boot of its own.
run_on_bochs() {
	local folder=$1 model=$2 payload

	shift 2
	for payload in "$@"; do
		ls_say "$payload on Bochs, $model"
		bochs_boot "$work/boot" "$model" "$payload"
		{
			cat "$work/boot/serial" 2>/dev/null
			printf '\nEND %s\n' "$(bochs_end "$work/boot/log" "$work/boot/status")"
		} >"$folder/$payload"
		rm -r "$work/boot"
	done
}

# bochs_boot FOLDER MODEL PAYLOAD
bochs_boot() {
	local folder=$1 debugger=()

	mkdir -p "$folder/files"
	cp "$payloads/$3.elf" "$folder/files/payload"
	printf 'multiboot (hd0,msdos1)/payload SECTIONS=1\nboot\n' >"$folder/grub.cfg"
	ls_boot_disk "$folder/disk" "$folder/grub.cfg" "$folder/files" ||
		ls_die "the disk for Bochs could not be made"
	ls_bochs_config "$bochs" "$2" 64 "$folder/disk" "$folder/serial" "$folder/log" \
		>"$folder/rc" || exit 1
	if [[ $("$bochs" --help 2>&1) == *' -rc '* ]]; then # it waits on its debugger's prompt
		printf 'continue\nquit\n' >"$folder/debugger"
		debugger=(-rc "$folder/debugger")
	fi
	TERM=linux run_limited "$limit" "$bochs" -q -f "$folder/rc" "${debugger[@]}" >"$folder/out" 2>&1
	echo $? >"$folder/status"
	[ -f "$folder/log" ] || ls_die "Bochs does not start: $(grep -a '^\[' "$folder/out" | tail -n 1)"
}

# bochs_end LOG STATUS: how it ended, in words. A payload leaves by the shutdown port.
bochs_end() {
	local panic

	! grep -q ': 3rd (' "$1" || {
		echo 'triple fault'
		return
	}
	[ "$(cat "$2")" -lt 124 ] || {
		echo "no end in $limit s"
		return
	}
	panic=$(sed -n 's/.*>>PANIC<< //p' "$1" | tail -n 1)
	case $panic in
	'Shutdown port'*) echo done ;;
	*) echo "Bochs: $panic" ;;
	esac
}

# run_in_lab FOLDER SECONDS LAB-ARGUMENTS -- PAYLOAD...: in one boot of the lab, or more if a payload
# ends the lab itself; each for SECONDS of the lab's time at most.
run_in_lab() {
	local folder=$1 seconds=$2 arguments=() payload left

	shift 2
	while [ "$1" != -- ]; do
		arguments+=("$1")
		shift
	done
	shift
	while [ $# -gt 0 ]; do
		ls_say "$# payloads in lockstep lab ${arguments[*]}"
		lab_boot "$seconds" "${arguments[@]}" -- "$@"
		awk -v folder="$folder" '$1 == "PAYLOAD" { file = folder "/" $2 }
			file && $1 != "PAYLOAD" { print > file }' "$work/lab/out"
		left=()
		for payload in "$@"; do
			[ ${#left[@]} -eq 0 ] && grep -qs '^END ' "$folder/$payload" || left+=("$payload")
		done
		rm -r "$work/lab.last" 2>/dev/null
		mv "$work/lab" "$work/lab.last"
		[ ${#left[@]} -gt 0 ] || return
		printf '\nEND the lab has ended: %s\n' "$(tail -n 1 "$work/lab.last/err")" \
			>>"$folder/${left[0]}"
		set -- "${left[@]:1}"
	done
}

# lab_boot SECONDS LAB-ARGUMENTS -- PAYLOAD...
lab_boot() {
	local seconds=$1 arguments=() payload

	shift
	while [ "$1" != -- ]; do
		arguments+=("$1")
		shift
	done
	shift
	mkdir "$work/lab"
	for payload in "$@"; do
		cp "$payloads/$payload.elf" "$work/lab"
		arguments+=(--with "$payload.elf")
	done
	cat >"$work/lab/script" <<-EOF_SCRIPT
		for payload; do
			echo "PAYLOAD \$payload"
			timeout $seconds lockstep run --engine kvm --memory 64M --append SECTIONS=1 \\
				--payload "\$payload.elf" 2>err
			status=\$?
			echo
			case \$status in
			1 | 3 | 5) echo "END done" ;;
			121) echo "END triple fault" ;;
			143) echo "END no end in $seconds s" ;;
			*) echo "END \$(tail -n 1 err)" ;;
			esac
		done
	EOF_SCRIPT
	(
		cd "$work/lab" || exit 1
		exec timeout -k 5 $((120 + $# * limit)) "$lockstep" lab "${arguments[@]}" \
			--with "$busybox" -- "$busybox" ash script "$@"
	) >"$work/lab/out" 2>"$work/lab/err" </dev/null &
	child=$!
	wait $child
	child=''
}
