/* log: one line per event, logfmt to stderr. */

#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* Set once by log_open before any thread starts. */
static const char *log_program = "fieldgrid";
static enum log_level log_limit = LOG_INFO;

void
log_open(const char *program, enum log_level level)
{
	log_program = program;
	log_limit = level;
}

bool
log_set_level(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(level_names); i++)
		if (strcmp(level_names[i], name) == 0) {
			log_limit = (enum log_level)i;
			return true;
		}
	return false;
}

/* A value between quotes must not end the quotes nor the line; a control
 * character becomes \xNN. */
static void
quote(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text != '\0' && used + 4 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f) {
			snprintf(out + used, size - used, "\\x%02x", byte);
			used += 4;
			continue;
		}
		if (byte == '"' || byte == '\\')
			out[used++] = '\\';
		out[used++] = (char)byte;
	}
	out[used] = '\0';
}

static void
write_line(enum log_level level, const char *who, const char *message)
{
	char line[2 * LINE_BYTES];
	char quoted[LINE_BYTES + 256];
	char stamp[32];
	struct timespec now;
	struct tm utc;
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	quote(quoted, sizeof(quoted), message);
	length = snprintf(line, sizeof(line),
		"time=%s.%03ldZ level=%s program=%s%s%s msg=\"%s\"\n", stamp,
		now.tv_nsec / 1000000, level_names[level], log_program,
		who != NULL ? " req=" : "", who != NULL ? who : "", quoted);
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* there is nowhere left to say it */
}

PRINTF_LIKE(3, 0)
static void
write_args(
	enum log_level level, const char *who, const char *format, va_list args)
{
	char message[LINE_BYTES];

	if (level > log_limit)
		return;
	vsnprintf(message, sizeof(message), format, args);
	write_line(level, who, message);
}

void
log_error(const char *who, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_args(LOG_ERROR, who, format, args);
	va_end(args);
}

void
log_warn(const char *who, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_args(LOG_WARN, who, format, args);
	va_end(args);
}

void
log_info(const char *who, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_args(LOG_INFO, who, format, args);
	va_end(args);
}

void
log_debug(const char *who, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_args(LOG_DEBUG, who, format, args);
	va_end(args);
}
