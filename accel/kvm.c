/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own processor, by /dev/kvm. Handles are the kernel's file descriptors and calls go to
 * it as they are; what is kept here is what a kick needs: who is inside KVM_RUN.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accel/kvm.h"

/* A signal ends KVM_RUN if it has a handler. Nothing else is expected of it. */
#define KICK_SIGNAL SIGRTMIN

struct kvm_vcpu {
	struct kvm_vcpu *next;
	atomic_int fd; /* -1: closed, free to be taken again */
	struct kvm_run *run;
	atomic_int thread;  /* inside KVM_RUN; 0: none */
	atomic_bool kicked; /* immediate_exit was set here, not by the user */
};

struct kvm_engine {
	struct ls_engine base;
	int fd;
	size_t run_size;
	pthread_mutex_t lock;           /* of writers; a kick from a signal handler can take none */
	struct kvm_vcpu *_Atomic vcpus; /* grows at its head; freed with the engine */
};

static struct kvm_engine *of_base(struct ls_engine *base)
{
	return (struct kvm_engine *)base;
}

static struct kvm_vcpu *vcpu_find(struct kvm_engine *engine, int fd)
{
	struct kvm_vcpu *vcpu;

	for (vcpu = atomic_load(&engine->vcpus); vcpu; vcpu = vcpu->next)
		if (atomic_load(&vcpu->fd) == fd)
			return vcpu;
	return NULL;
}

static int kvm_run(struct kvm_engine *engine, int fd)
{
	struct kvm_vcpu *vcpu = vcpu_find(engine, fd);
	int ret;

	if (vcpu)
		atomic_store(&vcpu->thread, (int)syscall(SYS_gettid));
	ret = ioctl(fd, KVM_RUN, 0);
	if (ret < 0)
		ret = -errno;
	if (vcpu) {
		atomic_store(&vcpu->thread, 0);
		if (atomic_exchange(&vcpu->kicked, false))
			__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	}
	return ret;
}

static int kvm_ioctl(struct ls_engine *base, int handle, unsigned long request, unsigned long arg)
{
	struct kvm_engine *engine = of_base(base);
	int ret;

	if (request == KVM_RUN)
		return kvm_run(engine, handle);
	ret = ioctl(handle == LS_SYSTEM ? engine->fd : handle, request, arg);
	return ret < 0 ? -errno : ret;
}

static struct kvm_run *kvm_mmap(struct ls_engine *base, int fd)
{
	struct kvm_engine *engine = of_base(base);
	struct kvm_vcpu *vcpu;
	void *run;

	pthread_mutex_lock(&engine->lock);
	vcpu = vcpu_find(engine, fd);
	run = vcpu ? vcpu->run : NULL;
	if (!run) {
		run = mmap(NULL, engine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		vcpu = vcpu_find(engine, -1);
		if (run == MAP_FAILED) {
			run = NULL;
		} else if (vcpu) {
			vcpu->run = run;
			atomic_store(&vcpu->fd, fd);
		} else if ((vcpu = malloc(sizeof(*vcpu)))) {
			*vcpu = (struct kvm_vcpu){
				.next = atomic_load(&engine->vcpus), .fd = fd, .run = run};
			atomic_store(&engine->vcpus, vcpu);
		} else {
			munmap(run, engine->run_size);
			run = NULL;
		}
	}
	pthread_mutex_unlock(&engine->lock);
	return run;
}

static void *kvm_mmap_at(struct ls_engine *base, int fd, size_t offset, size_t size)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	(void)base;
	return area == MAP_FAILED ? NULL : area;
}

/* The signal ends a run; immediate_exit ends one that the thread is just about to enter. The signal
 * goes to the thread's number and not its pthread_t: if it has ended since, nothing happens. */
static void kvm_kick(struct ls_engine *base, int fd)
{
	struct kvm_vcpu *vcpu = vcpu_find(of_base(base), fd);
	int error = errno, thread = vcpu ? atomic_load(&vcpu->thread) : 0;

	if (thread) {
		atomic_store(&vcpu->kicked, true);
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_tgkill, getpid(), thread, KICK_SIGNAL);
	}
	errno = error;
}

