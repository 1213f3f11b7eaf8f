/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: SDM 3A chapter 6, APM 2 chapter 8. */
#define THEME "faults"
#include "suite.h"

CASE(divide_by_zero, "DIV by zero is #DE, a fault: RIP stays at the instruction")
{
	TRY("xor %edx, %edx; mov $7, %eax; xor %ecx, %ecx; div %ecx");
}

CASE(undefined_opcode, "UD2 is #UD")
{
	TRY("ud2");
}
