/* SPDX-License-Identifier: Apache-2.0 */
/* --save-trace: both sides as traces, for later comparisons. */
#include <inttypes.h>

#include "tools/diff/comparison.h"
#include "tools/diff/expected/expected.h"
#include "tools/output.h"

/* What a later comparison has to do alike. */
static char *saved_text(const struct comparison *c, unsigned int who)
{
	struct machine *machine = side_machine(c->side[who]);
	g_autofree char *image = g_strescape(c->test->image, NULL);
	g_autofree char *append = g_strescape(c->test->append ? c->test->append : "", NULL);
	g_autofree char *version = expected_version(c->options->engine[who]->name);
	GString *text = g_string_new(NULL);

	g_string_append_printf(text,
			       "engine %s\nversion %s\nvcpus 1\ncpu %s\nsmp %u\nmemory %" PRIu64
			       "\ngranularity %s\nimage-hash %" PRIu64 "\n",
			       c->options->engine[who]->name, version, c->options->cpu,
			       c->test->vcpus, c->options->memory,
			       c->options->step ? "step" : "exit",
			       saved_image_hash(c->test->image));
	if (c->test->theme)
		g_string_append_printf(text, "case %s\n", c->test->name);
	else
		g_string_append_printf(text, "image %s\nappend %s\n", image, append);
	for (unsigned int n = 0; n < c->test->vcpus; n++)
		saved_append_leaves(text, machine, n);
	return g_string_free(text, FALSE);
}

static bool save_side(struct comparison *c, unsigned int who)
{
	static const char *const folders[] = {"ref", "dut"};
	g_autofree char *file = g_strdup_printf("%s.trace", c->test->name);
	g_autofree char *path = g_build_filename(c->options->save, folders[who], file, NULL);
	g_autofree char *text = saved_text(c, who);
	struct ls_error err = {0};

	if (c->test->trace && output_check_of(path, c->test->trace, &err))
		return comparison_could_not(c, &err);
	c->saved[who] = saved_open(path, text, c->fields, c->test->vcpus, &err);
	if (!c->saved[who])
		return comparison_could_not(c, &err);
	saved_start(c->saved[who], side_machine(c->side[who]));
	return true;
}

bool comparison_save(struct comparison *c)
{
	struct ls_error err = {0};

	if (c->options->save && c->streams) {
		ls_error_set(&err, -EINVAL,
			     "'%s' is a trace of records: nothing of it can be saved",
			     c->test->trace);
		return comparison_could_not(c, &err);
	}
	return !c->options->save || (save_side(c, REF) && (c->recorded || save_side(c, DUT)));
}

void comparison_save_end(struct comparison *c)
{
	struct ls_error err = {0};

	for (unsigned int who = REF; who <= DUT; who++)
		if (c->saved[who] && saved_close(c->saved[who], &err) &&
		    c->result->verdict == DIFF_EQUAL)
			comparison_could_not(c, &err);
}
