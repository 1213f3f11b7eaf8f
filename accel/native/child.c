/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the child: everything that it has is put there by system calls that it makes for us. */
#include "accel/native/child.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel/native/image.h"

#define MEMORY_FD 3
#define IMAGE_FD  4
#define FREE_FD   16
#define USER_END  UINT64_C(0x7ffffffff000) /* of four-level paging, as Linux has it */

/* The kernel's own struct sigaction; libc's differs. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};
#define SA_RESTORER UINT64_C(0x04000000)

/* --- the fork --- */

/* Between vfork and exec, in our memory: system calls alone. */
static _Noreturn void become_image(int image, int memory)
{
	static char *const nothing[] = {NULL};

	image = fcntl(image, F_DUPFD, FREE_FD);
	memory = memory < 0 ? -1 : fcntl(memory, F_DUPFD, FREE_FD);
	if (memory >= 0)
		dup2(memory, MEMORY_FD);
	else
		close(MEMORY_FD);
	dup2(image, IMAGE_FD);
	fcntl(IMAGE_FD, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, IMAGE_FD + 1, ~0u, 0);
	syscall(SYS_close_range, 0, MEMORY_FD - 1, 0);
	syscall(SYS_setsid); /* no signal of the terminal's */
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		syscall(SYS_execveat, IMAGE_FD, "", nothing, nothing, AT_EMPTY_PATH);
	_exit(errno == EPERM ? EPERM : ENOEXEC);
}

/* A fork would copy our page tables. A signal between PTRACE_TRACEME and exec would stop the child,
 * and us with it; but that of the exec itself has to come. */
static int begin(int image, int memory)
{
	sigset_t most, before;
	int pid;

	sigfillset(&most);
	sigdelset(&most, SIGTRAP);
	pthread_sigmask(SIG_BLOCK, &most, &before);
	pid = vfork();
	if (!pid)
		become_image(image, memory);
	pid = pid < 0 ? -errno : pid;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int stopped_at_start(struct native_child *child, struct ls_error *err)
{
	int status = 0;

	while (waitpid(child->pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (WIFSTOPPED(status))
		return 0;
	child->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EPERM)
		return ls_error_set(err, -EPERM,
				    "this host lets no process trace another (ptrace: Operation "
				    "not permitted), as engine native does; allow it, or use "
				    "engine sim");
	return ls_error_set(err, -ENOEXEC,
			    "engine native cannot start its process: the host executes no file in "
			    "memory (memfd); use engine sim");
}

/* --- calls that it makes for us --- */

static long call(const struct native_child *child, long number, uint64_t a, uint64_t b, uint64_t c,
		 uint64_t d, uint64_t e, uint64_t f)
{
	struct user_regs_struct regs = child->idle;
	int status;

	regs.rip = native_image_call();
	regs.rax = (uint64_t)number;
	regs.orig_rax = ~UINT64_C(0);
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = f;
	if (ptrace(PTRACE_SETREGS, child->pid, NULL, &regs) ||
	    ptrace(PTRACE_SINGLESTEP, child->pid, NULL, NULL))
		return -errno;
	while (waitpid(child->pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (!WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child->pid, NULL, &regs))
		return -ESRCH;
	return (long)regs.rax;
}

static int put(const struct native_child *child, const void *from, size_t size)
{
	const char *bytes = from;

	for (size_t at = 0; at < size; at += sizeof(long)) {
		long word;

		memcpy(&word, bytes + at, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, child->pid, (void *)(IMAGE_DATA + at), word))
			return -errno;
	}
	return 0;
}

/* The vDSO may be sealed against it: it stays then, and holds nothing of ours. */
static long unmap(const struct native_child *child, uint64_t from, uint64_t to)
{
	long rc = call(child, SYS_munmap, from, to - from, 0, 0, 0, 0);

	return rc == -EPERM ? 0 : rc;
}

static long unmap_all(const struct native_child *child)
{
	long rc = call(child, SYS_mmap, IMAGE_DATA, IMAGE_DATA_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~UINT64_C(0), 0);

	if (rc == (long)IMAGE_DATA)
		rc = unmap(child, 0, NATIVE_CHILD_BASE);
	if (!rc)
		rc = unmap(child, NATIVE_CHILD_BASE + 4096, IMAGE_DATA);
	return rc ? rc : unmap(child, IMAGE_END, USER_END);
}

/* An exception becomes a signal, in whose frame the kernel shows what no call of ptrace's does: the
 * vector and the error code. The handler never runs. */
static long catch_signals(const struct native_child *child)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	const struct kernel_sigaction action = {.handler = native_image_call(),
						.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER |
							 SA_RESTORER,
						.restorer = native_image_call()};
	const stack_t stack = {.ss_sp = (void *)(IMAGE_DATA + 4096),
			       .ss_size = IMAGE_DATA_BYTES - 4096};
	const uint64_t none = 0;
	long rc = put(child, &none, sizeof(none));

	/* One that is blocked would not be caught but end the process. */
	if (!rc)
		rc = call(child, SYS_rt_sigprocmask, SIG_SETMASK, IMAGE_DATA, 0, sizeof(none), 0,
			  0);
	if (!rc)
		rc = put(child, &stack, sizeof(stack));
	if (!rc)
		rc = call(child, SYS_sigaltstack, IMAGE_DATA, 0, 0, 0, 0, 0);
	if (!rc)
		rc = put(child, &action, sizeof(action));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]) && !rc; i++)
		rc = call(child, SYS_rt_sigaction, (uint64_t)signals[i], IMAGE_DATA, 0,
			  sizeof(action.mask), 0, 0);
	return rc;
}

