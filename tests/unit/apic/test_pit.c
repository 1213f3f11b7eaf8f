/* SPDX-License-Identifier: Apache-2.0 */
/* The 8254 against its data sheet (231164, "Mode definitions"), port 0x61 and KVM's ABI. */
#include "../check.h"
#include "apic/pit.h"
#include "fake_clock.h"

#include <errno.h>
#include <string.h>

static struct fake_clock fake;
static struct pit pit;

#define EDGES 64

static struct {
	uint64_t tick;
	bool level;
} edges[EDGES];
static unsigned int edge_count;

static uint64_t tick_now(void)
{
	return (unsigned __int128)fake.ns * PIT_HZ / 1000000000;
}

static void irq(void *opaque, bool level)
{
	(void)opaque;
	if (edge_count < EDGES) {
		edges[edge_count].tick = tick_now();
		edges[edge_count].level = level;
	}
	edge_count++;
}

static const struct pit_ops ops = {.irq = irq};

static void out(uint16_t port, uint8_t value)
{
	CU_ASSERT_TRUE(pit_write(&pit, port, value));
}

static uint8_t in(uint16_t port)
{
	uint8_t value = 0xcc;

	CU_ASSERT_TRUE(pit_read(&pit, port, &value));
	return value;
}

/* Goes to the first ns of CLK tick @tick. */
static void at(uint64_t tick)
{
	fake_clock_set(&fake, ((unsigned __int128)tick * 1000000000 + PIT_HZ - 1) / PIT_HZ);
}

static void start(void)
{
	fake_clock_init(&fake);
	edge_count = 0;
	pit_init(&pit, &fake.clock, &ops, NULL);
	at(1000);
}

/* Control word: channel, low then high byte, mode. Then the count. */
static void program(unsigned int channel, unsigned int mode, unsigned int count)
{
	out(0x43, channel << 6 | 0x30 | mode << 1);
	out(0x40 + channel, count);
	out(0x40 + channel, count >> 8);
}

static uint8_t status(unsigned int channel)
{
	out(0x43, 0xe0 | 2u << channel);
	return in(0x40 + channel);
}

static bool level(unsigned int channel)
{
	return status(channel) & 0x80;
}

static unsigned int count(unsigned int channel)
{
	unsigned int low;

	out(0x43, channel << 6);
	low = in(0x40 + channel);
	return low | (unsigned int)in(0x40 + channel) << 8;
}

static void check_edges(const uint64_t *ticks, const bool *levels, unsigned int expected)
{
	unsigned int i;

	CHECK_EQUAL(edge_count, expected);
	for (i = 0; i < expected && i < edge_count; i++) {
		CHECK_EQUAL(edges[i].tick, ticks[i]);
		CHECK_EQUAL(edges[i].level, levels[i]);
	}
}

/* Mode 0: low from the control word, high N + 1 CLKs after the count was written, and stays. */
static void test_mode0(void)
{
	start();
	program(0, 0, 5);
	CU_ASSERT_FALSE(level(0));
	at(2000);
	check_edges((uint64_t[]){1006}, (bool[]){true}, 1);
	CU_ASSERT_TRUE(level(0));
	/* A new count: low at once, counts anew. Its first byte alone stops the count. */
	edge_count = 0;
	out(0x40, 7);
	check_edges((uint64_t[]){2000}, (bool[]){false}, 1);
	at(3000);
	CHECK_EQUAL(edge_count, 1);
	out(0x40, 0);
	at(4000);
	check_edges((uint64_t[]){2000, 3008}, (bool[]){false, true}, 2);
	/* The counter goes on below 0. */
	CHECK_EQUAL(count(0), (uint16_t)(7 - (4000 - 3001)));
	/* The first byte also cancels a count that was about to load. */
	edge_count = 0;
	out(0x40, 9);
	out(0x40, 0);
	out(0x40, 9);
	at(5000);
	check_edges((uint64_t[]){4000}, (bool[]){false}, 1);
	/* One-byte counts: low at once as well. */
	out(0x43, 0x10);
	out(0x40, 5);
	at(6000);
	edge_count = 0;
	out(0x40, 5);
	check_edges((uint64_t[]){6000}, (bool[]){false}, 1);
}

