/* SPDX-License-Identifier: Apache-2.0 */
/* A CUnit program in three lines: list the tests in a CU_TestInfo array, then CHECK_MAIN. */
#ifndef LOCKSTEP_TESTS_CHECK_H
#define LOCKSTEP_TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints both values in hex when they differ. */
#define CHECK_EQUAL(actual, expected)                                                              \
	do {                                                                                       \
		unsigned long long check_a = (unsigned long long)(actual);                         \
		unsigned long long check_e = (unsigned long long)(expected);                       \
		if (check_a != check_e)                                                            \
			fprintf(stderr, "%s:%d: %s is 0x%llx, expected 0x%llx\n", __FILE__,        \
				__LINE__, #actual, check_a, check_e);                              \
		CU_ASSERT_EQUAL(check_a, check_e);                                                 \
	} while (0)

/* A rule of a table of rules: which one was broken is printed, as by printf. */
#define CHECK_ROW(holds, ...)                                                                      \
	do {                                                                                       \
		bool check_holds = (holds);                                                        \
		if (!check_holds) {                                                                \
			fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                            \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
		}                                                                                  \
		CU_ASSERT(check_holds);                                                            \
	} while (0)

#define CHECK_MAIN(suite_name, tests)                                                              \
	int main(void)                                                                             \
	{                                                                                          \
		CU_SuiteInfo suites[] = {{suite_name, NULL, NULL, NULL, NULL, tests},              \
					 CU_SUITE_INFO_NULL};                                      \
		unsigned int failures;                                                             \
		if (CU_initialize_registry() != CUE_SUCCESS ||                                     \
		    CU_register_suites(suites) != CUE_SUCCESS)                                     \
			return 2;                                                                  \
		CU_basic_set_mode(CU_BRM_VERBOSE);                                                 \
		CU_basic_run_tests();                                                              \
		failures = CU_get_number_of_failures();                                            \
		CU_cleanup_registry();                                                             \
		return failures ? 1 : 0;                                                           \
	}

#endif
