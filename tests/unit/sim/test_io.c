/* SPDX-License-Identifier: Apache-2.0 */
/* Ports: IN, OUT, INS, OUTS, the I/O permission bitmap (SDM 1:19.5.2; SDM 2) and the answers of
 * user space (struct cpu_io). */
#include "tests/unit/sim/system_rig.h"

#define TSS     0x1000
#define IO_MAP  104 /* right behind the 32-bit TSS */
#define TSS_END (IO_MAP + 0x2000)

/* A platform that takes every access and counts. */
static struct {
	u16 port[64];
	u32 value[64];
	u8 size[64];
	bool write[64];
	unsigned int count;
	bool refuses; /* leaves it to user space */
} seen;

static bool take_port(struct cpu *cpu, u16 port, void *data, unsigned int size, bool write)
{
	unsigned int n = seen.count;

	(void)cpu;
	if (seen.refuses)
		return false;
	seen.port[n] = port;
	seen.size[n] = size;
	seen.write[n] = write;
	if (write) {
		seen.value[n] = 0;
		memcpy(&seen.value[n], data, size);
	} else {
		u32 answer = 0xa1b2c3d4 + n;

		memcpy(data, &answer, size);
	}
	seen.count++;
	return true;
}

static const struct cpu_platform platform = {.port = take_port};

static void open(struct cpu_rig *rig, enum system_mode mode, unsigned int cpl)
{
	rig_open(rig, "intel");
	rig_mode(rig, mode, cpl);
	rig->cpu->platform = &platform;
	memset(&seen, 0, sizeof(seen));
}

/* SDM 2: IN, OUT: the sizes, the immediate and DX; 32-bit results zero-extend. */
static void test_in_out(void)
{
	struct cpu_rig rig;

	open(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RAX] = UINT64_MAX;
	rig.cpu->reg[REG_RDX] = 0xffff03f8;
	CHECK_EQUAL(RUN(&rig, 0xe4, 0x60), NOTHING); /* in al, 0x60 */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xffffffffffffffd4);
	CHECK_EQUAL(RUN(&rig, 0x66, 0xed), NOTHING); /* in ax, dx */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xffffffffffffc3d5);
	CHECK_EQUAL(RUN(&rig, 0x48, 0xed), NOTHING); /* rex.w in eax, dx: 32 bits */
	CHECK_EQUAL(rig.cpu->reg[REG_RAX], 0xa1b2c3d6);
	CHECK_EQUAL(RUN(&rig, 0xee), NOTHING);       /* out dx, al */
	CHECK_EQUAL(RUN(&rig, 0x66, 0xef), NOTHING); /* out dx, ax */
	CHECK_EQUAL(RUN(&rig, 0xe7, 0x80), NOTHING); /* out 0x80, eax */
	CHECK_EQUAL(seen.count, 6);
	CHECK_EQUAL(seen.port[0], 0x60);
	CHECK_EQUAL(seen.port[1], 0x3f8);
	CHECK_EQUAL(seen.size[2], 4);
	CHECK_EQUAL(seen.value[3], 0xd6);
	CHECK_EQUAL(seen.size[3], 1);
	CHECK_EQUAL(seen.value[4], 0xc3d6);
	CHECK_EQUAL(seen.value[5], 0xa1b2c3d6);
	CHECK_EQUAL(seen.port[5], 0x80);
	CHECK_EQUAL(seen.write[5], true);
	rig_close(&rig);
}

