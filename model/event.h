/*
 * event: one entry of the Chronological Event List; append-only.
 */
#ifndef FG_MODEL_EVENT_H
#define FG_MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/field.h"
#include "lib/req.h"

struct event {
	int64_t id;
	int64_t time_us;       /* at the plant */
	int64_t datasource_id; /* 0 = of the grid */
	int32_t variable_id;   /* 0 = of no variable */
	const char *variable;  /* NULL = of no variable */
	const char *kind;
	const char *text;
	const char *value;     /* NULL = none */
	const char *old_value; /* NULL = none */
	const char *username;  /* NULL = nobody */
	const char *full_name; /* NULL = unknown */
	const char *computer;  /* NULL = unknown */
	const char *comment;   /* NULL = none */
	int64_t class_number;  /* 0 = none */
	int64_t group_number;  /* 0 = none */
	const uint8_t *about;  /* uuid of the alarm or command; NULL = none */
};

struct event_list {
	size_t count;
	const struct event *items;
};

/* --- writing -------------------------------------------------------------- */

/* What a service writes. */
struct event_new {
	int64_t datasource_id; /* 0 = of the grid, such as a log-in */
	int32_t variable_id;   /* 0 = of no variable */
	int64_t time_us;       /* CLOCK_NEVER = now */
	const char *kind;      /* one of model/event_kind.c */
	const char *text;
	const char *value; /* NULL = none, as all below */
	const char *old_value;
	const char *username;
	const char *computer;
	const char *comment;
	int32_t class_number; /* 0 = none */
	int32_t group_number; /* 0 = none */
	const uint8_t *about; /* uuid of the alarm or command */
};

/* For db_open of every program that writes events. */
extern const struct stmt event_write_stmts[];

/*
 * Append events in the open transaction, if there is one. The full name of a
 * user is looked up. Fails: RC_UNAVAILABLE, RC_DB, RC_RETRY; RC_BUG: a kind
 * that is in no list.
 */
MUST_CHECK enum rc event_write(struct db *db, struct arena *arena,
	const struct event_new *events, size_t count, struct fault *fault);

/* Fill in who sent the request, and from which address. */
void event_of_caller(const struct req *req, struct event_new *event);

/* --- reading -------------------------------------------------------------- */

/* Lists that are NULL, and texts, do not filter. "*" and "?" are wildcards. */
struct event_filter {
	int64_t datasource_id;
	int64_t from_us; /* inclusive */
	int64_t to_us;   /* inclusive */
	struct ints variables;
	bool others;        /* those of no variable as well */
	bool grid;          /* and those of the grid */
	struct texts kinds; /* any of them, as all below */
	struct ints classes;
	struct ints groups;
	struct texts users; /* by name or full name, in any case */
	const char *text;   /* somewhere in text or comment, in any case */
	bool descending;    /* the newest first */
	int64_t after_us;   /* time and id of the last one seen */
	int64_t after_id;   /* 0 = start */
	int64_t limit;
};

struct event_page {
	struct event_list list;
	bool more; /* behind the last one */
};

extern const struct stmt event_stmts[];

/*
 * One page, by time and then by arrival; of variables that the outside may see
 * at all, rights are the caller's business.
 * Owns: lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc event_query(struct db *db, struct arena *arena,
	const struct event_filter *filter, struct event_page *page,
	struct fault *fault);

#endif
