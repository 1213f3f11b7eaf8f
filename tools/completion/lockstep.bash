# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of `lockstep` for bash.

# Names of one of the command's own tables.
_lockstep_names() {
	"${COMP_WORDS[0]}" list "$1" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# _lockstep_words WORDS: completes from these.
_lockstep_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# After the last comma: +feature or -feature of a CPU model.
_lockstep_cpu() {
	local done='' sign feature words=''

	case $cur in
	*,*)
		done=${cur%,*},
		for feature in $(_lockstep_names features); do
			for sign in + -; do
				words+="$done$sign$feature "
			done
		done
		_lockstep_words "$words"
		;;
	*) _lockstep_words "$(_lockstep_names cpus)" ;;
	esac
	compopt -o nospace
}

_lockstep_value() {
	case $1 in
	--kernel | --initrd | --payload | --firmware | --disk | --load | --stats-file | --trace | --record | --symbols)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	--switch-to | --fit) _lockstep_words "$(_lockstep_names engines)" ;;
	--at) _lockstep_words "time: instructions: accesses: address: physical: port: signal" ;;
	--engine) _lockstep_words "auto $(_lockstep_names engines)" ;;
	--cpu) _lockstep_cpu ;;
	--serial) _lockstep_words "stdio file: none" ;;
	--net) _lockstep_words "none user tap:" ;;
	--key) _lockstep_words "sample time" ;;
	--format) _lockstep_words "trace.dat jsonl chrome" ;;
	--schedule) _lockstep_words "round-robin parallel" ;;
	--irqchip) _lockstep_words "engine split" ;;
	--clock) _lockstep_words "virtual host" ;;
	--param)
		_lockstep_words "$(_lockstep_names params | sed 's/$/=/')"
		compopt -o nospace
		;;
	--exit-port) _lockstep_words "0xf4 none" ;;
	--append | --smp | --memory | --max-instructions | --state-hash | --rng) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

# A command of `lockstep trace`, then files and options.
_lockstep_trace() {
	local part="--from --to --events --vcpu --limit --level --symbols"

	if [ "$COMP_CWORD" -eq 2 ]; then
		_lockstep_words "show grep stat diff export import cut replay --help"
		return
	fi
	case $cur in
	-*)
		case ${COMP_WORDS[2]} in
		show | grep) _lockstep_words "$part --json --help" ;;
		stat) _lockstep_words "$part --key --json --help" ;;
		diff | cut) _lockstep_words "$part --help" ;;
		export) _lockstep_words "$part --format --help" ;;
		replay) _lockstep_words "--from --to --help" ;;
		import) _lockstep_words "--help" ;;
		esac
		;;
	*) _lockstep_value "$1" || _lockstep_value --trace ;;
	esac
}

# A command of `lockstep snapshot`, its file, then options.
_lockstep_snapshot() {
	case $COMP_CWORD in
	2) _lockstep_words "save load info --help" ;;
	3)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		;;
	*)
		_lockstep_value "$1" || case ${COMP_WORDS[2]} in
		save) _lockstep_words "--at --go-on --load --fit --kernel --initrd --append --payload
			--firmware --disk --net --engine --cpu --smp --memory --console --rng" ;;
		load) _lockstep_words "--engine --verify --at --switch-to --switches --schedule --clock
			--serial --max-instructions --state-hash --trace --stats --stats-file" ;;
		info) _lockstep_words "--json --verify" ;;
		esac
		;;
	esac
}

_lockstep() {
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

	# "--cpu=amd" is three words to bash.
	if [ "$cur" = = ]; then
		cur=''
	elif [ "$previous" = = ]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		_lockstep_words "run snapshot trace diff lab explain list help --help --version"
		return
	fi
	case ${COMP_WORDS[1]} in
	run)
		_lockstep_value "$previous" ||
			_lockstep_words "--kernel --initrd --append --payload --firmware --disk
				--net --engine --cpu --smp --memory --serial --console --rng
				--exit-port --debug-port --no-reboot --schedule --clock
				--irqchip --max-instructions --state-hash --param --trace --record --record-every --gdb --gdb-wait
				--stats --stats-file
				--at --switch-to --switches --fit --help"
		;;
	diff)
		case $previous in
		--ref) _lockstep_words "$(_lockstep_names engines)" ;;
		--dut) _lockstep_words "auto lab trace: $(_lockstep_names engines)" ;;
		--granularity) _lockstep_words "exit step" ;;
		--dirty) _lockstep_words "auto log ring" ;;
		--cpu) _lockstep_cpu ;;
		--case) _lockstep_words "$("${COMP_WORDS[0]}" diff --list 2>/dev/null |
			awk '{ print $1; print $2 }' | sort -u)" ;;
		--smp | --memory | --append | --dut-param | --timeout) ;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			[ "${cur#-}" = "$cur" ] ||
				_lockstep_words "--ref --dut --granularity --dirty --suite --case --list --cpu
					--smp --memory --append --dut-param --timeout --json
					--save-trace --junit --html --help"
			;;
		esac
		;;
	lab)
		case $previous in
		--host) _lockstep_words "qemu sim kvm" ;;
		--cpu | --smp | --memory | --append) ;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			[ "${cur#-}" = "$cur" ] ||
				_lockstep_words "--host --kernel --modules --cpu --smp --memory --append
					--with --verbose --help --"
			;;
		esac
		;;
	snapshot) _lockstep_snapshot "$previous" ;;
	trace) _lockstep_trace "$previous" ;;
	explain)
		if [ "$previous" = --cpu ]; then
			_lockstep_value --cpu
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			[ "${cur#-}" = "$cur" ] || _lockstep_words "--cpu --help"
		fi
		;;
	list)
		if [ "$previous" = --engine ]; then
			_lockstep_value --engine
		else
			_lockstep_words "checks cpuid cpus exits features msrs not-offered opcodes params state
				vmcb-fields vmcs-fields engines events --json --engine --help"
		fi
		;;
	help) _lockstep_words "run snapshot trace diff lab explain list" ;;
	esac
}

complete -F _lockstep lockstep
