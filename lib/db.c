/* db: prepared statements with typed values, notifications and rows. */

#include "lib/db.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/db_connection.h"
#include "lib/db_wire.h"
#include "lib/log.h"

struct rows {
	PGresult *result;
};

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
	rc = db_connection_describe(made, conf, application, fault);
	if (rc == RC_OK)
		rc = db_connection_make(made, fault);
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
	db_connection_drop(db);
	arena_free(db->scratch);
	arena_free(db->arena);
}

static enum rc
send_and_collect(struct db *db, const struct stmt *stmt, struct params params,
	struct db_wire *wire, PGresult **result, struct fault *fault)
{
	if (!PQsendQueryPrepared(db->conn, stmt->name, (int)params.count,
		    wire->values, wire->lengths, wire->formats, 1))
		return db_connection_lost(db, fault);
	return db_connection_take(db, stmt->name, result, fault);
}

static enum rc
run(struct db *db, const struct stmt *stmt, struct params params,
	PGresult **result, struct fault *fault)
{
	struct db_wire wire;
	struct buf encoded;
	enum rc rc;

	rc = db_connection_ensure(db, fault);
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
	PGresult *result = NULL;
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
	PGresult *result = NULL;
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
	PGresult *result = NULL;
	enum rc rc = db_connection_ensure(db, fault);

	if (rc != RC_OK)
		return rc;
	if (!PQsendQuery(db->conn, sql))
		return db_connection_lost(db, fault);
	rc = db_connection_take(db, "script", &result, fault);
	if (rc == RC_OK)
		PQclear(result);
	return rc;
}

enum rc
db_listen(struct db *db, const char *channel, struct fault *fault)
{
	enum rc rc = db_connection_ensure(db, fault);

	if (db->listening_count == DB_LISTENING_MAX)
		return fault_set(fault, RC_BUG, "listening to too much");
	db->listening[db->listening_count++] = arena_strdup(db->arena, channel);
	return rc == RC_OK ? db_connection_listen(db, channel, fault) : rc;
}

enum rc
db_wait(struct db *db, struct arena *arena, int timeout_ms, char **payload,
	struct fault *fault)
{
	int64_t deadline_us = clock_steady_us() + (int64_t)timeout_ms * 1000;
	enum rc rc = db_connection_ensure(db, fault);

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
		if (!db_connection_wait(db->conn, POLLIN, deadline_us))
			return RC_OK;
		if (!PQconsumeInput(db->conn))
			return db_connection_lost(db, fault);
	}
}

bool
db_notified(struct db *db)
{
	PGnotify *notify;
	bool notified = db->conn == NULL || !db_connection_alive(db);

	while (db->conn != NULL && (notify = PQnotifies(db->conn)) != NULL) {
		PQfreemem(notify);
		notified = true;
	}
	notified |= db->connected_anew;
	db->connected_anew = false;
	return notified;
}

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
