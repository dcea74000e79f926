/*
 * alarm_vocabulary: the words of a plant's alarms as one document, as
 * engineers keep them in a file: names of classes, groups and areas, and the
 * tree of causes. No ids: everything is known by number or name, so the file
 * of one plant serves another. What is written is read back as the same.
 *
 * {"classes": [{"number": 7, "name": "Process", "colour": "", …}, …],
 *  "groups": […], "areas": [{"name": "Hall 1", …}, …],
 *  "causes": [{"name": "Drive", …, "children": […]}, …]}
 */
#ifndef FG_MODEL_ALARM_VOCABULARY_H
#define FG_MODEL_ALARM_VOCABULARY_H

#include "model/alarm_category.h"
#include "model/alarm_cause.h"
#include "model/alarm_limit_store.h"

#define ALARM_VOCABULARY_BYTES ((size_t)8 * 1024 * 1024)

/* What was read, as the statements take it. */
struct alarm_vocabulary {
	const char *categories; /* JSON: kind, number, name, colour, … */
	const char *causes;     /* JSON: path from the top, description, … */
};

extern const struct stmt alarm_vocabulary_stmts[];

/* Owns:  the texts live in "arena".
 * Fails: RC_BAD_INPUT with the place; RC_TOO_LARGE TooManyCauses. */
MUST_CHECK enum rc alarm_vocabulary_read(struct arena *arena,
	struct json_object *document, struct alarm_vocabulary *vocabulary,
	struct fault *fault);

/*
 * Make and change what differs, all or nothing, within the caller's
 * transaction. With ALARM_LIMIT_REPLACE names that are not given are forgotten
 * and causes marked as removed.
 * Fails: RC_BAD_INPUT GivenTwice, RC_TOO_LARGE TooManyCauses.
 */
MUST_CHECK enum rc alarm_vocabulary_put(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_vocabulary *vocabulary,
	enum alarm_limit_mode mode, struct alarm_limit_count *counts,
	struct fault *fault);

/* The document of a plant, into an empty writer. */
MUST_CHECK enum rc alarm_vocabulary_write(struct db *db, struct arena *arena,
	int64_t datasource_id, struct jsonw *json, struct fault *fault);

#endif
