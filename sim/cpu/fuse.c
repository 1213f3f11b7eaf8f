/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cpu/fuse.h"

void fuse_pair(const struct opcode_row *first, const struct opcode_row *second, struct op *op)
{
	(void)first;
	(void)second;
	(void)op;
}
