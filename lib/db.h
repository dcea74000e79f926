/*
 * db: one connection to PostgreSQL, prepared statements and typed values.
 *
 * Nobody else knows libpq. Every statement is prepared at connect and
 * again after a reconnect, so a typo fails at start. A lost connection is
 * RC_UNAVAILABLE at once; the next call tries to connect again, at most every
 * half second.
 */
#ifndef FG_LIB_DB_H
#define FG_LIB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/fault.h"

struct db_conf {
	const char *host; /* folder of the unix socket, or a host name */
	int64_t port;
	const char *name;
	const char *user;
	const char *password_file; /* "" = none */
	const char *sslmode;
	int64_t statement_timeout_ms;
};

/* The [database] entries of a program's table; "member" is its db_conf. */
#define DB_CONF_ENTRIES(type, member, role)                                    \
	{"database", "host", CONF_TEXT, offsetof(type, member.host),           \
		"/var/run/postgresql", 0, 0,                                   \
		"PostgreSQL: host name or folder of its unix socket"},         \
		{"database", "port", CONF_INT, offsetof(type, member.port),    \
			"5432", 1, 65535, "PostgreSQL: port"},                 \
		{"database", "name", CONF_TEXT, offsetof(type, member.name),   \
			"fieldgrid", 0, 0, "PostgreSQL: database"},            \
		{"database", "user", CONF_TEXT, offsetof(type, member.user),   \
			role, 0, 0, "PostgreSQL: role of this program"},       \
		{"database", "password_file", CONF_PATH,                       \
			offsetof(type, member.password_file), "", 0, 0,        \
			"file with the role's password; empty = peer login"},  \
		{"database", "sslmode", CONF_TEXT,                             \
			offsetof(type, member.sslmode), "prefer", 0, 0,        \
			"libpq sslmode: disable, prefer, verify-full"},        \
	{                                                                      \
		"database", "statement_timeout_ms", CONF_INT,                  \
			offsetof(type, member.statement_timeout_ms), "10000",  \
			100, 3600000, "give up on a statement after ms"        \
	}

/*
 * One statement. "types" has one letter per parameter:
 *   i int8   n int4   o bool   d float8   t text   b bytea   u uuid
 *   z timestamptz     I int8[]  N int4[]  D float8[]  T text[]  B bytea[]
 * A noun keeps its statements in one array that ends with STMT_END.
 */
struct stmt {
	const char *name; /* unique in the program: <noun>_<verb> */
	const char *types;
	const char *sql;
};

#define STMT_END                                                               \
	{                                                                      \
		.name = NULL                                                   \
	}

struct bytes {
	const void *data;
	size_t length;
};

struct param {
	char type; /* a letter of struct stmt, lower or upper case */
	bool null;
	size_t count; /* of an array */
	union {
		int64_t integer; /* i n o z */
		double number;
		const char *text;
		struct bytes bytes;      /* b u */
		const int64_t *integers; /* I */
		const int32_t *shorts;   /* N */
		const double *numbers;
		const char *const *texts; /* a NULL element is NULL */
		const struct bytes *many; /* a NULL data is NULL */
	};
};

#define P_INT(v)   ((struct param){.type = 'i', .integer = (v)})
#define P_SHORT(v) ((struct param){.type = 'n', .integer = (v)})
#define P_BOOL(v)  ((struct param){.type = 'o', .integer = (v)})
#define P_NUM(v)   ((struct param){.type = 'd', .number = (v)})
/* microseconds since 1970; CLOCK_NEVER is NULL */
#define P_TIME(v) ((struct param){.type = 'z', .integer = (v)})
/* NULL is NULL */
#define P_TEXT(v)      ((struct param){.type = 't', .text = (v)})
#define P_BYTES(p, n)  ((struct param){.type = 'b', .bytes = {(p), (n)}})
#define P_UUID(p)      ((struct param){.type = 'u', .bytes = {(p), 16}})
#define P_NULL(letter) ((struct param){.type = (letter), .null = true})
#define P_INTS(p, n)                                                           \
	((struct param){.type = 'I', .count = (n), .integers = (p)})
#define P_SHORTS(p, n)                                                         \
	((struct param){.type = 'N', .count = (n), .shorts = (p)})
/* A struct ints; without items it is NULL. */
#define P_SHORT_LIST(list)                                                     \
	((list)->items != NULL ? P_SHORTS((list)->items, (list)->count)        \
			       : P_NULL('N'))