/* SDM 1:19.5.2: the bitmap decides at CPL > IOPL, and always in virtual-8086 mode. */
static void test_permission(void)
{
	static const struct {
		enum system_mode mode;
		u8 cpl, iopl;
		u8 tss_type;      /* 11: 32-bit busy, 3: 16-bit busy */
		u16 port, denied; /* the port whose bit is 1 */
		u32 limit;
		u8 size;
		int vector;
	} rows[] = {
		{MODE_REAL, 0, 0, 3, 0x80, 0x80, 0, 1, NOTHING},
		{MODE_32, 0, 0, 3, 0x80, 0x80, 0, 1, NOTHING},
		{MODE_32, 3, 3, 3, 0x80, 0x80, 0, 1, NOTHING},
		{MODE_32, 3, 0, 11, 0x80, 0x80, TSS_END, 1, VECTOR_GP},
		{MODE_32, 3, 0, 11, 0x80, 0x81, TSS_END, 1, NOTHING},
		{MODE_32, 3, 0, 11, 0x80, 0x81, TSS_END, 2, VECTOR_GP}, /* each byte's port */
		{MODE_32, 3, 0, 11, 0x80, 0x83, TSS_END, 4, VECTOR_GP},
		{MODE_32, 3, 0, 11, 0x80, 0x84, TSS_END, 4, NOTHING},
		{MODE_32, 3, 0, 11, 0x87, 0x88, TSS_END, 2, VECTOR_GP},       /* across a byte */
		{MODE_32, 3, 0, 11, 0x80, 0x90, IO_MAP + 0x10, 1, VECTOR_GP}, /* its second byte
									       * is beyond */
		{MODE_32, 3, 0, 11, 0x80, 0x90, IO_MAP + 0x11, 1, NOTHING},
		{MODE_32, 3, 0, 11, 0x80, 0x90, 0x66, 1, VECTOR_GP},   /* no bitmap base */
		{MODE_32, 3, 0, 3, 0x80, 0x90, TSS_END, 1, VECTOR_GP}, /* 16-bit TSS */
		{MODE_V86, 3, 3, 11, 0x80, 0x80, TSS_END, 1, VECTOR_GP},
		{MODE_V86, 3, 0, 11, 0x80, 0x90, TSS_END, 1, NOTHING},
		{MODE_64, 3, 2, 11, 0x80, 0x80, TSS_END, 1, VECTOR_GP},
		{MODE_64, 2, 2, 11, 0x80, 0x80, TSS_END, 1, NOTHING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool wide = rows[i].mode == MODE_32 || rows[i].mode == MODE_64;
		struct cpu_rig rig;
		int vector;

		open(&rig, rows[i].mode, rows[i].cpl);
		rig.cpu->rflags |= (u64)rows[i].iopl << 12;
		SEG_BASE(rig.cpu, SEG_TR) = TSS;
		rig.cpu->seg[SEG_TR] = (struct segment){.limit = rows[i].limit,
							.rights = SEG_P | rows[i].tss_type};
		*(u16 *)(rig.memory + TSS + 102) = IO_MAP;
		rig.memory[TSS + IO_MAP + rows[i].denied / 8] = 1 << rows[i].denied % 8;
		rig.cpu->reg[REG_RDX] = rows[i].port;
		if (rows[i].size == 1)
			vector = RUN(&rig, 0xec);
		else if (rows[i].size == (wide ? 4 : 2))
			vector = RUN(&rig, 0xed);
		else
			vector = RUN(&rig, 0x66, 0xed);
		CHECK_ROW(vector == rows[i].vector, "row %zu: raised %d", i, vector);
		CHECK_EQUAL(seen.count, vector == NOTHING);
		rig_close(&rig);
	}
}

/* SDM 2: INS, OUTS: direction, address sizes, counts. Under REP each element ends at the same RIP
 * until the count is used up. */
static void test_strings(void)
{
	struct cpu_rig rig;

	open(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RDX] = 0x1f0;
	CHECK_EQUAL(RUN(&rig, 0x6d), NOTHING); /* insd */
	CHECK_EQUAL(*(u32 *)(rig.memory + DATA), 0xa1b2c3d4);
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], DATA + 4);
	rig.cpu->rflags |= FLAG_DF;
	CHECK_EQUAL(RUN(&rig, 0x66, 0x6d), NOTHING); /* insw */
	CHECK_EQUAL(*(u16 *)(rig.memory + DATA + 4), 0xc3d5);
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], DATA + 2);
	rig.cpu->rflags &= ~FLAG_DF;
	memcpy(rig.memory + DATA, "abcdefgh", 8);
	rig.cpu->reg[REG_RSI] = DATA;
	rig.cpu->reg[REG_RCX] = 3;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x6e), NOTHING); /* rep outsb */
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0);
	CHECK_EQUAL(rig.cpu->reg[REG_RSI], DATA + 3);
	CHECK_EQUAL(seen.count, 5);
	CHECK_EQUAL(seen.value[4], 'c');
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x6e), NOTHING); /* RCX = 0: nothing */
	CHECK_EQUAL(seen.count, 5);
	/* an event is looked at between elements; the instruction is not over */
	rig.cpu->reg[REG_RCX] = 3;
	rig.cpu->event = EVENT_INTERRUPT;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x6e), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 2);
	CHECK_EQUAL(rig.cpu->reg[REG_RIP], 0x8000);
	CHECK_EQUAL(cpu_retired(rig.cpu), 0);
	rig.cpu->event = 0;
	/* so is user space, for each element: what is done stays done */
	seen.refuses = true;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x6e), LEFT);
	CHECK_EQUAL(rig.cpu->io.fragment[0].data, 'e');
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 2);
	rig.cpu->io.completed = 1;
	CHECK_EQUAL(RUN(&rig, 0xf3, 0x6e), LEFT);
	CHECK_EQUAL(rig.cpu->io.fragment[0].data, 'f');
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 1);
	seen.refuses = false;
	/* 32-bit addresses: the upper halves of RSI and RCX do not count, and are cleared */
	rig.cpu->reg[REG_RSI] = BIT(40) | DATA;
	rig.cpu->reg[REG_RCX] = BIT(40) | 1;
	CHECK_EQUAL(RUN(&rig, 0x67, 0xf3, 0x6e), NOTHING);
	CHECK_EQUAL(rig.cpu->reg[REG_RSI], DATA + 1);
	CHECK_EQUAL(rig.cpu->reg[REG_RCX], 0);
	rig_close(&rig);

	/* 16-bit addresses wrap within DI; the rest of EDI stays */
	open(&rig, MODE_REAL, 0);
	SEG_BASE(rig.cpu, SEG_ES) = 0x4000;
	rig.cpu->reg[REG_RDI] = 0xabcdffff;
	CHECK_EQUAL(RUN(&rig, 0x6c), NOTHING);
	CHECK_EQUAL(rig.memory[0x4000 + 0xffff], 0xd4);
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], 0xabcd0000);
	rig_close(&rig);
}

