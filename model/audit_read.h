/* audit_read: looking something up in the audit. */
#ifndef FG_MODEL_AUDIT_READ_H
#define FG_MODEL_AUDIT_READ_H

#include "lib/slice.h"
#include "model/audit_row.h"

extern const struct stmt audit_read_stmts[];

/* NULL and CLOCK_NEVER match everything. */
struct audit_filter {
	const char *actor;   /* name; a * at the end is any rest */
	const char *action;  /* as actor: "login.*" */
	const char *object;  /* as actor */
	const char *result;  /* ok, refused or failed */
	const char *address; /* as actor */
	int64_t from_us;     /* and later */
	int64_t to_us;       /* before */
};

/* A row with its place in the chain. */
struct audit_item {
	struct audit_row row;
	int64_t position;    /* 0 = not linked yet */
	const uint8_t *hash; /* SECRET_HASH_BYTES; NULL = not linked yet */
};

struct audit_list {
	size_t count;
	const struct audit_item *items;
};

/*
 * One page in the order of ids ("time", the only sort): walks indexes, so the
 * audit may have many millions of rows. "after" of the slice is the id.
 * Owns:  everything lives in "arena".
 * Fails: as db_query.
 */
MUST_CHECK enum rc audit_slice(struct db *db, struct arena *arena,
	const struct audit_filter *filter, struct slice *slice,
	struct audit_list *list, struct fault *fault);

#endif
