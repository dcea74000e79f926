/* db_connection: connecting, preparing, and taking the answers of the server.
 */

#include "lib/db_connection.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/db_wire.h"
#include "lib/secret.h"

#define RECONNECT_US (CLOCK_SECOND_US / 2)
#define CONNECT_MS   2000
#define GRACE_MS     2000

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

enum rc
db_connection_describe(struct db *db, const struct db_conf *conf,
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

void
db_connection_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_transaction = false;
	db->nested = 0;
}

enum rc
db_connection_lost(struct db *db, struct fault *fault)
{
	fault_set(fault, RC_UNAVAILABLE, "database: %s",
		db->conn != NULL ? PQerrorMessage(db->conn) : "not connected");
	db_connection_drop(db);
	return RC_UNAVAILABLE;
}

bool
db_connection_wait(PGconn *conn, short events, int64_t deadline_us)
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

		if (!db_connection_wait(db->conn, events, deadline_us))
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
			if (!db_connection_wait(
				    db->conn, POLLIN, deadline_us) ||
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
		db_connection_drop(db);
	return rc;
}

static bool
is_success(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	       status == PGRES_EMPTY_QUERY;
}

enum rc
db_connection_take(
	struct db *db, const char *what, PGresult **result, struct fault *fault)
{
	*result = collect(db);
	if (*result == NULL)
		return db_connection_lost(db, fault);
	if (!is_success(*result))
		return refuse_result(db, what, *result, fault);
	return RC_OK;
}

static enum rc
prepare(struct db *db, const struct stmt *stmt, struct fault *fault)
{
	Oid types[DB_WIRE_PARAMS_MAX] = {0};
	size_t count = strlen(stmt->types);
	PGresult *result;
	enum rc rc;

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
		return db_connection_lost(db, fault);
	rc = db_connection_take(db, stmt->name, &result, fault);
	if (rc == RC_OK)
		PQclear(result);
	return rc;
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

enum rc
db_connection_listen(struct db *db, const char *channel, struct fault *fault)
{
	char *quoted = PQescapeIdentifier(db->conn, channel, strlen(channel));
	char *sql;

	if (quoted == NULL)
		return db_connection_lost(db, fault);
	sql = arena_printf(db->scratch, "LISTEN %s", quoted);
	PQfreemem(quoted);
	return db_script(db, sql, fault);
}

static enum rc
listen_again(struct db *db, struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < db->listening_count && rc == RC_OK; i++)
		rc = db_connection_listen(db, db->listening[i], fault);
	return rc;
}

enum rc
db_connection_make(struct db *db, struct fault *fault)
{
	enum rc rc;

	db->tried_us = clock_steady_us();
	if (!connect_in_time(db))
		return db_connection_lost(db, fault);
	rc = prepare_all(db, fault);
	if (rc == RC_OK)
		rc = listen_again(db, fault);
	if (rc != RC_OK)
		db_connection_drop(db);
	db->connected_anew = true;
	return rc;
}

/* A server that ended the connection in the meantime has said so: the socket
 * is readable although nothing was asked. */
bool
db_connection_alive(struct db *db)
{
	struct pollfd now = {.fd = PQsocket(db->conn), .events = POLLIN};

	while (PQstatus(db->conn) == CONNECTION_OK && poll(&now, 1, 0) > 0 &&
		PQconsumeInput(db->conn))
		continue; /* its last words, then the end */
	return PQstatus(db->conn) == CONNECTION_OK;
}

/* A connection that broke while a transaction was open is not replaced
 * silently: the caller's transaction is gone, so it must hear of it. */
enum rc
db_connection_ensure(struct db *db, struct fault *fault)
{
	if (db->conn != NULL) {
		if (db_connection_alive(db))
			return RC_OK;
		if (db->in_transaction)
			return db_connection_lost(db, fault);
		db_connection_drop(db);
		return db_connection_make(db, fault);
	}
	if (clock_steady_us() - db->tried_us < RECONNECT_US)
		return fault_set(fault, RC_UNAVAILABLE,
			"database: waiting to connect again");
	return db_connection_make(db, fault);
}