/* Mode 2: low for the last CLK of each N; the first load one CLK after the write. */
static void test_mode2(void)
{
	start();
	program(0, 2, 4);
	at(1013);
	check_edges((uint64_t[]){1000, 1004, 1005, 1008, 1009, 1012, 1013},
		    (bool[]){true, false, true, false, true, false, true}, 7);
	at(1014);
	CHECK_EQUAL(count(0), 3); /* 4 at 1013, then 3, 2, 1 */
	at(1016);
	CHECK_EQUAL(count(0), 1);
}

/* "Writing a new count while counting does not affect the current counting sequence." */
static void test_mode2_new_count(void)
{
	start();
	program(0, 2, 4);
	at(1006);
	edge_count = 0;
	out(0x40, 6);
	out(0x40, 0);
	at(1021);
	check_edges((uint64_t[]){1008, 1009, 1014, 1015, 1020, 1021},
		    (bool[]){false, true, false, true, false, true}, 6);
}

/* Mode 3: N / 2 high, N / 2 low; an odd count is high one CLK longer. */
static void test_mode3(void)
{
	start();
	program(0, 3, 6);
	at(1014);
	check_edges((uint64_t[]){1000, 1004, 1007, 1010, 1013},
		    (bool[]){true, false, true, false, true}, 5);
	/* counts by two in each half: 6 4 2 */
	CHECK_EQUAL(count(0), 4);
	start();
	program(0, 3, 5);
	at(1011);
	check_edges((uint64_t[]){1000, 1004, 1006, 1009, 1011},
		    (bool[]){true, false, true, false, true}, 5);
	/* odd: from one less, 4 2 0 while high, 4 2 while low */
	CHECK_EQUAL(count(0), 4);
	at(1013);
	CHECK_EQUAL(count(0), 0);
	at(1015);
	CHECK_EQUAL(count(0), 2);
}

/* "... the new count is loaded at the end of the current half-cycle." */
static void test_mode3_new_count(void)
{
	start();
	program(0, 3, 6);
	at(1008); /* second cycle, 1007 to 1012: high until 1010 */
	edge_count = 0;
	out(0x40, 10);
	out(0x40, 0);
	at(1026);
	check_edges((uint64_t[]){1010, 1015, 1020, 1025}, (bool[]){false, true, false, true}, 4);
	/* At the first CLK of the low half (1030): at its end, 1035. */
	at(1030);
	CHECK_EQUAL(count(0), 10);
	edge_count = 0;
	out(0x40, 4);
	out(0x40, 0);
	at(1038);
	check_edges((uint64_t[]){1035, 1037}, (bool[]){true, false}, 2);
}

/* Mode 4: one low CLK, N + 1 after the write; once. */
static void test_mode4(void)
{
	start();
	program(0, 4, 3);
	at(200000);
	check_edges((uint64_t[]){1000, 1004, 1005}, (bool[]){true, false, true}, 3);
}

static void gate(bool on)
{
	out(0x61, on);
}

/* Mode 1: low from the CLK after the trigger for N; a trigger restarts it. */
static void test_mode1(void)
{
	start();
	program(2, 1, 10);
	at(2000);
	CU_ASSERT_TRUE(level(2));
	gate(true);
	CU_ASSERT_TRUE(level(2));
	at(2001);
	CU_ASSERT_FALSE(level(2));
	gate(false); /* has no effect */
	at(2005);
	gate(true);
	at(2015);
	CU_ASSERT_FALSE(level(2));
	at(2016);
	CU_ASSERT_TRUE(level(2));
	/* A count written during the pulse is for the next one. */
	gate(false);
	gate(true);
	at(2018);
	out(0x42, 3);
	out(0x42, 0);
	at(2026);
	CU_ASSERT_FALSE(level(2));
	at(2027);
	CU_ASSERT_TRUE(level(2));
	gate(false);
	gate(true);
	at(2030);
	CU_ASSERT_FALSE(level(2));
	at(2031);
	CU_ASSERT_TRUE(level(2));
}

/* Mode 5: one low CLK, N + 1 after the trigger. */
static void test_mode5(void)
{
	start();
	program(2, 5, 3);
	at(2000);
	CU_ASSERT_TRUE(level(2));
	gate(true);
	at(2003);
	CU_ASSERT_TRUE(level(2));
	at(2004);
	CU_ASSERT_FALSE(level(2));
	at(2005);
	CU_ASSERT_TRUE(level(2));
}

