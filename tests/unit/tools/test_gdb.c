/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub for gdb (GDB manual, E: the remote protocol) on a small guest: the same on sim and, with
 * LOCKSTEP_ENGINE=kvm where there is one, on KVM.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine/machine.h"
#include "tests/unit/check.h"
#include "tools/gdb/packet.h"
#include "tools/gdb/stub.h"

#define BASE 0x100000u
#define CELL 0x120000u /* what the guest writes */
#define FLAG 0x120010u /* not 0: it ends */
#define BPS  0x120020u /* how often it has taken #BP, #DB */
#define DBS  0x120024u
#define IRQS 0x120028u
#define RAX  0x0
#define RIP  0x10

/* 32 bits, flat, no paging. Its exit code is 3 if it has taken one #BP and one #DB. */
extern const char guest_start[], guest_one[], guest_two[], guest_three[], guest_four[],
	guest_five[], guest_six[], guest_ss[], guest_shadow[], guest_int3[], guest_open[],
	guest_opened[], guest_closing[], guest_spin[], guest_irq[], guest_end[];
__asm__(".section .rodata\n.set AT, 0x100000\n.balign 16\n"
	".macro gate handler:req; .word \\handler - guest_start, 8, 0x8e00, 0x10; .endm\n"
	"guest_start: .code32\n"
	".long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000), AT, AT, 0, 0\n"
	".long AT + guest_code - guest_start\n"
	"guest_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"guest_idt: .quad 0\n gate guest_db\n .quad 0\n gate guest_bp\n .fill 28, 8, 0\n gate "
	"guest_irq\n"
	"guest_gdtr: .word 23; .long AT + guest_gdt - guest_start\n"
	"guest_idtr: .word 33 * 8 - 1; .long AT + guest_idt - guest_start\n"
	"guest_bp: incl 0x120020; iret\n"
	"guest_db: incl 0x120024; andl $~0x100, 8(%esp); iret\n"
	"guest_irq: incl 0x120028; movl $0, 0xfee000b0; iret\n"
	"guest_code: mov $0x130000, %esp; lgdt AT + guest_gdtr - guest_start\n"
	"lidt AT + guest_idtr - guest_start; push $8; push $(AT + guest_far - guest_start); lret\n"
	"guest_far: mov $16, %ecx; mov %ecx, %ss; mov %ecx, %ds\n"
	"mov $0xff, %al; out %al, $0x21; out %al, $0xa1; xor %eax, %eax\n" /* no interrupts */
	"guest_one: inc %eax\n"
	"guest_two: mov %eax, 0x120000\n"
	"guest_three: out %al, $0x80\n" /* to user space */
	"guest_four: sti\n"
	"guest_five: nop\n"
	"guest_six: cli\n"
	"guest_ss: mov %ecx, %ss\n"
	"guest_shadow: nop\n"
	"guest_int3: int3\n"
	"pushf; orl $0x100, (%esp); popf; nop\n"
	"movl $0x1ff, 0xfee000f0; movl $0x40020, 0xfee00300\n" /* 20H to itself */
	"guest_open: sti\n"
	"guest_opened: nop\n"
	"guest_closing: nop; cli\n"
	"guest_spin: cmpl $0, 0x120010; je guest_spin\n"
	"mov 0x120024, %eax; add %eax, %eax; add 0x120020, %eax; out %al, $0xf4; hlt\n"
	"guest_end: .code64\n.previous\n");

#define ADDRESS(label) (BASE + (unsigned int)((label)-guest_start))

struct session {
	char image[32], where[40];
	struct gdb_stub *stub;
	struct machine *machine;
	pthread_t thread;
	struct machine_result result;
	struct gdb_link link;
	char said[GDB_PACKET_MAX + 1];
};

static const struct ls_engine_ops *engine(void)
{
	const char *name = getenv("LOCKSTEP_ENGINE");

	return name && !strcmp(name, "kvm") ? &ls_engine_kvm : &ls_engine_sim;
}

static void *run(void *opaque)
{
	struct session *session = opaque;

	machine_run(session->machine, &session->result, NULL);
	gdb_stub_end(session->stub, session->result.code);
	return NULL;
}

static void write_image(struct session *session)
{
	size_t size = (size_t)(guest_end - guest_start);
	int fd;

	strcpy(session->image, "/tmp/lockstep-gdb-XXXXXX");
	fd = mkstemp(session->image);
	CHECK_EQUAL(write(fd, guest_start, size), size);
	close(fd);
}