#define P_NUMS(p, n)  ((struct param){.type = 'D', .count = (n), .numbers = (p)})
#define P_TEXTS(p, n) ((struct param){.type = 'T', .count = (n), .texts = (p)})
#define P_BLOBS(p, n) ((struct param){.type = 'B', .count = (n), .many = (p)})

struct params {
	size_t count;
	const struct param *items;
};

#define PARAMS(...)                                                            \
	((struct params){                                                      \
		sizeof((struct param[]){__VA_ARGS__}) / sizeof(struct param),  \
		(struct param[]){__VA_ARGS__}})
#define NO_PARAMS ((struct params){0, NULL})

struct db;
struct rows;

/*
 * Connect and prepare every statement of "sets" (a NULL-terminated array of
 * noun arrays; lives as long as the db). A server that is not there is not an
 * error of db_open: the db is made and its calls say RC_UNAVAILABLE.
 * Fails: RC_DB a statement does not prepare; RC_IO the password file.
 */
MUST_CHECK enum rc db_open(const struct db_conf *conf, const char *application,
	const struct stmt *const *sets, struct db **db, struct fault *fault);
void db_close(struct db *db);

/*
 * Run one prepared statement and keep its rows.
 * Owns:   "rows" and every text and bytes read from it live in "arena".
 * Fails:  RC_UNAVAILABLE no server; RC_RETRY class 40; RC_CONFLICT unique
 *         violation; RC_DB everything else.
 * Blocks: at most statement_timeout_ms and 2 s, then RC_UNAVAILABLE.
 */
MUST_CHECK enum rc db_query(struct db *db, struct arena *arena,
	const struct stmt *stmt, struct params params, struct rows **rows,
	struct fault *fault);

/* As db_query for statements whose rows do not matter; "affected" may be NULL.
 */
MUST_CHECK enum rc db_exec(struct db *db, const struct stmt *stmt,
	struct params params, int64_t *affected, struct fault *fault);

/* As db_query, but exactly one row must come: RC_NOT_FOUND when none does. */
MUST_CHECK enum rc db_find(struct db *db, struct arena *arena,
	const struct stmt *stmt, struct params params, struct rows **rows,
	struct fault *fault);

enum db_isolation { DB_READ_COMMITTED, DB_SNAPSHOT_READ_ONLY, DB_SERIALIZABLE };

/* A transaction that begins within another is a part of it (a savepoint): its
 * rollback undoes only its own work, and nothing counts before the outermost
 * db_commit. Only DB_READ_COMMITTED can be a part. */
MUST_CHECK enum rc db_begin(
	struct db *db, enum db_isolation isolation, struct fault *fault);
MUST_CHECK enum rc db_commit(struct db *db, struct fault *fault);
/* Always leaves no transaction open, but for the outer one of a part. */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* Run a script of several statements, for migrations and partitions only. */
MUST_CHECK enum rc db_script(
	struct db *db, const char *sql, struct fault *fault);

/*
 * LISTEN on "channel", one of at most four, for good: a channel is kept even
 * when there is no server now. Then wait for a notification on any of them.
 * db_wait returns RC_OK with *payload in "arena", or *payload NULL when
 * "timeout_ms" passed.
 */
MUST_CHECK enum rc db_listen(
	struct db *db, const char *channel, struct fault *fault);
MUST_CHECK enum rc db_wait(struct db *db, struct arena *arena, int timeout_ms,
	char **payload, struct fault *fault);

/*
 * For those who keep what they have read: may it have changed since the last
 * call? True after a notification, after another connection was made, and
 * while there is none. Never waits.
 */
bool db_notified(struct db *db);

size_t rows_count(const struct rows *rows);
bool rows_null(const struct rows *rows, size_t row, int column);
/* int2, int4, int8; NULL is 0 */
int64_t rows_int(const struct rows *rows, size_t row, int column);
bool rows_bool(const struct rows *rows, size_t row, int column);
/* float4, float8; NULL is NaN */
double rows_num(const struct rows *rows, size_t row, int column);
/* text, varchar, name; zero-terminated; NULL is NULL */
const char *rows_text(const struct rows *rows, size_t row, int column);
struct bytes rows_bytes(const struct rows *rows, size_t row, int column);
/* timestamptz in microseconds since 1970; NULL is CLOCK_NEVER */
int64_t rows_time(const struct rows *rows, size_t row, int column);
/* 16 bytes; NULL is NULL */
const uint8_t *rows_uuid(const struct rows *rows, size_t row, int column);
/* text[]; a NULL-terminated list in "arena"; NULL is an empty list */
const char **rows_texts(
	const struct rows *rows, struct arena *arena, size_t row, int column);

#endif