/* Gate: modes 0 and 4 stop and go on; modes 2 and 3 go high, and reload on its rise. */
static void test_gate(void)
{
	start();
	gate(true);
	program(2, 0, 100);
	at(1041);
	gate(false);
	at(1500);
	CHECK_EQUAL(count(2), 60);
	gate(true);
	at(1559);
	CU_ASSERT_FALSE(level(2));
	at(1560);
	CU_ASSERT_TRUE(level(2));
	program(2, 3, 10);
	at(1567); /* low from 1566 */
	CU_ASSERT_FALSE(level(2));
	gate(false);
	CU_ASSERT_TRUE(level(2));
	at(1600);
	CU_ASSERT_TRUE(level(2));
	gate(true);
	CU_ASSERT_TRUE(level(2)); /* reloads at the next CLK */
	at(1605);
	CU_ASSERT_TRUE(level(2));
	at(1606);
	CU_ASSERT_FALSE(level(2));
	/* A count written while the gate is low counts from its rise. */
	gate(false);
	program(2, 0, 5);
	at(1700);
	CU_ASSERT_FALSE(level(2));
	CHECK_EQUAL(count(2), 5);
	gate(true);
	at(1705);
	CU_ASSERT_TRUE(level(2));
	/* Mode 2, gate low: a new count waits for the rise, whether written before or after the
	 * fall, and although the end of the cycle would have come. */
	program(2, 2, 10);
	at(1710);
	out(0x42, 20);
	out(0x42, 0);
	gate(false);
	at(1800);
	CHECK_EQUAL(status(2), 0xf4);
	gate(true);
	at(1801);
	CHECK_EQUAL(count(2), 20);
	gate(false);
	program(2, 2, 10);
	at(1900);
	out(0x42, 30);
	out(0x42, 0);
	at(2000);
	CHECK_EQUAL(status(2), 0xf4);
	gate(true);
	at(2003);
	CHECK_EQUAL(count(2), 28);
	/* The gate may change between the count and its load. */
	program(2, 0, 50);
	gate(false);
	gate(true);
	at(2053);
	CU_ASSERT_FALSE(level(2));
	at(2054);
	CU_ASSERT_TRUE(level(2));
}

/* RW bits: low only, high only, both; and 0 means 65536. */
static void test_access(void)
{
	start();
	out(0x43, 0x14); /* low byte only, mode 2 */
	out(0x40, 0x34);
	at(1001);
	CHECK_EQUAL(in(0x40), 0x34);
	CHECK_EQUAL(in(0x40), 0x34);
	out(0x43, 0x24); /* high byte only */
	out(0x40, 0x34);
	at(1002);
	CHECK_EQUAL(in(0x40), 0x34);
	out(0x43, 0x34);
	out(0x40, 0x34);
	out(0x40, 0x12);
	at(1003);
	CHECK_EQUAL(in(0x40), 0x34);
	CHECK_EQUAL(in(0x40), 0x12);
	program(0, 2, 0);
	at(1004);
	CHECK_EQUAL(count(0), 0); /* 65536 */
	at(1005);
	CHECK_EQUAL(count(0), 0xffff);
	edge_count = 0;
	at(1004 + 65536);
	check_edges((uint64_t[]){1003 + 65536, 1004 + 65536}, (bool[]){false, true}, 2);
}

/* "Counter latch command": holds until read; a second one before is ignored. */
static void test_latch(void)
{
	start();
	program(0, 2, 0x1000);
	at(1001 + 0x234);
	out(0x43, 0x00);
	at(1001 + 0x300);
	out(0x43, 0x00);
	CHECK_EQUAL(in(0x40), 0xcc); /* 0x1000 - 0x234 = 0xdcc */
	CHECK_EQUAL(in(0x40), 0x0d);
	CHECK_EQUAL(in(0x40), 0x00); /* live: 0xd00 */
	CHECK_EQUAL(in(0x40), 0x0d);
	/* Reprogramming drops it. */
	out(0x43, 0x00);
	program(0, 2, 0x2000);
	at(1001 + 0x301);
	CHECK_EQUAL(in(0x40), 0x00);
	CHECK_EQUAL(in(0x40), 0x20);
}

