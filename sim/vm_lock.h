/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's lock: recursive, and next to free for the thread that has it already. */
#ifndef LOCKSTEP_SIM_VM_LOCK_H
#define LOCKSTEP_SIM_VM_LOCK_H

#include <pthread.h>

#include "mmu/types.h"

struct vm_lock {
	pthread_mutex_t mutex;
	void *owner;        /* its thread; only that thread ever finds itself here */
	unsigned int again; /* how often the owner has taken it once more */
};

ALWAYS_INLINE void vm_lock_take(struct vm_lock *lock)
{
	void *self = __builtin_thread_pointer();

	if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == self) {
		lock->again++;
		return;
	}
	pthread_mutex_lock(&lock->mutex);
	__atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
}

ALWAYS_INLINE void vm_lock_give(struct vm_lock *lock)
{
	if (lock->again) {
		lock->again--;
		return;
	}
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock->mutex);
}

/* Gives it up whole until @condition is signalled. */
static inline void vm_lock_wait(struct vm_lock *lock, pthread_cond_t *condition)
{
	unsigned int again = lock->again;
	void *self = lock->owner;

	lock->again = 0;
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELAXED);
	pthread_cond_wait(condition, &lock->mutex);
	__atomic_store_n(&lock->owner, self, __ATOMIC_RELAXED);
	lock->again = again;
}

#endif