static void connect_to(struct session *session)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(address.sun_path, session->where);
	session->link.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQUAL(connect(session->link.fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* The next packet; "" after ten seconds without one, or at the end. */
static const char *hear(struct session *session)
{
	struct pollfd fd = {.fd = session->link.fd, .events = POLLIN};
	bool gone = false;
	size_t size;

	for (;;) {
		enum gdb_received got = gdb_link_next(&session->link, session->said, &size);

		if (got == GDB_PACKET)
			return session->said;
		if (got != GDB_NOTHING || gone || poll(&fd, 1, 10000) != 1) {
			CU_FAIL("no answer");
			return "";
		}
		gone = gdb_link_fill(&session->link) == GDB_GONE;
	}
}

static void say(struct session *session, const char *text)
{
	CU_ASSERT_TRUE(gdb_link_send(&session->link, text, strlen(text)));
}

static const char *ask(struct session *session, const char *text)
{
	say(session, text);
	return hear(session);
}

#define CHECK_TEXT(found, wanted)                                                                  \
	do {                                                                                       \
		const char *check_text = found;                                                    \
                                                                                                   \
		CHECK_ROW(!strcmp(check_text, wanted), "'%s', not '%s'", check_text, wanted);      \
	} while (0)

static const char *ask_at(struct session *session, const char *format, unsigned int address)
{
	char text[64];

	snprintf(text, sizeof(text), format, address);
	return ask(session, text);
}

static uint64_t reg(struct session *session, unsigned int number)
{
	const char *at = ask_at(session, "p%x", number);
	uint64_t value = 0;

	CU_ASSERT_TRUE(gdb_take_hex(&at, &value, sizeof(value)));
	return value;
}

/* It waits before its first instruction. */
static void start(struct session *session, unsigned int vcpus)
{
	struct machine_config config = {.engine = engine(),
					.vcpus = vcpus,
					.models = &ls_engine_sim,
					.memory = 16 << 20,
					.boot = MACHINE_BOOT_PAYLOAD,
					.kernel = session->image,
					.exit_port = true,
					.no_pci = true};
	struct ls_error err = {0};

	memset(session, 0, sizeof(*session));
	write_image(session);
	snprintf(session->where, sizeof(session->where), "%s.sock", session->image);
	session->stub = gdb_stub_create(session->where, true, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(session->stub);
	gdb_stub_configure(session->stub, &config, false);
	session->machine = machine_create(&config, &err);
	CHECK_ROW(session->machine, "%s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(session->machine);
	CHECK_EQUAL(gdb_stub_attach(session->stub, session->machine), 0);
	CHECK_EQUAL(pthread_create(&session->thread, NULL, run, session), 0);
	connect_to(session);
	CHECK_TEXT(ask(session, "QStartNoAckMode"), "OK");
	session->link.no_ack = true;
	CHECK_TEXT(ask(session, "?"), "T05thread:1;");
}

/* The guest runs to its end by itself. */
static void end(struct session *session)
{
	CHECK_TEXT(ask_at(session, "M%x,1:01", FLAG), "OK");
	CHECK_TEXT(ask(session, "D"), "OK");
	pthread_join(session->thread, NULL);
	CHECK_EQUAL(session->result.end, MACHINE_END_EXIT_PORT);
	CHECK_EQUAL(session->result.code, 7);
	close(session->link.fd);
	machine_destroy(session->machine);
	gdb_stub_free(session->stub);
	unlink(session->image);
}

/* One in memory, which does not show there; then a step, registers and memory both ways. */
static void test_breakpoint(void)
{
	static struct session session;

	start(&session, 1);
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_one)), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_one));
	CHECK_TEXT(ask_at(&session, "m%x,1", ADDRESS(guest_one)), "40"); /* INC EAX */
	CHECK_TEXT(ask_at(&session, "z0,%x,1", ADDRESS(guest_one)), "OK");
	CHECK_TEXT(ask(&session, "s"), "T05thread:1;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_two));
	CHECK_EQUAL(reg(&session, RAX), 1);
	CHECK_TEXT(ask(&session, "P0=7856341200000000"), "OK");
	CHECK_TEXT(ask(&session, "s"), "T05thread:1;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_three));
	CHECK_TEXT(ask_at(&session, "m%x,4", CELL), "78563412");
	end(&session);
}

/* Each instruction by itself, one that user space finishes among them. Where the processor steps by
 * TF, a shadow holds the trap off (MOV SS: SDM 3A:6.8.3; STI: as QEMU has it), and two are one. */
static void test_steps(void)
{
	static struct session session;
	const struct {
		unsigned int at, or_at;
	} steps[] = {
		{ADDRESS(guest_two), 0},
		{ADDRESS(guest_three), 0},
		{ADDRESS(guest_four), 0},
		{ADDRESS(guest_five), ADDRESS(guest_six)},
		{ADDRESS(guest_six), 0},
		{ADDRESS(guest_ss), 0},
		{ADDRESS(guest_shadow), ADDRESS(guest_int3)},
		{ADDRESS(guest_int3), 0},
	};

	start(&session, 1);
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_one)), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_TEXT(ask_at(&session, "z0,%x,1", ADDRESS(guest_one)), "OK");
	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CHECK_TEXT(ask(&session, "s"), "T05thread:1;");
		if (steps[i].or_at && reg(&session, RIP) == steps[i].or_at)
			i++;
		else
			CHECK_EQUAL(reg(&session, RIP), steps[i].at);
	}
	end(&session);
}