/* "Read-back command": several counters, count and status; status is read first. */
static void test_read_back(void)
{
	start();
	gate(true);
	program(0, 2, 0x1000);
	program(2, 3, 0x0800);
	CHECK_EQUAL(status(0), 0xf4); /* OUT, null count, RW 3, mode 2 */
	at(1001);
	CHECK_EQUAL(status(0), 0xb4);
	CHECK_EQUAL(status(2), 0xb6);
	at(1001 + 0x10);
	out(0x43, 0xca); /* counters 0 and 2, both */
	at(1001 + 0x20);
	CHECK_EQUAL(in(0x40), 0xb4);
	CHECK_EQUAL(in(0x40), 0xf0);
	CHECK_EQUAL(in(0x40), 0x0f);
	CHECK_EQUAL(in(0x42), 0xb6);
	CHECK_EQUAL(in(0x42), 0xe0); /* by two */
	CHECK_EQUAL(in(0x42), 0x07);
	/* Null count again while a new count waits for the end of the cycle. */
	out(0x40, 0x00);
	out(0x40, 0x02);
	CHECK_EQUAL(status(0), 0xf4);
	at(1001 + 0x1000);
	CHECK_EQUAL(status(0), 0xb4);
	CHECK_EQUAL(count(0), 0x200);
	out(0x43, 0xd2); /* count only */
	CHECK_EQUAL(in(0x40), 0x00);
	CHECK_EQUAL(in(0x40), 0x02);
	/* modes 6 and 7 are 2 and 3 */
	out(0x43, 0x3c);
	CHECK_EQUAL(status(0) & 0x0e, 0x04);
	out(0x43, 0x3e);
	CHECK_EQUAL(status(0) & 0x0e, 0x06);
}

/* BCD: four decades; 0 means 10000. */
static void test_bcd(void)
{
	start();
	out(0x43, 0x35); /* mode 2, BCD */
	out(0x40, 0x00);
	out(0x40, 0x10);
	at(1001);
	CHECK_EQUAL(count(0), 0x1000);
	at(1002);
	CHECK_EQUAL(count(0), 0x0999);
	CHECK_EQUAL(status(0) & 1, 1);
	edge_count = 0;
	at(2001);
	check_edges((uint64_t[]){2000, 2001}, (bool[]){false, true}, 2);
	out(0x40, 0x63);
	out(0x40, 0x85);
	at(3001);
	CHECK_EQUAL(count(0), 0x8563);
	at(3064);
	CHECK_EQUAL(count(0), 0x8500);
	out(0x43, 0x31); /* mode 0 */
	out(0x40, 0x00);
	out(0x40, 0x00);
	edge_count = 0;
	at(3065 + 9999);
	CHECK_EQUAL(edge_count, 0);
	CHECK_EQUAL(count(0), 0x0001);
	at(3065 + 10000);
	CHECK_EQUAL(edge_count, 1);
	at(3065 + 10001);
	CHECK_EQUAL(count(0), 0x9999);
}

/* Port 0x61: bits 0 and 1 as written, 4 toggles with the refresh, 5 is channel 2's OUT. */
static void test_port61(void)
{
	unsigned int toggles = 0, i;
	uint8_t last;

	start();
	out(0x61, 0xff);
	CHECK_EQUAL(in(0x61) & ~0x30, 0x03);
	program(2, 0, 10);
	CHECK_EQUAL(in(0x61) & 0x20, 0);
	at(1011);
	CHECK_EQUAL(in(0x61) & 0x20, 0x20);
	out(0x61, 0x02);
	CHECK_EQUAL(in(0x61) & 0x0f, 0x02);
	/* 15.085 us apart: 66.29 kHz, so 662 or 663 in 10 ms */
	last = in(0x61) & 0x10;
	for (i = 0; i < 10000; i++) {
		fake_clock_advance(&fake, 1000);
		toggles += (in(0x61) & 0x10) != last;
		last = in(0x61) & 0x10;
	}
	CU_ASSERT_TRUE(toggles == 662 || toggles == 663);
}

