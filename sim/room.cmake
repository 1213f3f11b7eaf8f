# KVM_RUN, the chips' wires and the clock.
ls_compile_together(sim run.c clock.c irqchip.c lapic_owner.c platform.c bus_lock.c)

# Which row of the unit tests is about which check, for `lockstep list checks`.
set(unit ${CMAKE_SOURCE_DIR}/tests/unit)
file(GLOB vmx_rules CONFIGURE_DEPENDS ${unit}/vmx-model/rules_*.h)
set(svm_rules ${unit}/svm-model/test_svm_checks.c)
set(collect ${CMAKE_SOURCE_DIR}/cmake/check_tests.sh ${CMAKE_C_COMPILER})
set(inc ${CMAKE_BINARY_DIR}/generated/check_tests.inc)
add_custom_command(
	OUTPUT ${inc}
	COMMAND ${collect} unit.vmx-model.vmx_checks ${vmx_rules} > ${inc}.tmp
	COMMAND ${collect} unit.svm-model.svm_checks ${svm_rules} >> ${inc}.tmp
	COMMAND ${CMAKE_COMMAND} -E rename ${inc}.tmp ${inc}
	DEPENDS ${vmx_rules} ${svm_rules} ${CMAKE_SOURCE_DIR}/cmake/check_tests.sh
	COMMENT "Collecting the tests of checks"
	VERBATIM)
target_sources(ls_sim PRIVATE ${inc})
target_include_directories(ls_sim PRIVATE ${CMAKE_BINARY_DIR}/generated)
