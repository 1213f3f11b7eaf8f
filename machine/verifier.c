/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a thread: a plain mapping cannot be checked when it is first touched, and reading all of it
 * before the first instruction would cost what mapping has saved.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/internal.h"
#include "machine/leave.h"
#include "machine/snapshot.h"

struct verifier {
	struct machine *machine;
	pthread_t thread;
	bool stop;
	struct ls_error err;
};

static void *verifier_run(void *opaque)
{
	struct verifier *verifier = opaque;

	/* verifier_finish says what it was. */
	if (snapshot_verify(verifier->machine->config.snapshot, &verifier->stop, &verifier->err))
		machine_stop(verifier->machine);
	return NULL;
}

int verifier_start(struct machine *machine, struct ls_error *err)
{
	struct verifier *verifier;
	int ret;

	if (!machine->config.snapshot || machine->config.verified)
		return 0;
	verifier = calloc(1, sizeof(*verifier));
	if (!verifier)
		return ls_error_set(err, -ENOMEM, "no memory to check the snapshot");
	verifier->machine = machine;
	ret = pthread_create(&verifier->thread, NULL, verifier_run, verifier);
	if (ret) {
		free(verifier);
		return ls_error_set(err, -ret, "cannot start a thread to check the snapshot: %s",
				    strerror(ret));
	}
	machine->verifier = verifier;
	return 0;
}

void verifier_finish(struct machine *machine)
{
	struct verifier *verifier = machine->verifier;

	if (!verifier)
		return;
	if (atomic_load(&machine->stop))
		__atomic_store_n(&verifier->stop, true, __ATOMIC_RELAXED);
	pthread_join(verifier->thread, NULL);
	if (verifier->err.code) {
		atomic_store(&machine->request, REQUEST_NONE);
		control_end(machine, MACHINE_END_ERROR, MACHINE_EXIT_ERROR, 0, "%s",
			    verifier->err.text);
	}
	free(verifier);
	machine->verifier = NULL;
}
