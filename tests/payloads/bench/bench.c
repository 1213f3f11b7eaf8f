/* SPDX-License-Identifier: Apache-2.0 */
/* What tools/bench times on the bare machine: rows of fixed work. A line "MARK row" opens each,
 * "SUM row value" is its result, and "MARK end" closes the last. On the multiboot command line
 * FACTOR=n divides the work, ROW=name asks for one row only. */
#include "payload.h"

u64 alu(u64 turns), branches(u64 turns), calls(u64 turns), load_store(u64 turns),
	strings(u64 turns), sse(u64 turns), avx(u64 turns), x87(u64 turns),
	self_modifying(u64 turns);
u64 user_loop(const void *code, u64 turns, word stack);
extern char user_done[], user_syscalls[], syscall_entry[], user_interrupts[], interrupt_entry[];
extern char user_counts[];
extern char page_fault_entry[], apic_entry[];
extern u64 pml4[512], page_directories[4 * 512], fault_table[512], other_pml4[512];
extern u8 memory[0x11000];
extern u32 fault_count, apic_count;

enum { MSR_STAR = 0xc0000081, MSR_LSTAR, MSR_CSTAR, MSR_FMASK };
enum { /* APM 2:16.3.2, offsets in the local APIC's page */
       APIC_SVR = 0xf0,
       APIC_ICR_LOW = 0x300,
       APIC_LVT_TIMER = 0x320,
       APIC_TIMER_COUNT = 0x380,
       APIC_TIMER_DIVIDE = 0x3e0,
       ICR_SELF = 1 << 18,
       DIVIDE_BY_1 = 11,
       APIC_VECTOR = 0x90,
};

static void apic_write(u32 offset, u32 value)
{
	*(volatile u32 *)(word)(0xfee00000 + offset) = value;
}

static u64 syscalls(u64 turns)
{
	return user_loop(user_syscalls, turns, STACK_TOP(user_stack));
}

static u64 interrupt_returns(u64 turns)
{
	return user_loop(user_interrupts, turns, STACK_TOP(user_stack));
}

/* It comes back by #UD: not every /dev/kvm has INT n at level 3. */
static u64 user_loop_alone(u64 turns)
{
	u64 sum;

	gate_set(6, (word)user_done, GATE_INTERRUPT);
	sum = user_loop(user_counts, turns, STACK_TOP(user_stack));
	gate_reset(6);
	return sum;
}

/* Touches 512 pages that are not there, then takes them away again. */
static u64 page_faults(u64 turns)
{
	volatile u8 *range = (volatile u8 *)0xc0000000;

	fault_count = 0;
	while (turns--) {
		for (int page = 0; page < 512; page++)
			range[page * 4096] = 1;
		for (int page = 0; page < 512; page++) {
			fault_table[page] = 0;
			__asm__ volatile("invlpg %0" : : "m"(range[page * 4096]) : "memory");
		}
	}
	return fault_count;
}

/* Two address spaces by turns, with eight pages used in each. */
static u64 cr3_switches(u64 turns)
{
	u64 sum = 0;

	while (turns--) {
		WRITE_REGISTER("cr3", turns & 1 ? other_pml4 : pml4);
		for (word page = 1; page <= 8; page++)
			sum += *(volatile u8 *)(page << 21) & 0;
		sum++;
	}
	WRITE_REGISTER("cr3", pml4);
	return sum;
}

/* One-shot timers of one tick, each waited for by HLT. */
static u64 timer_interrupts(u64 turns)
{
	apic_count = 0;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, APIC_VECTOR);
	for (u32 turn = 1; turn <= turns; turn++) {
		apic_write(APIC_TIMER_COUNT, 1);
		while (*(volatile u32 *)&apic_count < turn)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	return apic_count;
}

static u64 self_interrupts(u64 turns)
{
	apic_count = 0;
	__asm__ volatile("sti");
	for (u32 turn = 1; turn <= turns; turn++) {
		apic_write(APIC_ICR_LOW, ICR_SELF | APIC_VECTOR);
		while (*(volatile u32 *)&apic_count < turn)
			__asm__ volatile("pause");
	}
	__asm__ volatile("cli");
	return apic_count;
}

