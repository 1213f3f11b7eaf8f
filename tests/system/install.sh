#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD_DIR: what `cmake --install` puts into place works from there: the commands, and
# the library for a program that finds it through pkg-config.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need pkg-config pkg-config
DESTDIR='' cmake --install "$1" --prefix "$WORK/prefix" >"$WORK/log" 2>&1 ||
	die "cmake --install failed: $(tail -n 5 "$WORK/log")"
expect_status 0 "$WORK/prefix/bin/lockstep" --version
expect_status 0 "$WORK/prefix/bin/lockstep-qemu" --version
for file in share/man/man1/lockstep.1 share/man/man1/lockstep-qemu.1 \
	share/bash-completion/completions/lockstep include/lockstep/engine.h; do
	[ -s "$WORK/prefix/$file" ] || fail "$file was not installed"
done

pc=$(dirname "$(find "$WORK/prefix" -name lockstep.pc)")
# api.rst, KVM_GET_API_VERSION: "applications should refuse to run if it is not 12".
cat >"$WORK/program.c" <<-'EOF'
	#include <lockstep/engine.h>

	int main(void)
	{
		struct ls_error err = {0};
		struct ls_engine *engine = ls_engine_sim.open(&err);
		int version = engine ? ls_ioctl(engine, LS_SYSTEM, KVM_GET_API_VERSION, 0) : -1;

		if (engine)
			engine->ops->close(engine, LS_SYSTEM);
		return version == 12 ? 0 : 1;
	}
EOF
read -ra flags < <(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs lockstep)
gcc ${SANITIZE:+-fsanitize=address,undefined} -o "$WORK/program" "$WORK/program.c" "${flags[@]}" ||
	die "a program doesn't build against the installed library"
expect_status 0 "$WORK/program"
finish
