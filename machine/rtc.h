/* SPDX-License-Identifier: Apache-2.0 */
/* MC146818A real-time clock with CMOS memory, ports 0x70 and 0x71, IRQ 8. Its time is the
 * VM clock's, counted from machine_config.epoch. */
#ifndef LOCKSTEP_MACHINE_RTC_H
#define LOCKSTEP_MACHINE_RTC_H

#include <stdint.h>

#include <lockstep/error.h>

#define RTC_CMOS_SIZE        128
#define RTC_CMOS_SHUTDOWN    0x0f /* what firmware does after a reset; 0xfe: resume from S3 */
#define RTC_CMOS_CENTURY     0x32
#define RTC_SHUTDOWN_SUSPEND 0xfe

struct machine;
struct rtc;

int rtc_create(struct machine *machine, struct ls_error *err);
uint8_t rtc_cmos_read(const struct rtc *rtc, unsigned int index);
void rtc_cmos_write(struct rtc *rtc, unsigned int index, uint8_t value);

#endif
