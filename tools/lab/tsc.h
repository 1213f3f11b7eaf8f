/* SPDX-License-Identifier: Apache-2.0 */
/* How fast this processor's time stamp counts. */
#ifndef LOCKSTEP_TOOLS_LAB_TSC_H
#define LOCKSTEP_TOOLS_LAB_TSC_H

/* In kHz; takes some twenty milliseconds. */
unsigned int lab_tsc_khz(void);

#endif
