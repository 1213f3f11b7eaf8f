/* SPDX-License-Identifier: Apache-2.0 */
/* The program that the child begins as: an instruction by which it makes system calls for us, and a
 * page for a signal's frame. */
#ifndef LOCKSTEP_ACCEL_NATIVE_IMAGE_H
#define LOCKSTEP_ACCEL_NATIVE_IMAGE_H

#include "accel/native/child.h"

#define IMAGE_DATA       (NATIVE_CHILD_BASE + 0x10000) /* with the signal stack */
#define IMAGE_DATA_BYTES 0x10000
#define IMAGE_END        (IMAGE_DATA + IMAGE_DATA_BYTES)

/* Where its SYSCALL is. */
uint64_t native_image_call(void);
/* A descriptor of it that can be executed, or -errno. */
int native_image_open(void);

#endif
