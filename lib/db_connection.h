/* db_connection: the connection below a db. Private to lib/db*.c. */
#ifndef FG_LIB_DB_CONNECTION_H
#define FG_LIB_DB_CONNECTION_H

#include "lib/db.h"

struct pg_conn;   /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

#define DB_LISTENING_MAX 4

struct db {
	struct arena *arena;   /* as long as the db: conninfo, names */
	struct arena *scratch; /* encoded parameters of one call */
	const char *conninfo;
	const struct stmt *const *sets;
	/* Channels, to listen again after a reconnect. */
	const char *listening[DB_LISTENING_MAX];
	size_t listening_count;
	int64_t timeout_ms;
	struct pg_conn *conn; /* NULL = not connected */
	int64_t tried_us;
	bool in_transaction;
	bool connected_anew; /* what was notified before is not known */
	int nested;          /* savepoints in it */
};

/* Write down how to connect. Fails: RC_IO the password file. */
MUST_CHECK enum rc db_connection_describe(struct db *db,
	const struct db_conf *conf, const char *application,
	struct fault *fault);

/* Connect, prepare every statement, listen again. */
MUST_CHECK enum rc db_connection_make(struct db *db, struct fault *fault);

/*
 * Connected, if need be anew, at most every half second. A connection that
 * broke while a transaction was open is RC_UNAVAILABLE: the caller's
 * transaction is gone, so it must hear of it.
 */
MUST_CHECK enum rc db_connection_ensure(struct db *db, struct fault *fault);

/* Has the server not ended the connection? Needs one; never waits. */
bool db_connection_alive(struct db *db);

void db_connection_drop(struct db *db);

/* Drop it; always RC_UNAVAILABLE, with the words of libpq. */
enum rc db_connection_lost(struct db *db, struct fault *fault);

/* False when nothing happened on the socket before the steady time. */
bool db_connection_wait(
	struct pg_conn *conn, short events, int64_t deadline_us);

/*
 * Take the answer to what was sent, within the statement's time.
 * Owns:  the caller clears *result, which is there on RC_OK only.
 * Fails: as db_query; "what" names the statement.
 */
MUST_CHECK enum rc db_connection_take(struct db *db, const char *what,
	struct pg_result **result, struct fault *fault);

MUST_CHECK enum rc db_connection_listen(
	struct db *db, const char *channel, struct fault *fault);

#endif
