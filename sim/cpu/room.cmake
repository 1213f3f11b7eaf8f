# The decoder's table is made, and proven free of overlaps, from opcodes.def at build time.
list(FILTER sources EXCLUDE REGEX "/sim/cpu/gen/")
set_target_properties(ls_sim_cpu PROPERTIES SOURCES "${sources}")

add_executable(gen_decode_table EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/sim/cpu/gen/decode_table.c)
target_include_directories(gen_decode_table PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(gen_decode_table PRIVATE -Wall -Wextra -Werror)
target_compile_definitions(gen_decode_table PRIVATE _GNU_SOURCE)
file(GLOB opcode_tables CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/cpu/opcodes*.def)
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
add_custom_command(
	OUTPUT ${generated}/decode_table.h
	COMMAND gen_decode_table > ${generated}/decode_table.h.tmp
	COMMAND ${CMAKE_COMMAND} -E rename ${generated}/decode_table.h.tmp ${generated}/decode_table.h
	DEPENDS gen_decode_table ${opcode_tables}
	COMMENT "Proving the opcode table disjoint"
	VERBATIM)
target_sources(ls_sim_cpu PRIVATE ${generated}/decode_table.h)
target_include_directories(ls_sim_cpu PRIVATE ${generated})

# Events, the run loop and memory off the fast path.
ls_compile_together(sim/cpu dispatch.c mode.c event_pending.c event.c event_long.c event_code.c interrupt_return.c
	code_segment.c segment.c inner_stack.c stack.c address_space.c time.c memory.c memory_system.c piece.c
	translate.c device.c operand.c trace_cache.c)
