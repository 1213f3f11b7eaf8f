#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input: one clear line on stderr that names the thing, nothing on stdout, a status that is
# neither 0 nor a signal's, no core file, and the files as they were.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

need gcc gcc
build_payload exit
build_payload spin
build_payload spin
cd "$WORK" || die "no work folder"

# expect_refusal STATUS WORD COMMAND...: the line has to name WORD.
expect_refusal() {
	local wanted=$1 word=$2 before after

	shift 2
	before=$(sha256sum -- *.in 2>/dev/null)
	expect_status "$wanted" "$@"
	after=$(sha256sum -- *.in 2>/dev/null)
	[ "$before" = "$after" ] || fail "a file was changed by: $*"
	[ "$(wc -l <err)" -eq 1 ] || fail "not one line but $(wc -l <err): $* ($(cat err))"
	grep -qiF -- "$word" err || fail "the line doesn't name '$word': $* ($(cat err))"
	[ ! -s out ] || fail "output on stdout: $*"
	[ -z "$(find . -name 'core*' -print -quit)" ] || fail "a core file: $*"
}

refuse() {
	expect_refusal 1 "$1" "$LOCKSTEP" run "${@:2}"
}

misuse() {
	expect_refusal 2 "$1" "$LOCKSTEP" run "${@:2}"
}

# Files that are not what they should be.
seq 400000 | gzip -n | tail -c 300000 >random.in # the same each time
: >empty.in
printf 'just some text\n' >text.in
# A Linux boot header (boot protocol: 0xaa55 at 0x1fe, "HdrS" at 0x202) with nothing behind it.
{
	head -c 510 /dev/zero
	printf '\x55\xaa\xeb\x66HdrS\x0f\x02'
} >header.in
head -c 100 exit >elf.in
truncate -s 600M big
if images=$("$LS_ROOT/tools/guest-images" --cached 2>/dev/null); then
	head -c 2000000 "$images/vmlinuz" >truncated.in
	cp "$images/vmlinuz" kernel
fi

for file in random empty text header elf; do
	refuse $file.in --kernel $file.in
	refuse $file.in --payload $file.in
done
refuse empty.in --firmware empty.in
refuse nothing-here --kernel nothing-here
refuse nothing-here --payload nothing-here
refuse nothing-here --firmware nothing-here
refuse nothing-here --payload exit --disk nothing-here
refuse "$WORK" --kernel "$WORK"
if [ -f kernel ]; then
	refuse truncated.in --kernel truncated.in
	refuse big --kernel kernel --initrd big --memory 256M
	refuse nothing-here --kernel kernel --initrd nothing-here
	refuse memory --kernel kernel --memory 8M
else
	echo "no guest images: the cases with a real kernel were left out"
fi

# An ELF program without a multiboot header has no way to learn of a boot module.
printf '.globl _start\n_start: hlt\n' | gcc -m32 -c -x assembler -o plain.o - &&
	ld -m elf_i386 -Ttext=0x100000 -o plain plain.o
refuse text.in --payload plain --initrd text.in

# Values.
refuse nosuchcpu --payload exit --cpu nosuchcpu
refuse nosuchfeature --payload exit --cpu intel,+nosuchfeature
refuse nosuchfeature --payload exit --cpu intel,-nosuchfeature
refuse nosuchparam --payload exit --param nosuchparam=1
refuse ignore_msrs --payload exit --param ignore_msrs=perhaps
refuse memory --payload exit --memory 64K
refuse nosuchtap --payload exit --net tap:nosuchtap
misuse nosuchengine --payload exit --engine nosuchengine
misuse --nosuchoption --payload exit --nosuchoption
misuse nosuchword --payload exit nosuchword
misuse 12Q --payload exit --memory 12Q
misuse "--memory 0" --payload exit --memory 0
misuse "--smp 0" --payload exit --smp 0
misuse "--smp 65" --payload exit --smp 65
misuse "--smp two" --payload exit --smp two
misuse carrier-pigeon --payload exit --serial carrier-pigeon
misuse carrier-pigeon --payload exit --net carrier-pigeon
misuse sometimes --payload exit --schedule sometimes
misuse sometimes --payload exit --clock sometimes
misuse sometimes --payload exit --irqchip sometimes
refuse "no split irqchip" --payload exit --engine sim --irqchip split
misuse 99999 --payload exit --exit-port 99999
misuse -1 --payload exit --max-instructions -1
misuse "NAME=VALUE" --payload exit --param ignore_msrs
misuse "only one" --payload exit --kernel exit
misuse "say what to run"

