/*
 * conf: one INI file into one struct, described by one table per program.
 *
 * A key that the table does not know, a value that is not of its kind or out
 * of range stops the program with file and line. Secrets are never values:
 * they are CONF_PATH keys that name a file.
 */
#ifndef FG_LIB_CONF_H
#define FG_LIB_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/arena.h"
#include "lib/fault.h"

enum conf_kind {
	CONF_TEXT, /* const char * */
	CONF_PATH, /* const char *; relative to the folder of the file */
	CONF_INT,  /* int64_t, minimum..maximum */
	CONF_BOOL, /* bool: yes no true false on off 1 0 */
	CONF_LIST, /* const char **, NULL-terminated; separated by spaces */
};

struct conf_entry {
	const char *section;
	const char *key;
	enum conf_kind kind;
	size_t offset;        /* of the target in the program's struct */
	const char *fallback; /* as text; NULL = the key is required */
	int64_t minimum;
	int64_t maximum;
	const char *help; /* one line, with the unit */
};

#define CONF_END                                                               \
	{                                                                      \
		.section = NULL                                                \
	}

/*
 * Fill "target" from "path" by "entries"; all text lives in "arena".
 * Fails: RC_IO the file cannot be read; RC_BAD_INPUT with "path:line: why".
 */
MUST_CHECK enum rc conf_load(struct arena *arena, const char *path,
	const struct conf_entry *entries, void *target, struct fault *fault);

/* As conf_load, from text in memory; "path" is for messages and folders. */
MUST_CHECK enum rc conf_parse(struct arena *arena, const char *path,
	const char *text, const struct conf_entry *entries, void *target,
	struct fault *fault);

/* The table as help text: key, default, range and meaning. */
void conf_help(FILE *out, const struct conf_entry *entries);

#endif