/* A clock that comes late must not lose mode 2's one-CLK pulse. */
static void test_late(void)
{
	start();
	program(0, 2, 1000);
	at(1500);
	edge_count = 0;
	fake_clock_jump(&fake, fake.ns + 1000000); /* 1193 ticks: one end of cycle in between */
	CHECK_EQUAL(edge_count, 2);
	CU_ASSERT_TRUE(edges[1].level);
	/* ... and many missed ones coalesce instead of piling up */
	edge_count = 0;
	fake_clock_jump(&fake, fake.ns + 1000000000);
	CU_ASSERT_TRUE(edge_count >= 2 && edge_count <= 6);
	CHECK_EQUAL(edges[edge_count - 1].level, level(0));
	/* An access finds the chip up to date, timer fired or not. */
	program(0, 0, 100);
	edge_count = 0;
	fake.ns += 1000000;
	out(0x43, 0x30);
	CHECK_EQUAL(edge_count, 2);
}

/* A count of 1 is illegal in modes 2 and 3; it must not spin. */
static void test_count_one(void)
{
	unsigned int mode;

	for (mode = 2; mode < 4; mode++) {
		start();
		program(0, mode, 1);
		at(1010);
		CHECK_EQUAL(fake_clock_next(&fake), LS_NEVER);
	}
}

/* Power-up: nothing runs; no IRQ is signalled. Ports are ours or not. */
static void test_reset(void)
{
	uint8_t value;

	start();
	CHECK_EQUAL(fake_clock_next(&fake), LS_NEVER);
	CHECK_EQUAL(edge_count, 0);
	CU_ASSERT_FALSE(pit_read(&pit, 0x44, &value));
	CU_ASSERT_FALSE(pit_write(&pit, 0x60, 0));
	CHECK_EQUAL(in(0x43), 0);
	out(0x61, 0x03);
	program(0, 2, 100);
	pit_reset(&pit);
	CHECK_EQUAL(fake_clock_next(&fake), LS_NEVER);
	CHECK_EQUAL(in(0x61) & 0x0f, 0);
	program(0, 2, 100);
	pit_destroy(&pit);
	CHECK_EQUAL(fake_clock_next(&fake), LS_NEVER);
}

