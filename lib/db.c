/* db: one connection to PostgreSQL, prepared statements and typed values. */

#include "lib/db.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/db_wire.h"
#include "lib/log.h"
#include "lib/secret.h"

#define LISTENING_MAX 4
#define RECONNECT_US  (CLOCK_SECOND_US / 2)
#define CONNECT_MS    2000
#define GRACE_MS      2000

struct db {
	struct arena *arena;   /* as long as the db: conninfo, names */
	struct arena *scratch; /* encoded parameters of one call */
	const char *conninfo;
	const struct stmt *const *sets;
	/* Channels, to listen again after a reconnect. */
	const char *listening[LISTENING_MAX];
	size_t listening_count;
	int64_t timeout_ms;
	PGconn *conn;
	int64_t tried_us;
	bool in_transaction;
	bool connected_anew; /* what was notified before is not known */
	int nested;          /* savepoints in it */
};

struct rows {
	PGresult *result;
};

/* --- connecting ------------------------------------------------------------
 */

/* Values of a conninfo string stand between quotes (libpq, 34.1.1.1). */
static void
add_setting(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "%s='", key);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			buf_char(out, '\\');
		buf_char(out, *value);
	}
	buf_text(out, "' ");
}

static enum rc
make_conninfo(struct db *db, const struct db_conf *conf,
	const char *application, struct fault *fault)
{
	struct buf out;
	char *password = NULL;

	if (conf->password_file[0] != '\0') {
		enum rc rc = secret_read(
			db->scratch, conf->password_file, &password, fault);

		if (rc != RC_OK)
			return rc;
	}
	buf_init(&out, 4096);
	add_setting(&out, "host", conf->host);
	buf_printf(&out, "port=%d ", (int)conf->port);
	add_setting(&out, "dbname", conf->name);
	add_setting(&out, "user", conf->user);
	add_setting(&out, "sslmode", conf->sslmode);
	add_setting(&out, "application_name", application);
	if (password != NULL)
		add_setting(&out, "password", password);
	buf_printf(&out,
		"client_encoding=UTF8 connect_timeout=2 tcp_user_timeout=5000 "
		"options='-c statement_timeout=%d -c timezone=UTC'",
		(int)conf->statement_timeout_ms);
	db->conninfo = arena_strdup(db->arena, out.data);
	explicit_bzero(out.data, out.length);
	buf_free(&out);
	return RC_OK;
}

static void
disconnect(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_transaction = false;
	db->nested = 0;
}

static enum rc
refuse_unreachable(struct db *db, struct fault *fault)
{
	fault_set(fault, RC_UNAVAILABLE, "database: %s",
		db->conn != NULL ? PQerrorMessage(db->conn) : "not connected");
	disconnect(db);
	return RC_UNAVAILABLE;
}

static bool
wait_socket(PGconn *conn, short events, int64_t deadline_us)
{
	struct pollfd poll_fd = {.fd = PQsocket(conn), .events = events};
	int ready;

	do {
		int64_t left_us = deadline_us - clock_steady_us();

		if (left_us <= 0)
			return false;
		ready = poll(&poll_fd, 1, (int)(left_us / 1000) + 1);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

static bool
connect_in_time(struct db *db)
{
	int64_t deadline_us = clock_steady_us() + CONNECT_MS * 1000;
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	db->conn = PQconnectStart(db->conninfo);
	if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD)
		return false;
	while (state == PGRES_POLLING_READING ||
		state == PGRES_POLLING_WRITING) {
		short events =
			state == PGRES_POLLING_READING ? POLLIN : POLLOUT;

		if (!wait_socket(db->conn, events, deadline_us))
			return false;
		state = PQconnectPoll(db->conn);
	}
	return state == PGRES_POLLING_OK;
}

/*
 * Take the results of what was sent, keep the last. NULL when the server did
 * not answer in time or the connection broke.
 */
static PGresult *
collect(struct db *db)
{
	int64_t deadline_us =
		clock_steady_us() + (db->timeout_ms + GRACE_MS) * 1000;
	PGresult *last = NULL;

	for (;;) {
		PGresult *result;

		while (PQisBusy(db->conn)) {
			if (!wait_socket(db->conn, POLLIN, deadline_us) ||
				!PQconsumeInput(db->conn)) {
				PQclear(last);
				return NULL;
			}
		}
		result = PQgetResult(db->conn);
		if (result == NULL)
			return last;
		if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
			PQclear(result);
			continue;
		}
		PQclear(last);
		last = result;
	}
}

