/* SPDX-License-Identifier: Apache-2.0 */
/* Page tables, EPT and nested tables that are changed without the invalidation that the manuals ask
 * for: a program with this bug, which a processor may show or hide. */
#ifndef PAYLOAD_STALE_H
#define PAYLOAD_STALE_H

#include "payload.h"

/* Checks that each time the old translation is used (@expected) or the new one, and that the right
 * invalidation always brings the new one. */
void stale_translations(bool expected);

#endif
