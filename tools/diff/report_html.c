/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff/report.h"

void report_html(GString *text, const struct diff_report *report)
{
	(void)report;
	g_string_append(text, "<!doctype html>\n");
}
