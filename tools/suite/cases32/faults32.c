/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: SDM 3A chapter 6, APM 2 chapter 8. */
#define THEME "faults32"
#include "suite.h"

CASE(p32_divide_by_zero, "DIV by zero is #DE, a fault: RIP stays at the instruction")
{
	TRY("xor %edx, %edx; mov $7, %eax; xor %ecx, %ecx; div %ecx");
}

CASE(p32_undefined_opcode, "UD2 is #UD")
{
	TRY("ud2");
}
