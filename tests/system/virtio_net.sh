#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Over the user-mode network the guest pings the host side and fetches a file from the host.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need busybox busybox-static
mkdir "$WORK/www"
seq 100000 | head -c 200000 >"$WORK/www/data"
sum=$(sha256sum <"$WORK/www/data" | cut -d' ' -f1)

# The first free port of a few: another run may be going on.
for port in $(shuf -i 20000-60000 -n 20); do
	busybox httpd -f -p "127.0.0.1:$port" -h "$WORK/www" 2>/dev/null &
	server=$!
	sleep 0.2
	kill -0 $server 2>/dev/null && break
	server=''
done
[ -n "$server" ] || skip "no free port for a web server"
trap 'kill $server 2>/dev/null; rm -rf "$WORK"' EXIT

APPEND="TEST=net FETCH_PORT=$port FETCH_SUM=$sum" guest_boot --cpu "$1" --net user
expect_result net
grep -aq ' 0% packet loss' "$WORK/out" || fail "the ping lost packets"
grep -aq '^fetched 200000 bytes' "$WORK/out" || fail "the file was not fetched whole"
finish
