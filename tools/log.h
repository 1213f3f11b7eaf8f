/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for people, through GLib's structured logging: to stderr, one line each, in colour
 * on a terminal only. G_MESSAGES_DEBUG=all shows the debug ones.
 */
#ifndef LOCKSTEP_TOOLS_LOG_H
#define LOCKSTEP_TOOLS_LOG_H

#include <glib.h>

/* @program starts every line. Call once, before the first message. */
void log_init(const char *program);

#define log_failure(...) log_at(G_LOG_LEVEL_CRITICAL, __VA_ARGS__)
#define log_warning(...) log_at(G_LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_at(G_LOG_LEVEL_MESSAGE, __VA_ARGS__)
#define log_debug(...)   log_at(G_LOG_LEVEL_DEBUG, __VA_ARGS__)

#define log_at(level, ...) g_log_structured("lockstep", level, "MESSAGE", __VA_ARGS__)

#endif
