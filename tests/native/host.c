/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side: a child process that loads the state, jumps to the instruction and catches
 * what it raises. */
#include <asm/ldt.h>
#include <cpuid.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/cpu/model.h"
#include "tests/native/host_signal.h"
#include "tests/native/native.h"

/* Where enter.S finds its data. */
#define CONTEXT       0x30000000
#define CONTEXT_PAGES 4u

/* enter.S knows the offsets. */
struct context {
	u64 gpr[16];         /* 0 */
	u64 rflags;          /* 128 */
	u64 target;          /* 136 */
	u64 leave;           /* 144 */
	u64 c_stack;         /* 152 */
	u64 stack;           /* 160 */
	u32 compat_offset;   /* 168: a far pointer */
	u16 compat_selector; /* 172 */
	u16 data_selector;   /* 174 */
	u8 gate[16];         /* 176: JMP [leave], which 32-bit addresses reach */
	u8 padding[1024 - 192];
	u8 xsave[XSAVE_BYTES]; /* 1024 */
};
_Static_assert(offsetof(struct context, gate) == 176, "enter.S");
_Static_assert(offsetof(struct context, xsave) == 1024, "enter.S");

#define HOST_CS 0x33
#define HOST_SS 0x2b

/* Entries of the LDT. */
enum { LDT_CODE32 = 1, LDT_DATA32, LDT_CODE16, LDT_DATA16 };
#define SELECTOR(entry) ((entry) << 3 | 7)

#define CONTEXT_DATA ((struct context *)(uintptr_t)CONTEXT)

void native_enter(void);
void native_enter_compat(void);
void native_leave(void);

struct host {
	struct batch *batch;
	pid_t child;
	int socket;
};

static void map_fixed(u64 address, size_t size, int protection)
{
	void *at = mmap((void *)address, size, protection,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != (void *)address) {
		fprintf(stderr, "cannot map %#llx\n", (unsigned long long)address);
		_exit(2);
	}
}

/* JMP [leave] in 64-bit code. */
static unsigned int put_jump(u8 *to)
{
	u32 leave = CONTEXT + offsetof(struct context, leave);

	memcpy(to, (const u8[]){0xff, 0x24, 0x25}, 3);
	memcpy(to + 3, &leave, sizeof(leave));
	return 7;
}

/* From 32- or 16-bit code: a far jump to the gate, in 64-bit code. */
static void put_far_jump(u8 *to, unsigned int bits)
{
	u32 gate = CONTEXT + offsetof(struct context, gate);
	u16 selector = HOST_CS;

	if (bits == 16)
		*to++ = 0x66;
	*to++ = 0xea;
	memcpy(to, &gate, sizeof(gate));
	memcpy(to + 4, &selector, sizeof(selector));
}

static void load_code(const struct encoding *encoding)
{
	u8 *code = (u8 *)NATIVE_START, *end = code + encoding->length;

	memset((void *)NATIVE_CODE, 0xcc, NATIVE_PAGE);
	memcpy(code, encoding->bytes, encoding->length);
	if (encoding->branch)
		return; /* lands on an INT3 */
	if (encoding->bits == 64)
		put_jump(end);
	else
		put_far_jump(end, encoding->bits);
}

/* A branch has completed if what came after it faulted: an INT3, or a fetch where nothing is. */
static void landed(const struct encoding *encoding, struct native_state *out)
{
	if (!encoding->branch || out->rip == native_start(encoding->bits))
		return;
	if (out->vector == VECTOR_BP)
		out->rip--;
	out->vector = NO_FAULT;
}

static void restore_segments(void)
{
	__asm__ volatile("mov %0, %%ss\n mov %0, %%ds\n mov %0, %%es" : : "r"(HOST_SS));
}

