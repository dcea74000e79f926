/*
 * audit_row: one row of the audit as it is read, and the form that is hashed.
 *
 * The hash of the row at position n of the chain is
 *
 *	SHA-256(hash of position n - 1, n, the row's columns in the order below)
 *
 * with 32 zero bytes before the first. Numbers are decimal text, the time is
 * in microseconds since 1970; each is written as a netstring ("5:hello,", the
 * length in bytes), NULL as "-,". doc/AUDIT.md has the same for other people's
 * programs.
 */
#ifndef FG_MODEL_AUDIT_ROW_H
#define FG_MODEL_AUDIT_ROW_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/db.h"
#include "lib/secret.h"

struct audit_row {
	int64_t id;
	int64_t at_us;
	const char *writer; /* the service's role in the database */
	const char *actor_kind;
	const char *actor;
	const char *subject;
	const char *client;
	const char *address;
	const char *request;
	const char *action;
	const char *object;
	const char *result;
	int64_t repeats;
	const char *before; /* JSON or NULL */
	const char *after;
};

/* The columns of table audit_entry AS entry that audit_row_take reads. */
#define AUDIT_ROW_COLUMNS                                                      \
	" entry.id, entry.at, entry.writer, entry.actor_kind, entry.actor"     \
	", entry.subject, entry.client, entry.address, entry.request"          \
	", entry.action, entry.object, entry.result, entry.repeats"            \
	", entry.old_value, entry.new_value "
#define AUDIT_ROW_COLUMN_COUNT 15

/* Read the columns from "first" on; the texts live as long as "rows". */
struct audit_row audit_row_take(const struct rows *rows, size_t row, int first);

/* The hash at "position", from the one before; "scratch" is overwritten. */
void audit_row_hash(const struct audit_row *row, int64_t position,
	const uint8_t before[SECRET_HASH_BYTES], struct buf *scratch,
	uint8_t hash[SECRET_HASH_BYTES]);

#endif