static void engine_free(struct kvm_engine *engine)
{
	struct kvm_vcpu *vcpu, *next;

	for (vcpu = atomic_load(&engine->vcpus); vcpu; vcpu = next) {
		next = vcpu->next;
		if (vcpu->fd >= 0)
			munmap(vcpu->run, engine->run_size);
		free(vcpu);
	}
	if (engine->fd >= 0)
		close(engine->fd);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

static void kvm_close(struct ls_engine *base, int handle)
{
	struct kvm_engine *engine = of_base(base);
	struct kvm_vcpu *vcpu;

	if (handle == LS_SYSTEM) {
		engine_free(engine);
		return;
	}
	pthread_mutex_lock(&engine->lock);
	vcpu = vcpu_find(engine, handle);
	if (vcpu) {
		munmap(vcpu->run, engine->run_size);
		vcpu->run = NULL;
		atomic_store(&vcpu->fd, -1);
	}
	pthread_mutex_unlock(&engine->lock);
	close(handle);
}

static void kick_taken(int signal)
{
	(void)signal;
}

/* Stays when the engine is closed: a late kick must not end the process. */
static int kick_install(void)
{
	struct sigaction action = {.sa_handler = kick_taken};

	sigemptyset(&action.sa_mask);
	return sigaction(KICK_SIGNAL, &action, NULL) ? -errno : 0;
}

static int engine_open(struct kvm_engine *engine, const char *path, struct ls_error *err)
{
	int ret = kick_install();

	if (ret)
		return ls_error_set(err, ret, "cannot install a signal handler: %s",
				    strerror(-ret));
	engine->fd = open(path, O_RDWR | O_CLOEXEC);
	if (engine->fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return ls_error_set(err, -errno, "this host has no KVM (%s: %s); use engine sim",
				    path, strerror(errno));
	if (engine->fd < 0 && (errno == EACCES || errno == EPERM))
		return ls_error_set(err, -errno,
				    "you may not open %s (%s); join the group that owns it, or "
				    "use engine sim",
				    path, strerror(errno));
	if (engine->fd < 0)
		return ls_error_set(err, -errno, "cannot open %s: %s; use engine sim", path,
				    strerror(errno));
	ret = ioctl(engine->fd, KVM_GET_API_VERSION, 0);
	if (ret != KVM_API_VERSION)
		return ls_error_set(
			err, -ENOTSUP,
			"%s does not speak version %d of KVM's interface; use engine sim", path,
			KVM_API_VERSION);
	ret = ioctl(engine->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < (int)sizeof(struct kvm_run))
		return ls_error_set(err, -ENOTSUP,
				    "the run page of %s is too small; use engine sim", path);
	engine->run_size = (size_t)ret;
	return 0;
}

/* Nothing that KVM's own calls have no word for. */
static const struct ls_extension kvm_extension = {0};

struct ls_engine *kvm_open_path(const char *path, struct ls_error *err)
{
	struct kvm_engine *engine = calloc(1, sizeof(*engine));

	if (!engine) {
		ls_error_set(err, -ENOMEM, "no memory for the kvm engine");
		return NULL;
	}
	engine->base.ops = &ls_engine_kvm;
	engine->base.ext = &kvm_extension;
	engine->fd = -1;
	pthread_mutex_init(&engine->lock, NULL);
	if (engine_open(engine, path, err)) {
		engine_free(engine);
		return NULL;
	}
	return &engine->base;
}

static struct ls_engine *kvm_open(struct ls_error *err)
{
	return kvm_open_path("/dev/kvm", err);
}

const struct ls_engine_ops ls_engine_kvm = {
	.name = "kvm",
	.summary = "the host's own processor, by /dev/kvm",
	.open = kvm_open,
	.ioctl = kvm_ioctl,
	.mmap = kvm_mmap,
	.mmap_at = kvm_mmap_at,
	.kick = kvm_kick,
	.close = kvm_close,
};