/* What an SQLSTATE means here (PostgreSQL, appendix A). */
static enum rc
classify(const char *sqlstate)
{
	if (sqlstate == NULL || strncmp(sqlstate, "08", 2) == 0 ||
		strncmp(sqlstate, "57P", 3) == 0 ||
		strncmp(sqlstate, "53", 2) == 0 ||
		strcmp(sqlstate, "57014") == 0 ||
		strcmp(sqlstate, "25006") == 0)
		return RC_UNAVAILABLE;
	if (strncmp(sqlstate, "40", 2) == 0)
		return RC_RETRY;
	if (strcmp(sqlstate, "23505") == 0)
		return RC_CONFLICT;
	return RC_DB;
}

/* The fault for a result that is an error; consumes the result. */
static enum rc
refuse_result(
	struct db *db, const char *what, PGresult *result, struct fault *fault)
{
	enum rc rc = classify(PQresultErrorField(result, PG_DIAG_SQLSTATE));

	fault_set(fault, rc, "%s: %s", what, PQresultErrorMessage(result));
	PQclear(result);
	if (PQstatus(db->conn) == CONNECTION_BAD)
		disconnect(db);
	return rc;
}

static bool
is_success(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	       status == PGRES_EMPTY_QUERY;
}

static enum rc
prepare(struct db *db, const struct stmt *stmt, struct fault *fault)
{
	Oid types[DB_WIRE_PARAMS_MAX] = {0};
	size_t count = strlen(stmt->types);
	PGresult *result;

	if (count > DB_WIRE_PARAMS_MAX)
		return fault_set(
			fault, RC_BUG, "%s: too many parameters", stmt->name);
	for (size_t i = 0; i < count; i++) {
		types[i] = db_wire_type(stmt->types[i]);
		if (types[i] == 0)
			return fault_set(fault, RC_BUG,
				"%s: unknown type letter", stmt->name);
	}
	if (!PQsendPrepare(db->conn, stmt->name, stmt->sql, (int)count, types))
		return refuse_unreachable(db, fault);
	result = collect(db);
	if (result == NULL)
		return refuse_unreachable(db, fault);
	if (!is_success(result))
		return refuse_result(db, stmt->name, result, fault);
	PQclear(result);
	return RC_OK;
}

static enum rc
prepare_all(struct db *db, struct fault *fault)
{
	for (size_t i = 0; db->sets != NULL && db->sets[i] != NULL; i++)
		for (const struct stmt *stmt = db->sets[i]; stmt->name != NULL;
			stmt++) {
			enum rc rc = prepare(db, stmt, fault);

			if (rc != RC_OK)
				return rc;
		}
	return RC_OK;
}

static enum rc
listen_to(struct db *db, const char *channel, struct fault *fault)
{
	char *quoted = PQescapeIdentifier(db->conn, channel, strlen(channel));
	char *sql;

	if (quoted == NULL)
		return refuse_unreachable(db, fault);
	sql = arena_printf(db->scratch, "LISTEN %s", quoted);
	PQfreemem(quoted);
	return db_script(db, sql, fault);
}

static enum rc
listen_again(struct db *db, struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < db->listening_count && rc == RC_OK; i++)
		rc = listen_to(db, db->listening[i], fault);
	return rc;
}

static enum rc
connect_now(struct db *db, struct fault *fault)
{
	enum rc rc;

	db->tried_us = clock_steady_us();
	if (!connect_in_time(db))
		return refuse_unreachable(db, fault);
	rc = prepare_all(db, fault);
	if (rc == RC_OK)
		rc = listen_again(db, fault);
	if (rc != RC_OK)
		disconnect(db);
	db->connected_anew = true;
	return rc;
}

/* A server that ended the connection in the meantime has said so: the socket
 * is readable although nothing was asked. */
static bool
still_connected(struct db *db)
{
	struct pollfd now = {.fd = PQsocket(db->conn), .events = POLLIN};

	while (PQstatus(db->conn) == CONNECTION_OK && poll(&now, 1, 0) > 0 &&
		PQconsumeInput(db->conn))
		continue; /* its last words, then the end */
	return PQstatus(db->conn) == CONNECTION_OK;
}

/* A connection that broke while a transaction was open is not replaced
 * silently: the caller's transaction is gone, so it must hear of it. */
static enum rc
ensure_connected(struct db *db, struct fault *fault)
{
	if (db->conn != NULL) {
		if (still_connected(db))
			return RC_OK;
		if (db->in_transaction)
			return refuse_unreachable(db, fault);
		disconnect(db);
		return connect_now(db, fault);
	}
	if (clock_steady_us() - db->tried_us < RECONNECT_US)
		return fault_set(fault, RC_UNAVAILABLE,
			"database: waiting to connect again");
	return connect_now(db, fault);
}