/* In turns a step is what would have come anyway. A guest in host time has no interrupts while it
 * steps, and takes them when it runs on. */
static void test_interrupts(void)
{
	static struct session session;
	bool turns;

	start(&session, 1);
	turns = machine_config(session.machine)->schedule == MACHINE_ROUND_ROBIN;
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_open)), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_TEXT(ask_at(&session, "z0,%x,1", ADDRESS(guest_open)), "OK");
	CHECK_TEXT(ask(&session, "s"), "T05thread:1;");
	if (reg(&session, RIP) == ADDRESS(guest_opened))
		CHECK_TEXT(ask(&session, "s"), "T05thread:1;");
	CHECK_EQUAL(reg(&session, RIP), turns ? ADDRESS(guest_irq) : ADDRESS(guest_closing));
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_spin)), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_TEXT(ask_at(&session, "m%x,4", IRQS), "01000000");
	end(&session);
}

/* Its INT3, and the #DB of its TF, are its own, with ours beside them. */
static void test_its_own(void)
{
	static struct session session;

	start(&session, 1);
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_spin)), "OK");
	CHECK_TEXT(ask_at(&session, "Z2,%x,4", FLAG + 4), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_spin));
	CHECK_TEXT(ask_at(&session, "m%x,4", BPS), "01000000");
	CHECK_TEXT(ask_at(&session, "m%x,4", DBS), "01000000");
	end(&session);
}

/* By the processor's debug registers, which the guest's own DR7 does not show. */
static void test_hardware(void)
{
	static struct session session;
	char wanted[40];

	start(&session, 1);
	CHECK_TEXT(ask_at(&session, "Z1,%x,1", ADDRESS(guest_four)), "OK");
	CHECK_TEXT(ask_at(&session, "Z2,%x,4", CELL), "OK");
	snprintf(wanted, sizeof(wanted), "T05thread:1;watch:%x;", CELL);
	CHECK_TEXT(ask(&session, "c"), wanted);
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_three)); /* a trap */
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;hwbreak:;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_four)); /* a fault */
	CHECK_TEXT(ask_at(&session, "z1,%x,1", ADDRESS(guest_four)), "OK");
	end(&session);
}

/* All vCPUs stand then, one of which waits for its start; the other is stepped on. */
static void test_interrupt(void)
{
	static struct session session;
	const char stop = 3;

	start(&session, 2);
	CHECK_TEXT(ask(&session, "qfThreadInfo"), "m1,2");
	say(&session, "c");
	usleep(50000);
	CHECK_EQUAL(write(session.link.fd, &stop, 1), 1);
	CHECK_TEXT(hear(&session), "T02thread:1;");
	CHECK_TEXT(ask_at(&session, "Z0,%x,1", ADDRESS(guest_spin)), "OK");
	CHECK_TEXT(ask(&session, "c"), "T05thread:1;swbreak:;");
	CHECK_TEXT(ask_at(&session, "z0,%x,1", ADDRESS(guest_spin)), "OK");
	CHECK_TEXT(ask(&session, "vCont;s:1;c"), "T05thread:1;");
	CHECK_EQUAL(reg(&session, RIP), ADDRESS(guest_spin) + 7);
	CHECK_TEXT(ask_at(&session, "m%x,4", CELL), "01000000");
	end(&session);
}

/* What there is not: breakpoints on reads (the debug registers have none), memory, an exit of a
 * guest's guest where the engine does not tell. */
static void test_refused(void)
{
	static struct session session;

	start(&session, 1);
	CHECK_TEXT(ask_at(&session, "Z3,%x,4", CELL), "");
	CHECK_TEXT(ask_at(&session, "Z2,%x,4", CELL + 1), "");
	CHECK_TEXT(ask(&session, "m40000000,4"), "E0e");
	CU_ASSERT_TRUE(strlen(ask(&session, "qRcmd,627265616b20766d2d656e747279")) > 20);
	CHECK_TEXT(ask(&session, "vSomething"), "");
	end(&session);
}

static CU_TestInfo tests[] = {
	{"a breakpoint, registers, memory", test_breakpoint},
	{"steps", test_steps},
	{"steps and interrupts", test_interrupts},
	{"the guest's own", test_its_own},
	{"a hardware breakpoint, a watchpoint", test_hardware},
	{"Ctrl-C", test_interrupt},
	{"what there is not", test_refused},
	CU_TEST_INFO_NULL,
};

CHECK_MAIN("tools/gdb", tests)