/* KVM_GET_PIT2, KVM_SET_PIT2: a copy goes on as the original would. */
static void test_state(void)
{
	struct kvm_pit_state2 state;

	start();
	out(0x61, 0x02);
	program(0, 2, 1000);
	program(2, 0, 500);
	at(1200);
	out(0x43, 0x00);
	in(0x40);
	out(0x43, 0x74); /* channel 1, mode 2: the low byte so far */
	out(0x41, 0x55);
	pit_get_state(&pit, &state);
	CHECK_EQUAL(state.channels[0].count, 1000);
	CHECK_EQUAL(state.channels[0].mode, 2);
	CHECK_EQUAL(state.channels[0].rw_mode, 3);
	CHECK_EQUAL(state.channels[0].gate, 1);
	CHECK_EQUAL(state.channels[0].count_latched, 2); /* the high byte is left */
	CHECK_EQUAL(state.channels[0].latched_count, 1000 - 199);
	CHECK_EQUAL(state.channels[0].count_load_time,
		    (1001ull * 1000000000 + PIT_HZ - 1) / PIT_HZ);
	CHECK_EQUAL(state.channels[1].write_state, 4); /* RW_STATE_WORD1 */
	CHECK_EQUAL(state.channels[1].write_latch, 0x55);
	CHECK_EQUAL(state.channels[2].gate, 0);
	CHECK_EQUAL(state.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	pit_reset(&pit);
	CHECK_EQUAL(pit_set_state(&pit, &state), 0);
	CHECK_EQUAL(in(0x40), (1000 - 199) >> 8);
	CHECK_EQUAL(in(0x61) & 3, 2);
	CHECK_EQUAL(status(1), 0xf4); /* no count yet */
	out(0x41, 0x01);
	at(1201);
	CHECK_EQUAL(count(1), 0x155);
	edge_count = 0;
	at(2001);
	check_edges((uint64_t[]){2000, 2001}, (bool[]){false, true}, 2);
	/* channel 2's gate was low throughout: nothing counted */
	gate(true);
	at(2500);
	CU_ASSERT_FALSE(level(2));
	at(2501);
	CU_ASSERT_TRUE(level(2));
}

/* A count that waits for the end of the cycle loads then in the copy too; read_state is KVM's
 * RW_STATE_WORD0 (3) or WORD1 (4). */
static void test_state_waiting(void)
{
	struct kvm_pit_state2 state;

	start();
	program(0, 2, 1000);
	at(1500);
	in(0x40);
	out(0x40, 200);
	out(0x40, 0);
	memset(&state, 0xff, sizeof(state));
	pit_get_state(&pit, &state);
	CHECK_EQUAL(state.reserved[8], 0);
	CHECK_EQUAL(state.channels[0].read_state, 4);
	CHECK_EQUAL(state.channels[0].write_state, 3);
	CHECK_EQUAL(state.channels[0].count, 200);
	CHECK_EQUAL(pit_set_state(&pit, &state), 0);
	at(2001);
	edge_count = 0;
	CHECK_EQUAL(in(0x40), 0); /* the high byte of 200 */
	CHECK_EQUAL(in(0x40), 200);
	at(2201);
	check_edges((uint64_t[]){2200, 2201}, (bool[]){false, true}, 2);
}

/* A one-shot that waits for its trigger still does so after a restore. */
static void test_state_trigger(void)
{
	struct kvm_pit_state2 state;

	start();
	program(2, 1, 10);
	pit_get_state(&pit, &state);
	pit_reset(&pit);
	CHECK_EQUAL(pit_set_state(&pit, &state), 0);
	CU_ASSERT_TRUE(level(2));
	at(2000);
	CU_ASSERT_TRUE(level(2));
	gate(true);
	at(2001);
	CU_ASSERT_FALSE(level(2));
	at(2011);
	CU_ASSERT_TRUE(level(2));
}

static void test_state_bad(void)
{
	struct kvm_pit_state2 state;

	start();
	pit_get_state(&pit, &state);
	state.channels[1].mode = 6;
	CHECK_EQUAL(pit_set_state(&pit, &state), -EINVAL);
	state.channels[1].mode = 3;
	state.channels[1].count = 0x10001;
	CHECK_EQUAL(pit_set_state(&pit, &state), -EINVAL);
	state.channels[1].count = 0x10000;
	state.channels[1].mode = 5;
	CHECK_EQUAL(pit_set_state(&pit, &state), 0);
	state.flags = 4;
	CHECK_EQUAL(pit_set_state(&pit, &state), -EINVAL);
}

/* KVM_PIT_FLAGS_HPET_LEGACY: channel 0 counts, but its IRQ is the HPET's. */
static void test_hpet(void)
{
	struct kvm_pit_state2 state;

	start();
	program(0, 2, 100);
	at(1050);
	pit_get_state(&pit, &state);
	state.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
	edge_count = 0;
	CHECK_EQUAL(pit_set_state(&pit, &state), 0);
	check_edges((uint64_t[]){1050}, (bool[]){false}, 1);
	at(5000);
	CHECK_EQUAL(edge_count, 1);
	CHECK_EQUAL(count(0), 100 - (5000 - 1001) % 100);
	pit_reset(&pit);
	pit_get_state(&pit, &state);
	CHECK_EQUAL(state.flags, 0);
}

static CU_TestInfo tests[] = {
	{"mode 0", test_mode0},
	{"mode 1", test_mode1},
	{"mode 2", test_mode2},
	{"mode 2, new count", test_mode2_new_count},
	{"mode 3", test_mode3},
	{"mode 3, new count", test_mode3_new_count},
	{"mode 4", test_mode4},
	{"mode 5", test_mode5},
	{"gate", test_gate},
	{"bytes of a count", test_access},
	{"latch", test_latch},
	{"read-back", test_read_back},
	{"BCD", test_bcd},
	{"port 0x61", test_port61},
	{"late clock", test_late},
	{"count 1", test_count_one},
	{"reset", test_reset},
	{"KVM_GET_PIT2, KVM_SET_PIT2", test_state},
	{"... with a count waiting", test_state_waiting},
	{"... before a trigger", test_state_trigger},
	{"... refused", test_state_bad},
	{"HPET legacy", test_hpet},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("8254", tests)
