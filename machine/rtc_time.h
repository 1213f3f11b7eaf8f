/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar arithmetic of the RTC: plain values, no BCD. */
#ifndef LOCKSTEP_MACHINE_RTC_TIME_H
#define LOCKSTEP_MACHINE_RTC_TIME_H

#include <stdint.h>

struct rtc_time {
	int year;  /* of the proleptic Gregorian calendar */
	int month; /* 1..12 */
	int day;   /* 1..31 */
	int hour, minute, second;
	int weekday; /* 1: Sunday, as the MC146818 counts */
};

void rtc_time_from_seconds(struct rtc_time *time, int64_t seconds);
/* The weekday is ignored; fields out of range carry over. */
int64_t rtc_time_to_seconds(const struct rtc_time *time);

/* An alarm field that matches everything. */
#define RTC_ANY (-1)

/* Seconds from @after to the next second whose time of day matches: 1 to a day. -1 if none
 * does. */
int rtc_time_next_alarm(int64_t after, int hour, int minute, int second);

#endif
