/* SPDX-License-Identifier: Apache-2.0 */
/* With --param tlb.mode=coherent a missing invalidation never shows. */
#include "stale.h"

void payload(void)
{
	stale_translations(false);
}
