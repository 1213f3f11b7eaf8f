# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shell functions that the scripts in tools/ and tests/system/ share. Source it.

LS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034 # for those who source this
LS_CACHE=${LOCKSTEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lockstep}

# Progress goes to stderr, so that stdout stays what a script is asked for.
ls_say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

ls_die() {
	ls_say "$*"
	exit 1
}

ls_as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		ls_die "this needs root and there is no sudo; run as root: $*"
	fi
}

# ls_packages_of GROUP...: the packages of these groups in tools/packages.list.
ls_packages_of() {
	local group

	for group in "$@"; do
		awk -v group="$group" '$1 !~ /^#/ && $2 == group { print $1 }' \
			"$LS_ROOT/tools/packages.list"
	done
}

ls_package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# ls_packages_missing GROUP...: those that are not installed.
ls_packages_missing() {
	local package

	for package in $(ls_packages_of "$@"); do
		ls_package_installed "$package" || printf '%s\n' "$package"
	done
}

# True if apt knows a version of every package named.
ls_apt_knows() {
	local package

	for package in "$@"; do
		apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
	done
}

ls_apt_update() {
	ls_say "refreshing the list of packages (apt-get update)"
	ls_as_root apt-get -q update >&2
}

# ls_build PRESET [TARGET...]: configures once, then builds.
ls_build() {
	local preset=$1 dir=$LS_ROOT/build/$1

	shift
	if [ ! -e "$dir/build.ninja" ]; then
		ls_say "configuring build/$preset"
		(cd "$LS_ROOT" && cmake --preset "$preset") >&2 || return 1
	fi
	ls_say "building build/$preset"
	cmake --build "$dir" ${1:+--target "$@"} >&2
}
