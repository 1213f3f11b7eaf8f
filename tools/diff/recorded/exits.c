/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of a run, of whatever engine, by what its engine_exit events tell. */
#include <inttypes.h>
#include <string.h>

#include "tools/diff/recorded/file.h"
#include "traces/events.h"

/* --- the machine of a run, for the kinds that have one --- */

static int refuse_options(const struct recorded *recorded, const struct diff_options *options,
			  const struct diff_case *test, struct ls_error *err)
{
	unsigned int own = MAX(recorded->run.session.config.vcpus, 1);

	return options->memory || test->append || (test->vcpus && test->vcpus != own)
		       ? ls_error_set(err, -EINVAL,
				      "'%s' brings its machine: leave --memory, --append and --smp "
				      "out",
				      recorded->path)
		       : 0;
}

static int adopt_cpu(const struct recorded *recorded, struct diff_options *options,
		     struct ls_error *err)
{
	const char *own = recorded_text(recorded, "cpu");

	own = own ? own : "intel"; /* the first model, which a run without --cpu has */
	if (!options->cpu)
		options->cpu = g_strdup(own);
	return strcmp(options->cpu, own)
		       ? ls_error_set(err, -EINVAL, "'%s' was recorded with --cpu '%s', not '%s'",
				      recorded->path, own, options->cpu)
		       : 0;
}

int recorded_adopt_run(struct recorded *recorded, struct diff_options *options,
		       struct diff_case *test, struct ls_error *err)
{
	struct machine_config *config = &recorded->run.session.config;

	if (traced_run_read(&recorded->run, &recorded->view, err) ||
	    refuse_options(recorded, options, test, err) || adopt_cpu(recorded, options, err))
		return err->code;
	if (config->vcpus > 1 && strcmp(recorded_engine(recorded), options->engine[0]->name))
		return ls_error_set(err, -ENOTSUP,
				    "'%s' is of several vCPUs, which are in no order that two "
				    "engines share",
				    recorded->path);
	test->vcpus = MAX(config->vcpus, 1);
	if (!test->image)
		test->image = g_strdup(config->kernel);
	if (!test->image)
		return ls_error_set(err, -EINVAL, "'%s' is of a run without a payload or kernel",
				    recorded->path);
	config->kernel_name = config->kernel;
	config->kernel = test->image;
	trace_view_rewind(&recorded->view, 0);
	return 0;
}

/* --- events --- */

/* Those that every engine has: machine/observe.c. */
static bool is_compared(uint64_t reason)
{
	switch (reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_INTERNAL_ERROR:
	case KVM_EXIT_SYSTEM_EVENT:
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_FAIL_ENTRY:
		return true;
	default:
		return false;
	}
}

static int start(struct recorded *recorded, struct diff_fields *fields, struct machine *reference,
		 struct ls_error *err)
{
	(void)fields;
	for (unsigned int n = 0; n < recorded->vcpus; n++)
		if (recorded_give_leaves(recorded, reference, n, err))
			return err->code;
	return recorded_open_vcpus(recorded, err);
}

/* False: the vCPU has no more of them, or *err is filled. */
static bool take_of(struct recorded *recorded, unsigned int vcpu, struct diff_event *event,
		    struct ls_error *err)
{
	const struct trace_fields_ENGINE_EXIT *from;
	const uint64_t *record;

	do {
		record = recorded_vcpu_record(recorded, vcpu, err);
		from = record ? (const void *)(record + 2) : NULL;
	} while (record && !is_compared(from->reason));
	if (!record)
		return false;
	event->vcpu = vcpu;
	event->exit = (struct machine_exit){.reason = (uint32_t)from->reason,
					    .size = (uint32_t)from->size,
					    .write = from->write != 0,
					    .address = from->address,
					    .value = from->value};
	return true;
}

/* At the reference's end none may have more. */
static int take(struct recorded *recorded, struct diff_event *event, struct ls_error *err)
{
	bool any = event->vcpu == ANY_VCPU;
	unsigned int first = any ? 0 : event->vcpu, after = any ? recorded->vcpus : first + 1;

	event->partial = true;
	for (unsigned int n = first; n < after && !err->code; n++)
		if (take_of(recorded, n, event, err))
			break;
	return err->code;
}

static void tell(const struct recorded *recorded, GPtrArray *lines)
{
	g_ptr_array_add(lines, g_strdup("registers, memory, and what was read from ports and "
					"devices"));
	if (recorded->vcpus > 1)
		g_ptr_array_add(lines,
				g_strdup_printf("in which order the %u vCPUs did what each did",
						recorded->vcpus));
}

const struct recorded_kind recorded_exits = {
	.events = UINT64_C(1) << TRACE_ENGINE_EXIT,
	.adopt = recorded_adopt_run,
	.tell = tell,
	.start = start,
	.take = take,
};