enum rc
db_open(const struct db_conf *conf, const char *application,
	const struct stmt *const *sets, struct db **db, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct db *made = arena_alloc(arena, sizeof(*made));
	enum rc rc;

	made->arena = arena;
	made->scratch = arena_new();
	made->sets = sets;
	made->timeout_ms = conf->statement_timeout_ms;
	rc = make_conninfo(made, conf, application, fault);
	if (rc == RC_OK)
		rc = connect_now(made, fault);
	if (rc != RC_OK && rc != RC_UNAVAILABLE) {
		db_close(made);
		return rc;
	}
	if (rc == RC_UNAVAILABLE)
		log_warn(NULL, "%s", fault->text);
	*db = made;
	return RC_OK;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	arena_free(db->scratch);
	arena_free(db->arena);
}

/* --- running -----------------------------------------------------------------
 */

static enum rc
send_and_collect(struct db *db, const struct stmt *stmt, struct params params,
	struct db_wire *wire, PGresult **result, struct fault *fault)
{
	if (!PQsendQueryPrepared(db->conn, stmt->name, (int)params.count,
		    wire->values, wire->lengths, wire->formats, 1))
		return refuse_unreachable(db, fault);
	*result = collect(db);
	if (*result == NULL)
		return refuse_unreachable(db, fault);
	if (!is_success(*result))
		return refuse_result(db, stmt->name, *result, fault);
	return RC_OK;
}

static enum rc
run(struct db *db, const struct stmt *stmt, struct params params,
	PGresult **result, struct fault *fault)
{
	struct db_wire wire;
	struct buf encoded;
	enum rc rc;

	rc = ensure_connected(db, fault);
	if (rc != RC_OK)
		return rc;
	buf_init(&encoded, (size_t)256 * 1024 * 1024);
	if (params.count > 0)
		buf_text(&encoded, ""); /* data is never NULL below */
	rc = db_wire_encode(stmt, params, &encoded, &wire, fault);
	if (rc == RC_OK)
		rc = send_and_collect(db, stmt, params, &wire, result, fault);
	buf_free(&encoded);
	return rc;
}

static void
clear_result(void *result)
{
	PQclear(result);
}

enum rc
db_query(struct db *db, struct arena *arena, const struct stmt *stmt,
	struct params params, struct rows **rows, struct fault *fault)
{
	PGresult *result;
	enum rc rc = run(db, stmt, params, &result, fault);

	if (rc != RC_OK)
		return rc;
	*rows = arena_alloc(arena, sizeof(**rows));
	(*rows)->result = result;
	arena_defer(arena, clear_result, result);
	return RC_OK;
}

enum rc
db_exec(struct db *db, const struct stmt *stmt, struct params params,
	int64_t *affected, struct fault *fault)
{
	PGresult *result;
	enum rc rc = run(db, stmt, params, &result, fault);

	if (rc != RC_OK)
		return rc;
	if (affected != NULL)
		*affected = strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return RC_OK;
}

enum rc
db_find(struct db *db, struct arena *arena, const struct stmt *stmt,
	struct params params, struct rows **rows, struct fault *fault)
{
	enum rc rc = db_query(db, arena, stmt, params, rows, fault);

	if (rc == RC_OK && rows_count(*rows) == 0)
		return fault_set(fault, RC_NOT_FOUND, "%s: no row", stmt->name);
	return rc;
}

enum rc
db_script(struct db *db, const char *sql, struct fault *fault)
{
	PGresult *result;
	enum rc rc = ensure_connected(db, fault);

	if (rc != RC_OK)
		return rc;
	if (!PQsendQuery(db->conn, sql))
		return refuse_unreachable(db, fault);
	result = collect(db);
	if (result == NULL)
		return refuse_unreachable(db, fault);
	if (!is_success(result))
		return refuse_result(db, "script", result, fault);
	PQclear(result);
	return RC_OK;
}

static enum rc
savepoint(struct db *db, const char *verb, struct fault *fault)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "%s nested_%d", verb, db->nested);
	return db_script(db, sql, fault);
}

/* What needs a transaction of its own may be a part of a larger one. */
static enum rc
begin_nested(struct db *db, enum db_isolation isolation, struct fault *fault)
{
	enum rc rc;

	if (isolation != DB_READ_COMMITTED)
		return fault_set(fault, RC_BUG,
			"this transaction cannot be a part of another");
	db->nested++;
	rc = savepoint(db, "SAVEPOINT", fault);
	if (rc != RC_OK && db->nested > 0)
		db->nested--;
	return rc;
}

