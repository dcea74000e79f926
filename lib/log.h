/*
 * log: one line per event, logfmt to stderr.
 *
 * "who" names what the line is about: a request id, an agent, or NULL.
 * error = someone must act; warn = will hurt; info = a change of state;
 * debug = off in production. Bodies, tokens and passwords are never logged.
 */
#ifndef FG_LIB_LOG_H
#define FG_LIB_LOG_H

#include <stdbool.h>

#include "lib/attr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* "program" must outlive the process's last log line. */
void log_open(const char *program, enum log_level level);

/* "error", "warn", "info" or "debug"; false when it is none of these. */
MUST_CHECK bool log_set_level(const char *name);

void log_error(const char *who, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *who, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *who, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *who, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
