/* SPDX-License-Identifier: Apache-2.0 */
#include "traces/export_chrome.h"

#include <inttypes.h>

#include "traces/events.h"

/* Microseconds, as the format has them. */
#define TIME_FORMAT   "%" PRIu64 ".%03u"
#define TIME_OF(time) (time) / 1000, (unsigned int)((time) % 1000)

void chrome_export_begin(struct chrome_export *export, FILE *to, unsigned int vcpus)
{
	*export = (struct chrome_export){.to = to, .vcpu = UINT32_MAX, .entered = UINT64_MAX};
	fputs("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n", to);
	for (unsigned int n = 0; n < vcpus; n++)
		fprintf(to,
			"{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": %u, "
			"\"args\": {\"name\": \"vCPU %u\"}},\n",
			n, n);
}

static void end_span(struct chrome_export *export)
{
	if (export->inside)
		fprintf(export->to,
			"{\"name\": \"guest\", \"ph\": \"E\", \"pid\": 1, \"tid\": %u, "
			"\"ts\": " TIME_FORMAT "},\n",
			export->vcpu, TIME_OF(export->time));
	export->inside = false;
}

static void follow_time(struct chrome_export *export, const uint64_t *record)
{
	uint64_t time;

	if (trace_record_time(record, &time))
		export->offset = time - record[1];
	time = record[1] + export->offset;
	if (time > export->time)
		export->time = time;
}

/* Beside "guest", which KVM_RUN ends in the midst of it. */
#define LEVEL2_THREAD 1000u

static void name_level2(struct chrome_export *export)
{
	fprintf(export->to,
		"{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": %u, "
		"\"args\": {\"name\": \"vCPU %u, level 2\"}},\n",
		LEVEL2_THREAD + export->vcpu, export->vcpu);
}

static void follow_level2(struct chrome_export *export, const uint64_t *record)
{
	const struct trace_fields_VM_EXIT *exit = (const void *)(record + 2);

	if (LS_TRACE_EVENT(record[0]) == TRACE_VM_ENTRY) {
		if (!export->named)
			name_level2(export);
		export->named = true;
		export->entered = export->time;
	}
	if (LS_TRACE_EVENT(record[0]) != TRACE_VM_EXIT || export->entered == UINT64_MAX)
		return;
	fprintf(export->to,
		"{\"name\": \"level 2\", \"ph\": \"X\", \"pid\": 1, \"tid\": %u, "
		"\"ts\": " TIME_FORMAT ", \"dur\": " TIME_FORMAT
		", \"args\": {\"left by\": \"0x%" PRIx64 "\"}},\n",
		LEVEL2_THREAD + export->vcpu, TIME_OF(export->entered),
		TIME_OF(export->time - export->entered), exit->reason);
	export->entered = UINT64_MAX;
}

static void instant(struct chrome_export *export, const struct trace_event_info *info,
		    const uint64_t *record)
{
	unsigned int fields = LS_TRACE_WORDS(record[0]) - 2;

	fprintf(export->to,
		"{\"name\": \"%s\", \"ph\": \"i\", \"s\": \"t\", \"pid\": 1, \"tid\": %u, "
		"\"ts\": " TIME_FORMAT ", \"args\": {\"instructions\": %" PRIu64,
		info->name, export->vcpu, TIME_OF(export->time), record[1]);
	for (unsigned int n = 0; n < fields && n < info->field_count; n++)
		fprintf(export->to, ", \"%s\": \"0x%" PRIx64 "\"", info->fields[n].name,
			record[2 + n]);
	fputs("}},\n", export->to);
}

void chrome_export_add(struct chrome_export *export, unsigned int vcpu, const uint64_t *record)
{
	unsigned int event = LS_TRACE_EVENT(record[0]);

	if (event == TRACE_INSTRUCTION || event >= TRACE_EVENTS)
		return;
	if (vcpu != export->vcpu) {
		end_span(export);
		export->vcpu = vcpu;
		export->offset = export->time = 0;
		export->entered = UINT64_MAX;
		export->named = false;
	}
	follow_time(export, record);
	follow_level2(export, record);
	if (event == TRACE_ENGINE_ENTRY) {
		end_span(export);
		fprintf(export->to,
			"{\"name\": \"guest\", \"ph\": \"B\", \"pid\": 1, \"tid\": %u, "
			"\"ts\": " TIME_FORMAT "},\n",
			vcpu, TIME_OF(export->time));
		export->inside = true;
		return;
	}
	if (event == TRACE_ENGINE_EXIT)
		end_span(export);
	instant(export, &trace_events[event], record);
}

/* The last element takes no comma. */
void chrome_export_end(struct chrome_export *export)
{
	end_span(export);
	fputs("{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, \"args\": {\"name\": "
	      "\"lockstep\"}}\n]}\n",
	      export->to);
}