/* The memory side is checked first: a fault must not have touched the device. */
static void test_faults_first(void)
{
	struct cpu_rig rig;

	open(&rig, MODE_64, 0);
	rig.cpu->reg[REG_RDI] = rig.cpu->reg[REG_RSI] = BIT(60); /* not canonical */
	CHECK_EQUAL(RUN(&rig, 0x6c), VECTOR_GP);
	CHECK_EQUAL(RUN(&rig, 0x6e), VECTOR_GP);
	rig_mode(&rig, MODE_32, 0);
	rig.cpu->seg[SEG_ES].limit = 0xfff;
	CHECK_EQUAL(RUN(&rig, 0x6c), VECTOR_GP);
	CHECK_EQUAL(seen.count, 0);
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], DATA);
	rig_close(&rig);
}

/* cpu.h: an access that user space must answer leaves the instruction, to be executed again. */
static void test_user_space(void)
{
	struct cpu_rig rig;
	struct cpu_io *io;

	open(&rig, MODE_64, 0);
	io = &rig.cpu->io;
	seen.refuses = true;
	rig.cpu->reg[REG_RDX] = 0x3f8;
	rig.cpu->reg[REG_RAX] = 0x41;
	rig.cpu->single = false;
	CHECK_EQUAL(RUN(&rig, 0xee), LEFT); /* not alone yet */
	CHECK_EQUAL(rig.cpu->exit, CPU_EXIT_NONE);
	rig.cpu->single = true;
	CHECK_EQUAL(RUN(&rig, 0xee), LEFT);
	CHECK_EQUAL(rig.cpu->exit, CPU_EXIT_IO);
	CHECK_EQUAL(io->fragment[0].address, 0x3f8);
	CHECK_EQUAL(io->fragment[0].data, 0x41);
	CHECK_EQUAL(io->fragment[0].size, 1);
	CHECK_EQUAL(io->fragment[0].write, true);
	CHECK_EQUAL(io->fragment[0].port, true);
	io->completed = 1;
	CHECK_EQUAL(RUN(&rig, 0xee), NOTHING);
	CHECK_EQUAL(io->consumed, 1);

	io->completed = io->consumed = 0;
	CHECK_EQUAL(RUN(&rig, 0x6d), LEFT); /* insd */
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], DATA);
	CHECK_EQUAL(io->fragment[0].write, false);
	io->fragment[0].data = 0x12345678;
	io->completed = 1;
	CHECK_EQUAL(RUN(&rig, 0x6d), NOTHING);
	CHECK_EQUAL(*(u32 *)(rig.memory + DATA), 0x12345678);
	CHECK_EQUAL(rig.cpu->reg[REG_RDI], DATA + 4);
	rig_close(&rig);
}

static CU_TestInfo tests[] = {
	{"in, out", test_in_out},        {"permission", test_permission},
	{"strings", test_strings},       {"faults first", test_faults_first},
	{"user space", test_user_space}, CU_TEST_INFO_NULL,
};
CHECK_MAIN("sim.io", tests)
