/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lab/tsc.h"

#include <glib.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define TRIES   16
#define SPAN_US 20000

struct moment {
	uint64_t ticks, ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Of several readings the one that took least: nothing came between its two clocks. */
static struct moment moment_take(void)
{
	struct moment best = {0};
	uint64_t least = UINT64_MAX;

	for (unsigned int n = 0; n < TRIES; n++) {
		uint64_t before = now_ns(), ticks = __rdtsc(), after = now_ns();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct moment){ticks, before + least / 2};
	}
	return best;
}

unsigned int lab_tsc_khz(void)
{
	struct moment start = moment_take(), end;

	usleep(SPAN_US);
	end = moment_take();
	return (unsigned int)((end.ticks - start.ticks) * 1000000 / (end.ns - start.ns));
}