# Paths that cannot be written.
refuse no-folder --payload exit --serial file:no-folder/serial
refuse no-folder --payload exit --stats-file no-folder/stats
refuse /dev/full --payload spin --serial file:/dev/full
# A run that fails leaves an old result alone.
printf 'old\n' >old.in
refuse nothing-here --payload nothing-here --serial file:old.in --stats-file old.in

# Things that are no files of bytes.
mkfifo pipe
mkdir folder
for thing in pipe folder /dev/zero /dev/null; do
	LIMIT=10 refuse $thing --kernel $thing
	refuse $thing --payload $thing
	refuse $thing --firmware $thing
	refuse $thing --payload exit --initrd $thing
	refuse $thing --payload exit --disk $thing
done
refuse empty.in --payload exit --initrd empty.in
refuse empty.in --payload exit --disk empty.in
refuse text.in --payload exit --disk text.in
refuse folder --payload exit --serial file:folder
refuse folder --payload exit --stats-file folder
if [ -w /dev/full ]; then
	refuse /dev/full --payload spin --serial file:/dev/full --max-instructions 1M
	refuse /dev/full --payload exit --stats-file /dev/full
fi

# le VALUE BYTES: little-endian.
le() {
	local n

	for ((n = 0; n < $2; n++)); do
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\x$(printf %02x $(($1 >> (n < 8 ? 8 * n : 63) & 255)))"
	done
}

# elf NAME FIELD=VALUE...: an x86-64 executable of one segment, with absurd fields.
elf() {
	local type=2 machine=62 phoff=64 phnum=1 phentsize=56 paddr=$((0x100000)) filesz=16 memsz=16

	local "${@:2}"
	{
		printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0'
		le $type 2 && le $machine 2 && le 1 4 && le $((0x100000)) 8 && le "$phoff" 8
		le 0 8 && le 0 4 && le 64 2 && le $phentsize 2 && le "$phnum" 2 && le 64 2 && le 0 4
		le 1 4 && le 7 4 && le 120 8 && le "$paddr" 8 && le "$paddr" 8
		le "$filesz" 8 && le "$memsz" 8 && le 4096 8
		printf '\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4\xf4'
	} >"$1"
	refuse "$1" --payload "$1"
}

elf far-headers.in phoff=$((0x7fffffffffff0000))
elf many-headers.in phnum=65535
elf no-headers.in phnum=0
elf huge-segment.in filesz=$((1 << 62)) memsz=$((1 << 62))
elf huge-memory.in memsz=$((1 << 40))
elf shrinking.in filesz=16 memsz=8
elf wrapping.in paddr=$((-4096)) memsz=$((1 << 20))
elf in-the-hole.in paddr=$((0xfee00000))
elf other-machine.in machine=183
elf object.in type=1
elf image-of-memory.in type=4

# Numbers that are none, or too large, or too small.
for size in 3 3000001 100T; do
	refuse "memory of" --payload exit --memory $size
done
for size in -5 1.5G 16E 99999999999999999999 ' 512M'; do
	misuse "--memory $size" --payload exit --memory "$size"
done
refuse phys-bits --payload exit --memory 8G --cpu intel,phys-bits=32
for count in -1 100000 99999999999999999999 1.5; do
	misuse "--smp $count" --payload exit --smp $count
done
for bits in 4 -1 999 ''; do
	refuse phys-bits= --payload exit --cpu intel,phys-bits=$bits
done
misuse --max-instructions --payload exit --max-instructions 0
refuse "overlaps COM1" --payload exit --exit-port 0x3f8
misuse --append --firmware random.in --append text

expect_refusal 2 nosuchcommand "$LOCKSTEP" nosuchcommand
expect_refusal 2 nosuchtable "$LOCKSTEP" list nosuchtable
expect_refusal 1 nosuchoption "$LOCKSTEP_QEMU" -nosuchoption
expect_refusal 1 nosuchcpu "$LOCKSTEP_QEMU" -kernel exit -cpu nosuchcpu
expect_refusal 1 nosuchdevice "$LOCKSTEP_QEMU" -kernel exit -device nosuchdevice
expect_refusal 1 "could not open kernel file" "$LOCKSTEP_QEMU" -kernel nothing-here
finish
