# ACPI's DSDT: from source by iasl, as a C array that acpi/tables.c includes.
find_program(IASL iasl)
if(NOT IASL)
	message(FATAL_ERROR "iasl is missing: install Debian's acpica-tools")
endif()
set(dsdt_folder ${CMAKE_BINARY_DIR}/machine)
file(MAKE_DIRECTORY ${dsdt_folder})
add_custom_command(
	OUTPUT ${dsdt_folder}/dsdt.hex
	COMMAND ${IASL} -vs -we -p ${dsdt_folder}/dsdt -tc ${CMAKE_SOURCE_DIR}/machine/acpi/dsdt.asl
		> ${dsdt_folder}/iasl.log
	DEPENDS ${CMAKE_SOURCE_DIR}/machine/acpi/dsdt.asl
	COMMENT "Compiling the DSDT"
	VERBATIM)
target_sources(ls_machine PRIVATE ${dsdt_folder}/dsdt.hex)
set_source_files_properties(${CMAKE_SOURCE_DIR}/machine/acpi/tables.c PROPERTIES
	OBJECT_DEPENDS ${dsdt_folder}/dsdt.hex)
target_include_directories(ls_machine PRIVATE ${dsdt_folder})
