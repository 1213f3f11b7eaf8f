/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/rtc_time.h"

#include <time.h>

#define DAY 86400

void rtc_time_from_seconds(struct rtc_time *out, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	*out = (struct rtc_time){
		.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min,
		.second = tm.tm_sec,
		.weekday = tm.tm_wday + 1,
	};
}

int64_t rtc_time_to_seconds(const struct rtc_time *in)
{
	struct tm tm = {
		.tm_year = in->year - 1900,
		.tm_mon = in->month - 1,
		.tm_mday = in->day,
		.tm_hour = in->hour,
		.tm_min = in->minute,
		.tm_sec = in->second,
	};

	return timegm(&tm);
}

int rtc_time_next_alarm(int64_t after, int hour, int minute, int second)
{
	/* Before 1970 the remainder is negative. */
	int now = (int)((after % DAY + DAY) % DAY), wait = 1;

	while (wait <= DAY) {
		int of_day = (now + wait) % DAY;

		if (hour != RTC_ANY && of_day / 3600 != hour)
			wait += 3600 - of_day % 3600;
		else if (minute != RTC_ANY && of_day / 60 % 60 != minute)
			wait += 60 - of_day % 60;
		else if (second != RTC_ANY && of_day % 60 != second)
			wait++;
		else
			return wait;
	}
	return -1;
}
