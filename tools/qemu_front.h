/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep-qemu: the parts of the front end that takes QEMU's options. */
#ifndef LOCKSTEP_TOOLS_QEMU_FRONT_H
#define LOCKSTEP_TOOLS_QEMU_FRONT_H

#include <glib.h>
#include <stdbool.h>

#include "tools/session.h"

/* What the options add up to. Strings that are made on the way are owned by @strings. */
struct qemu_front {
	struct session session;
	const char *cpu; /* as given to -cpu */
	bool serial_given, nographic;
	GHashTable *drives; /* id to struct machine_disk, of -drive with if=none */
	GPtrArray *strings;
};

/* One of "key=value" or "key" between commas; value is "on" where there is none. */
struct qemu_property {
	char *key, *value;
	bool has_value;
};

/* Splits "a,b=c"; ",," is a comma in a value. Free with g_ptr_array_unref. */
GPtrArray *qemu_properties(const char *text);
const char *qemu_property(const GPtrArray *properties, const char *key);
/* "on", "yes", "true" and "y" are true. */
bool qemu_truth(const char *value);
/* Keeps @text (which is taken over) as long as @front lives. */
const char *qemu_keep(struct qemu_front *front, char *text);

/* Turns QEMU's -cpu text into the engine's spec. NULL: *err. To be freed. */
char *qemu_cpu_spec(const struct ls_engine_ops *ops, const char *text, struct ls_error *err);
/* -device, -machine, -drive, -netdev; 0 or -errno with *err. */
int qemu_device(struct qemu_front *front, const char *text, struct ls_error *err);
int qemu_machine(struct qemu_front *front, const char *text, struct ls_error *err);
int qemu_drive(struct qemu_front *front, const char *text, struct ls_error *err);
int qemu_netdev(struct qemu_front *front, const char *text, struct ls_error *err);

/* Answers -device '?', -cpu '?', -machine '?', -accel '?': false if @option has no list. */
bool qemu_query(const char *option);
bool qemu_is_query(const char *text);

/* Whether the file starts a multiboot kernel (else it is for the Linux loader). False too if it
 * cannot be read. */
bool qemu_is_multiboot(const char *path);

#endif