static const struct row {
	const char *name;
	u64 (*run)(u64 turns);
	u64 turns;
} rows[] = {
	{"alu", alu, 120000000},
	{"branches", branches, 30000000},
	{"calls", calls, 4000},
	{"load_store", load_store, 60000000},
	{"strings", strings, 400000},
	{"sse", sse, 20000000},
	{"avx", avx, 20000000},
	{"x87", x87, 6000000},
	{"page_faults", page_faults, 5000},
	{"cr3_switches", cr3_switches, 3000000},
	{"syscalls", syscalls, 15000000},
	{"interrupt_returns", interrupt_returns, 8000000},
	{"timer_interrupts", timer_interrupts, 500000},
	{"self_interrupts", self_interrupts, 1500000},
	{"self_modifying", self_modifying, 2000000},
};

/* Only where ROW names it: tools/bench.d/host_loop.c is the same on the host. */
static const struct row user_row = {"user_loop", user_loop_alone, 3000000000};

static void set_up(void)
{
	u32 low = 7;

	/* AVX: CR4.OSXSAVE, then x87, SSE and AVX state in XCR0. */
	WRITE_REGISTER("cr4", READ_REGISTER("cr4") | 1 << 18);
	__asm__ volatile("xsetbv" : : "a"(low), "d"(0), "c"(0));

	/* SYSCALL to SEL_CODE0, SYSRET to SEL_CODE3_32 + 16. */
	wrmsr(MSR_STAR, (u64)(SEL_CODE3_32 + 3) << 48 | (u64)SEL_CODE0 << 32);
	wrmsr(MSR_LSTAR, (word)syscall_entry);
	wrmsr(MSR_FMASK, 0x200);
	gate_set(0x81, (word)user_done, GATE_INTERRUPT | GATE_USER);
	gate_set(0x82, (word)interrupt_entry, GATE_INTERRUPT | GATE_USER);

	/* The last GiB before the devices' is the faults' range; only its first 2 MiB are used. */
	for (int page = 0; page < 512; page++)
		fault_table[page] = 0;
	page_directories[3 * 512] = (word)fault_table | 7;
	for (int i = 0; i < 512; i++)
		other_pml4[i] = pml4[i];
	WRITE_REGISTER("cr3", pml4);
	gate_set(14, (word)page_fault_entry, GATE_INTERRUPT);

	gate_set(APIC_VECTOR, (word)apic_entry, GATE_INTERRUPT);
	apic_write(APIC_SVR, 0x1ff);
}

static u64 factor(void)
{
	const char *at = option("FACTOR");
	u64 value = 0;

	for (; at && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (u64)(*at - '0');
	return value ? value : 1;
}

static bool names(const char *only, const struct row *row)
{
	const char *name = row->name;

	while (*name && *name == *only)
		name++, only++;
	return !*name && (!*only || *only == ' ');
}

static void mark(const char *name)
{
	print("MARK ");
	print(name);
	print("\n");
}

/* Bochs ends by this, on a port of nobody else; what its UART still holds would be lost. */
static void shut_down(void)
{
	while (!(inb(0x3fd) & 0x40))
		;
	for (const char *at = "Shutdown"; *at; at++)
		outb(0x8900, (u8)*at);
}

static void run(const struct row *row, u64 divisor)
{
	u64 turns = row->turns / divisor, sum;

	mark(row->name);
	sum = row->run(turns ? turns : 1);
	print("SUM ");
	print(row->name);
	print(" ");
	print_hex(sum);
	print("\n");
}

void payload(void)
{
	const char *only = option("ROW");
	u64 divisor = factor();

	set_up();
	mark("start");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!only || names(only, &rows[i]))
			run(&rows[i], divisor);
	if (only && names(only, &user_row))
		run(&user_row, divisor);
	mark("end");
	shut_down();
	finish(0);
}
