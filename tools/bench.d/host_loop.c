/* SPDX-License-Identifier: Apache-2.0 */
/* bench-host-loop FACTOR: the row user_loop of tests/payloads/bench as a program of the host, with
 * the same marks. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned long factor = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long turns = 3000000000ul / (factor ? factor : 1);

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	puts("MARK start\nMARK user_loop");
	__asm__ volatile(".align 32\n1: dec %0\n jnz 1b" : "+r"(turns) : : "cc");
	printf("SUM user_loop 0x%lx\nMARK end\n", turns);
	return 0;
}
