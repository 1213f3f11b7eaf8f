/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI fixed hardware (ACPI 6.4, 4.8.3): PM1a event and control blocks, the PM timer, and
 * the reset register. */
#ifndef LOCKSTEP_MACHINE_PM_H
#define LOCKSTEP_MACHINE_PM_H

#include <lockstep/error.h>

#define PM_EVENT_PORT   0x600 /* status, then enable; 16 bits each */
#define PM_CONTROL_PORT 0x604
#define PM_TIMER_PORT   0x608
#define PM_BLOCK_SIZE   0x10
#define PM_RESET_PORT   0xcf9
#define PM_RESET_VALUE  0x06
#define PM_TIMER_HZ     3579545

/* SLP_TYP values; the DSDT's _S3 and _S5 say the same. */
#define PM_SLEEP_S5 0
#define PM_SLEEP_S3 1

struct machine;
struct pm;

int pm_create(struct machine *machine, struct ls_error *err);
/* The RTC's alarm: sets RTC_STS; wakes a sleeping machine if RTC_EN is set. */
void pm_rtc_alarm(struct machine *machine);
/* WAK_STS, on the way out of S3. */
void pm_woken(struct machine *machine);

#endif
