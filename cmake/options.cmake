# Warnings, sanitizers and the interpreter's dispatch, for every target.
add_library(ls_options INTERFACE)
target_include_directories(ls_options INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
target_compile_definitions(ls_options INTERFACE _GNU_SOURCE LOCKSTEP_VERSION="${PROJECT_VERSION}")
target_compile_options(ls_options INTERFACE -Wall -Wextra -Werror -fno-strict-aliasing -march=x86-64-v3)
target_link_libraries(ls_options INTERFACE m)

option(LS_SANITIZE "Build with the address and undefined-behaviour sanitizers" OFF)
if(LS_SANITIZE)
	target_compile_options(ls_options INTERFACE
		-fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	target_link_options(ls_options INTERFACE -fsanitize=address,undefined)
endif()

# Handlers end in a call to the next one. Only an optimising build turns that into a jump;
# the others dispatch by a loop.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT LS_SANITIZE)
	target_compile_definitions(ls_options INTERFACE LS_TAIL_CALLS=1)
endif()
