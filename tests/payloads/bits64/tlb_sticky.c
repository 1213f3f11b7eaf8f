/* SPDX-License-Identifier: Apache-2.0 */
/* With --param tlb.mode=sticky a missing invalidation shows, always. */
#include "stale.h"

void payload(void)
{
	stale_translations(true);
}
