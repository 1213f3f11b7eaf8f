# What `cmake --install` puts where: the commands with their documents, and the engine as a
# library, liblockstep.a, for programs that speak KVM's calls to it.
set(engine_objects)
get_property(rooms GLOBAL PROPERTY LS_ROOMS)
list(REMOVE_ITEM rooms machine)
foreach(name ${rooms})
	ls_room_target(room ${name})
	get_target_property(together ${room} LS_TOGETHER)
	list(APPEND engine_objects $<TARGET_OBJECTS:${room}>)
	if(together)
		list(APPEND engine_objects $<TARGET_OBJECTS:${together}>)
	endif()
endforeach()
if(engine_objects)
	add_library(lockstep_library STATIC ${engine_objects})
	set_target_properties(lockstep_library PROPERTIES
		OUTPUT_NAME lockstep LINKER_LANGUAGE C)
	install(TARGETS lockstep_library ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
# The prefix is known only to `cmake --install`: the file finds it from its own place.
file(RELATIVE_PATH prefix_from_pcfile /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(lockstep.pc.in lockstep.pc @ONLY)

install(TARGETS lockstep lockstep-qemu RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/lockstep DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
	FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lockstep.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/docs/lockstep.1 ${CMAKE_SOURCE_DIR}/docs/lockstep-qemu.1
	DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completion/lockstep.bash RENAME lockstep
	DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