static enum rc
commit_nested(struct db *db, struct fault *fault)
{
	enum rc rc = savepoint(db, "RELEASE SAVEPOINT", fault);

	if (db->nested > 0)
		db->nested--;
	return rc;
}

static void
rollback_nested(struct db *db)
{
	struct fault ignored;

	if (savepoint(db, "ROLLBACK TO SAVEPOINT", &ignored) != RC_OK)
		disconnect(db);
	else
		db->nested--;
}

enum rc
db_begin(struct db *db, enum db_isolation isolation, struct fault *fault)
{
	static const char *const begins[] = {
		[DB_READ_COMMITTED] = "BEGIN",
		[DB_SNAPSHOT_READ_ONLY] =
			"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		[DB_SERIALIZABLE] = "BEGIN ISOLATION LEVEL SERIALIZABLE",
	};
	enum rc rc;

	if (db->in_transaction)
		return begin_nested(db, isolation, fault);
	rc = db_script(db, begins[isolation], fault);
	if (rc == RC_OK)
		db->in_transaction = true;
	return rc;
}

/* COMMIT of an aborted transaction answers ROLLBACK, which is no error to
 * libpq: the state before tells. */
enum rc
db_commit(struct db *db, struct fault *fault)
{
	bool sound = db->conn != NULL &&
		     PQtransactionStatus(db->conn) == PQTRANS_INTRANS;
	enum rc rc;

	if (db->conn == NULL)
		return fault_set(fault, RC_UNAVAILABLE,
			"commit: the connection is gone");
	if (db->nested > 0)
		return commit_nested(db, fault);
	db->in_transaction = false;
	rc = db_script(db, "COMMIT", fault);
	if (rc == RC_OK && !sound)
		return fault_set(
			fault, RC_DB, "commit: the transaction had failed");
	return rc;
}

void
db_rollback(struct db *db)
{
	struct fault ignored;

	if (db->nested > 0) {
		rollback_nested(db);
		return;
	}
	db->in_transaction = false;
	if (db->conn == NULL)
		return;
	if (db_script(db, "ROLLBACK", &ignored) != RC_OK)
		disconnect(db);
}

bool
db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}

enum rc
db_listen(struct db *db, const char *channel, struct fault *fault)
{
	enum rc rc = ensure_connected(db, fault);

	if (db->listening_count == LISTENING_MAX)
		return fault_set(fault, RC_BUG, "listening to too much");
	db->listening[db->listening_count++] = arena_strdup(db->arena, channel);
	return rc == RC_OK ? listen_to(db, channel, fault) : rc;
}

enum rc
db_wait(struct db *db, struct arena *arena, int timeout_ms, char **payload,
	struct fault *fault)
{
	int64_t deadline_us = clock_steady_us() + (int64_t)timeout_ms * 1000;
	enum rc rc = ensure_connected(db, fault);

	*payload = NULL;
	if (rc != RC_OK)
		return rc;
	for (;;) {
		PGnotify *notify = PQnotifies(db->conn);

		if (notify != NULL) {
			*payload = arena_strdup(arena, notify->extra);
			PQfreemem(notify);
			return RC_OK;
		}
		if (!wait_socket(db->conn, POLLIN, deadline_us))
			return RC_OK;
		if (!PQconsumeInput(db->conn))
			return refuse_unreachable(db, fault);
	}
}

bool
db_notified(struct db *db)
{
	PGnotify *notify;
	bool notified = db->conn == NULL || !still_connected(db);

	while (db->conn != NULL && (notify = PQnotifies(db->conn)) != NULL) {
		PQfreemem(notify);
		notified = true;
	}
	notified |= db->connected_anew;
	db->connected_anew = false;
	return notified;
}

/* --- rows --------------------------------------------------------------------
 */

size_t
rows_count(const struct rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

bool
rows_null(const struct rows *rows, size_t row, int column)
{
	return PQgetisnull(rows->result, (int)row, column) != 0;
}

struct db_cell
db_cell(const struct rows *rows, size_t row, int column)
{
	return (struct db_cell){
		.data = PQgetvalue(rows->result, (int)row, column),
		.length = (size_t)PQgetlength(rows->result, (int)row, column),
		.type = PQftype(rows->result, column),
		.column = PQfname(rows->result, column),
		.null = rows_null(rows, row, column),
	};
}