static void run_case(const struct encoding *encoding, struct native_case *item)
{
	struct context *context = CONTEXT_DATA;
	struct native_state *out = &item->host;
	struct caught caught;
	bool returned;

	memcpy((void *)NATIVE_DATA, item->in.memory, NATIVE_PAGE);
	memcpy(context->gpr, item->in.gpr, sizeof(context->gpr));
	memcpy(context->xsave, item->in.xsave, XSAVE_BYTES);
	context->rflags = item->in.rflags;
	context->target = NATIVE_START;
	context->leave = (u64)native_leave;
	context->stack = CONTEXT + CONTEXT_PAGES * NATIVE_PAGE - 64;
	context->compat_offset = (u32)native_start(encoding->bits);
	context->compat_selector = SELECTOR(encoding->bits == 16 ? LDT_CODE16 : LDT_CODE32);
	context->data_selector = SELECTOR(encoding->bits == 16 ? LDT_DATA16 : LDT_DATA32);
	returned = native_try(encoding->bits == 64 ? native_enter : native_enter_compat, &caught);
	if (encoding->bits != 64)
		restore_segments();
	if (returned) {
		memcpy(out->gpr, context->gpr, sizeof(out->gpr));
		memcpy(out->xsave, context->xsave, XSAVE_BYTES);
		out->rflags = context->rflags;
		out->vector = NO_FAULT;
		out->rip = native_start(encoding->bits) + encoding->length;
	} else {
		memcpy(out->gpr, caught.gpr, sizeof(out->gpr));
		memcpy(out->xsave, caught.xsave, XSAVE_BYTES);
		out->rflags = caught.rflags;
		out->rip = caught.rip;
		out->vector = caught.vector;
		out->error = caught.error;
		landed(encoding, out);
	}
	memcpy(out->memory, (void *)NATIVE_DATA, NATIVE_PAGE);
}

static void make_segment(unsigned int entry, u64 base, bool code, bool wide)
{
	struct user_desc segment = {
		.entry_number = entry,
		.base_addr = (unsigned int)base,
		.limit = wide ? 0xfffff : 0xffff,
		.seg_32bit = wide,
		.contents = code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA,
		.limit_in_pages = wide,
		.useable = 1,
	};

	if (syscall(SYS_modify_ldt, 1, &segment, sizeof(segment)))
		_exit(3);
}

static void make_segments(void)
{
	make_segment(LDT_CODE32, 0, true, true);
	make_segment(LDT_DATA32, 0, false, true);
	make_segment(LDT_CODE16, NATIVE_CODE, true, false);
	make_segment(LDT_DATA16, NATIVE_SEGMENT, false, false);
}

static _Noreturn void child_main(struct host *host)
{
	struct batch *batch = host->batch;
	char byte;

	map_fixed(NATIVE_CODE, NATIVE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	map_fixed(NATIVE_DATA, NATIVE_PAGE, PROT_READ | PROT_WRITE);
	map_fixed(CONTEXT, CONTEXT_PAGES * NATIVE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	put_jump(CONTEXT_DATA->gate);
	make_segments();
	native_catch();
	while (read(host->socket, &byte, 1) == 1) {
		u32 loaded = BATCH_ENCODINGS;

		alarm(20);
		for (u32 n = 0; n < batch->cases; n++) {
			struct native_case *item = &batch->item[n];

			batch->running = n;
			if (item->encoding != loaded)
				load_code(&batch->encoding[item->encoding]);
			loaded = item->encoding;
			run_case(&batch->encoding[loaded], item);
		}
		alarm(0);
		if (write(host->socket, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static bool start_child(struct host *host)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	fflush(NULL);
	host->child = fork();
	if (host->child == 0) {
		close(pair[0]);
		host->socket = pair[1];
		child_main(host);
	}
	close(pair[1]);
	host->socket = pair[0];
	return host->child > 0;
}

static void stop_child(struct host *host)
{
	close(host->socket);
	native_reap(host->child);
}

struct host *host_open(struct batch **batch)
{
	struct host *host = calloc(1, sizeof(*host));

	host->batch = mmap(NULL, sizeof(*host->batch), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*batch = host->batch;
	if (host->batch == MAP_FAILED || !start_child(host)) {
		free(host);
		return NULL;
	}
	return host;
}

bool host_run(struct host *host)
{
	char byte = 0;

	if (send(host->socket, &byte, 1, MSG_NOSIGNAL) == 1 && read(host->socket, &byte, 1) == 1)
		return true;
	stop_child(host);
	start_child(host);
	return false;
}

void host_close(struct host *host)
{
	stop_child(host);
	munmap(host->batch, sizeof(*host->batch));
	free(host);
}

bool host_is_amd(void)
{
	u32 out[4] = {0};

	__cpuid(0, out[0], out[1], out[2], out[3]);
	return out[1] == 0x68747541; /* "Auth" */
}

void host_features(u32 feature[FEATURE_WORDS])
{
	memset(feature, 0, FEATURE_WORDS * sizeof(*feature));
	for (unsigned int n = 0; n < FEATURE_CPUID_COUNT; n++) {
		const struct feature_info *info = &feature_infos[n];
		u32 out[4] = {0};

		if ((u32)__get_cpuid_max(info->leaf & 0x80000000, NULL) >= info->leaf)
			__cpuid_count(info->leaf, info->subleaf, out[0], out[1], out[2], out[3]);
		if (out[info->reg] >> info->bit & 1)
			feature[n / 32] |= 1u << n % 32;
	}
}
