# A payload is a small guest program on the kit in tests/payloads/lib: ls_payload_image(BITS NAME
# source...) makes the image NAME.elf. payload_includes and payload_more, if set, are more compiler
# options and files that it is made of.
enable_language(ASM)
set(payload_lib_folder ${CMAKE_SOURCE_DIR}/tests/payloads/lib)
set(payload_flags -O1 -g -std=gnu11 -ffreestanding -fno-pie -fno-stack-protector -mno-red-zone
	-mgeneral-regs-only -fno-asynchronous-unwind-tables -fcf-protection=branch -Wall -Wextra -Werror
	-I${payload_lib_folder})
set(payload_link -no-pie -static -nostdlib -Wl,--build-id=none -Wl,-z,max-page-size=4096
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,-T,${payload_lib_folder}/link.ld)
file(GLOB payload_lib CONFIGURE_DEPENDS ${payload_lib_folder}/*)
set(payload_kit ${payload_lib_folder}/start.S ${payload_lib_folder}/trap.S
	${payload_lib_folder}/lib.c)

function(ls_payload_image bits name)
	set(linked ${CMAKE_CURRENT_BINARY_DIR}/${name}.${bits}.elf)
	set(image ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
	# Loaders of multiboot images want a 32-bit file, whatever the code in it.
	add_custom_command(
		OUTPUT ${image}
		COMMAND ${CMAKE_C_COMPILER} -m${bits} ${payload_flags} ${payload_includes} ${payload_link} -o ${linked}
			${payload_kit} ${ARGN}
		COMMAND ${CMAKE_OBJCOPY} -O elf32-i386 ${linked} ${image}
		DEPENDS ${ARGN} ${payload_lib} ${payload_more}
		COMMENT "Payload ${name}"
		VERBATIM)
	set_property(GLOBAL APPEND PROPERTY LS_PAYLOAD_IMAGES ${image})
endfunction()