static long map_ranges(const struct native_child *child, const struct native_range *ranges,
		       unsigned int count)
{
	long rc = 0;

	for (unsigned int i = 0; i < count && rc >= 0; i++) {
		uint64_t rights = PROT_READ | (ranges[i].write ? PROT_WRITE : 0) |
				  (ranges[i].execute ? PROT_EXEC : 0);

		rc = call(child, SYS_mmap, ranges[i].linear, ranges[i].size, rights,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, MEMORY_FD, ranges[i].offset);
		if (rc >= 0 && rc != (long)ranges[i].linear)
			rc = -EEXIST;
	}
	return rc < 0 ? rc : 0;
}

/* From here on it makes no system call any more. */
static long shut_in(const struct native_child *child)
{
	const struct sock_filter kill = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_KILL_PROCESS};
	const struct sock_fprog program = {.len = 1, .filter = (void *)(IMAGE_DATA + 16)};
	uint8_t data[24];
	long rc;

	memcpy(data, &program, sizeof(program));
	memcpy(data + 16, &kill, sizeof(kill));
	rc = put(child, data, sizeof(data));
	if (!rc)
		rc = call(child, SYS_close_range, 0, ~0u, 0, 0, 0, 0);
	if (!rc)
		rc = call(child, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	return rc ? rc
		  : call(child, SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, IMAGE_DATA, 0, 0,
			 0);
}

static long furnish(struct native_child *child, const struct native_range *ranges,
		    unsigned int count)
{
	uint8_t room[NATIVE_XSTATE_ROOM];
	struct iovec area = {room, sizeof(room)};
	long rc = 0;

	if (ptrace(PTRACE_SETOPTIONS, child->pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) ||
	    ptrace(PTRACE_GETREGS, child->pid, NULL, &child->idle) ||
	    ptrace(PTRACE_GETREGSET, child->pid, NT_X86_XSTATE, &area))
		rc = -errno;
	child->xstate_size = area.iov_len;
	if (!rc)
		rc = unmap_all(child);
	if (!rc)
		rc = catch_signals(child);
	if (!rc)
		rc = map_ranges(child, ranges, count);
	return rc ? rc : shut_in(child);
}

int native_child_start(struct native_child *child, int memory_fd, const struct native_range *ranges,
		       unsigned int count, struct ls_error *err)
{
	int image = native_image_open();
	long rc;

	*child = (struct native_child){.tracer = (int)syscall(SYS_gettid)};
	if (image < 0)
		return ls_error_set(err, image, "engine native cannot make its program: %s",
				    strerror(-image));
	rc = begin(image, memory_fd);
	close(image);
	if (rc < 0)
		return ls_error_set(err, (int)rc, "cannot start a process for engine native: %s",
				    strerror((int)-rc));
	child->pid = (int)rc;
	rc = stopped_at_start(child, err);
	if (rc)
		return (int)rc;
	rc = furnish(child, ranges, count);
	if (rc) {
		native_child_stop(child);
		return ls_error_set(err, (int)rc,
				    "engine native cannot set its process up: %s; use engine sim",
				    strerror((int)-rc));
	}
	return 0;
}

void native_child_stop(struct native_child *child)
{
	if (!child->pid)
		return;
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

int native_child_check(struct ls_error *err)
{
	struct native_child child;
	int rc = native_child_start(&child, -1, NULL, 0, err);

	if (!rc)
		native_child_stop(&child);
	return rc;
}
