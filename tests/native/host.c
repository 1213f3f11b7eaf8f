/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side: a child process that loads the state, jumps to the instruction and catches
 * what it raises. */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/cpu/model.h"
#include "tests/native/host_signal.h"
#include "tests/native/native.h"

/* Where the entry and exit code finds its data: absolute, since no register may be touched. */
#define CONTEXT       0x30000000
#define CONTEXT_PAGES 4u
#define STRING(x)     STRING_(x)
#define STRING_(x)    #x
#define AT(offset)    "(" STRING(CONTEXT) "+" #offset ")"

struct context {
	u64 gpr[16]; /* 0 */
	u64 rflags;  /* 128 */
	u64 target;  /* 136 */
	u64 leave;   /* 144 */
	u64 c_stack; /* 152 */
	u64 stack;   /* 160 */
	u8 padding[1024 - 168];
	u8 xsave[XSAVE_BYTES]; /* 1024 */
};

#define CONTEXT_DATA ((struct context *)(uintptr_t)CONTEXT)

void native_enter(void);
void native_leave(void);

/* Registers in the order of their numbers; RSP goes last on the way in. */
__asm__(".text\n"
	".globl native_enter\n"
	"native_enter:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	"
	"push %r15\n"
	"	mov %rsp, " AT(
		152) "\n"
		     "	mov $7, %eax\n	xor %edx, %edx\n	xrstor64 " AT(
			     1024) "\n"
				   "	mov " AT(160) ", %rsp\n	pushq " AT(
					   128) "\n	popfq\n"
						"	mov " AT(0) ", %rax\n	mov " AT(8) ", %rcx\n	mov " AT(
							16) ", %rdx\n"
							    "	mov " AT(24) ", %rbx\n	mov " AT(40) ", %rbp\n	mov " AT(
								    48) ", %rsi\n"
									"	mov " AT(56) ", %rdi\n	mov " AT(64) ", %r8\n	mov " AT(72) ", %r9\n"
																	     "	mov " AT(
																		     80) ", %r10\n	mov " AT(88) ", %r11\n	mov " AT(96) ", %r12\n"
																									     "	mov " AT(
																										     104) ", %r13\n	mov " AT(112) ", %r14\n	mov " AT(120) ", %r15\n"
																																	      "	mov " AT(
																																		      32) ", %rsp\n"
																																			  "	jmp *" AT(
																																				  136) "\n"
																																				       ".globl native_leave\n"
																																				       "native_leave:\n"
																																				       "	mov %rax, " AT(
																																					       0) "\n	mov %rcx, " AT(8) "\n	mov %rdx, " AT(16) "\n"
																																												   "	mov %rbx, " AT(24) "\n	mov %rsp, " AT(32) "\n	mov %rbp, " AT(40) "\n"
																																																					   "	mov %rsi, " AT(48) "\n	mov %rdi, " AT(56) "\n	mov %r8, " AT(64) "\n"
																																																														  "	mov %r9, " AT(72) "\n	mov %r10, " AT(
																																																															  80) "\n	mov %r11, " AT(88) "\n"
																																																																			   "	mov %r12, " AT(
																																																																				   96) "\n	mov %r13, " AT(104) "\n	mov %r14, " AT(112) "\n"
																																																																											    "	mov %r15, " AT(
																																																																												    120) "\n"
																																																																													 "	mov " AT(160) ", %rsp\n	pushfq\n	popq " AT(128) "\n"
																																																																																				       "	pushq $0x202\n	popfq\n"
																																																																																				       "	mov $7, %eax\n	xor %edx, %edx\n	xsave64 " AT(
																																																																																					       1024) "\n"
																																																																																						     "	fninit\n	vzeroupper\n"
																																																																																						     "	movl $0x1f80, -16(%rsp)\n	ldmxcsr -16(%rsp)\n"
																																																																																						     "	mov " AT(
																																																																																							     152) ", %rsp\n"
																																																																																								  "	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
																																																																																								  "	ret\n");

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

static void load_code(const struct encoding *encoding)
{
	u8 *code = (u8 *)NATIVE_START, *end = code + encoding->length;
	u32 leave = CONTEXT + offsetof(struct context, leave);

	memset((void *)NATIVE_CODE, 0xcc, NATIVE_PAGE);
	memcpy(code, encoding->bytes, encoding->length);
	if (encoding->branch)
		return;                                 /* lands on an INT3 */
	memcpy(end, (const u8[]){0xff, 0x24, 0x25}, 3); /* JMP [leave] */
	memcpy(end + 3, &leave, sizeof(leave));
}

/* A branch has completed if what came after it faulted: an INT3, or a fetch where nothing is. */
static void landed(const struct encoding *encoding, struct native_state *out)
{
	if (!encoding->branch || out->rip == NATIVE_START)
		return;
	if (out->vector == VECTOR_BP)
		out->rip--;
	out->vector = NO_FAULT;
}

static void run_case(const struct encoding *encoding, struct native_case *item)
{
	struct context *context = CONTEXT_DATA;
	struct native_state *out = &item->host;
	struct caught caught;

	memcpy((void *)NATIVE_DATA, item->in.memory, NATIVE_PAGE);
	memcpy(context->gpr, item->in.gpr, sizeof(context->gpr));
	memcpy(context->xsave, item->in.xsave, XSAVE_BYTES);
	context->rflags = item->in.rflags;
	context->target = NATIVE_START;
	context->leave = (u64)native_leave;
	context->stack = CONTEXT + CONTEXT_PAGES * NATIVE_PAGE - 64;
	if (native_try(native_enter, &caught)) {
		memcpy(out->gpr, context->gpr, sizeof(out->gpr));
		memcpy(out->xsave, context->xsave, XSAVE_BYTES);
		out->rflags = context->rflags;
		out->vector = NO_FAULT;
		out->rip = NATIVE_START + encoding->length;
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

static _Noreturn void child_main(struct host *host)
{
	struct batch *batch = host->batch;
	char byte;

	map_fixed(NATIVE_CODE, NATIVE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	map_fixed(NATIVE_DATA, NATIVE_PAGE, PROT_READ | PROT_WRITE);
	map_fixed(CONTEXT, CONTEXT_PAGES * NATIVE_PAGE, PROT_READ | PROT_WRITE);
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

void host_features(u32 feature[FEATURE_WORDS])
{
	memset(feature, 0, FEATURE_WORDS * sizeof(*feature));
	for (unsigned int n = 0; n < FEATURE_BASE; n++) {
		const struct feature_info *info = &feature_infos[n];
		u32 out[4] = {0};

		if (__get_cpuid_max(info->leaf & 0x80000000, NULL) >= info->leaf)
			__cpuid_count(info->leaf, info->subleaf, out[0], out[1], out[2], out[3]);
		if (out[info->reg] >> info->bit & 1)
			feature[n / 32] |= 1u << n % 32;
	}
}
