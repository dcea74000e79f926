/* db: one connection to PostgreSQL, prepared statements and typed values. */

#include "lib/db.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

#define PARAMS_MAX        32
#define LISTENING_MAX     4
#define RECONNECT_US      (CLOCK_SECOND_US / 2)
#define CONNECT_MS        2000
#define GRACE_MS          2000
/* PostgreSQL counts timestamps from 2000-01-01. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

/* Type OIDs of PostgreSQL's catalogue (pg_type.dat); fixed for ever. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BYTEA_ARRAY = 1001,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_FLOAT8_ARRAY = 1022,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
};

struct db {
	struct arena *arena; /* as long as the db: conninfo, names */
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
};

struct rows {
	PGresult *result;
};

/* One call's parameters as libpq wants them. */
struct wire {
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX];
	int formats[PARAMS_MAX];
};

static Oid
type_oid(char letter)
{
	switch (letter) {
	case 'i':
		return OID_INT8;
	case 'n':
		return OID_INT4;
	case 'o':
		return OID_BOOL;
	case 'd':
		return OID_FLOAT8;
	case 't':
		return OID_TEXT;
	case 'b':
		return OID_BYTEA;
	case 'u':
		return OID_UUID;
	case 'z':
		return OID_TIMESTAMPTZ;
	case 'I':
		return OID_INT8_ARRAY;
	case 'N':
		return OID_INT4_ARRAY;
	case 'D':
		return OID_FLOAT8_ARRAY;
	case 'T':
		return OID_TEXT_ARRAY;
	case 'B':
		return OID_BYTEA_ARRAY;
	default:
		return 0;
	}
}

/* --- connecting ------------------------------------------------------------ */

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
		if (last != NULL &&
			PQresultStatus(last) == PGRES_FATAL_ERROR) {
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
	Oid types[PARAMS_MAX] = {0};
	size_t count = strlen(stmt->types);
	PGresult *result;

	if (count > PARAMS_MAX)
		return fault_set(
			fault, RC_BUG, "%s: too many parameters", stmt->name);
	for (size_t i = 0; i < count; i++) {
		types[i] = type_oid(stmt->types[i]);
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
	char *quoted =
		PQescapeIdentifier(db->conn, channel, strlen(channel));
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
	return rc;
}

/* A connection that broke while a transaction was open is not replaced
 * silently: the caller's transaction is gone, so it must hear of it. */
static enum rc
ensure_connected(struct db *db, struct fault *fault)
{
	if (db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK)
		return RC_OK;
	if (db->conn != NULL)
		return refuse_unreachable(db, fault);
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

/* --- parameters -------------------------------------------------------------- */

static void
put_int32(struct buf *out, int64_t value)
{
	uint32_t big = htobe32((uint32_t)value);

	buf_add(out, &big, sizeof(big));
}

static void
put_int64(struct buf *out, int64_t value)
{
	uint64_t big = htobe64((uint64_t)value);

	buf_add(out, &big, sizeof(big));
}

static void
put_double(struct buf *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_int64(out, (int64_t)bits);
}

/* The length word -1 is NULL in an array. */
static void
put_item(struct buf *out, const void *data, size_t bytes)
{
	put_int32(out, data == NULL ? -1 : (int64_t)bytes);
	if (data != NULL)
		buf_add(out, data, bytes);
}

static Oid
element_oid(char letter)
{
	return type_oid((char)(letter == 'N' ? 'n' : tolower(letter)));
}

/* array_recv's form: dimensions, has-null, element type, length, lower bound. */
static void
put_array(struct buf *out, const struct param *param)
{
	put_int32(out, param->count == 0 ? 0 : 1);
	put_int32(out, 1);
	put_int32(out, element_oid(param->type));
	if (param->count == 0)
		return;
	put_int32(out, (int64_t)param->count);
	put_int32(out, 1);
	for (size_t i = 0; i < param->count; i++) {
		switch (param->type) {
		case 'I':
			put_int32(out, 8);
			put_int64(out, param->integers[i]);
			break;
		case 'N':
			put_int32(out, 4);
			put_int32(out, param->shorts[i]);
			break;
		case 'D':
			put_int32(out, 8);
			put_double(out, param->numbers[i]);
			break;
		case 'T':
			put_item(out, param->texts[i],
				param->texts[i] ? strlen(param->texts[i]) : 0);
			break;
		default:
			put_item(out, param->many[i].data,
				param->many[i].length);
		}
	}
}

static void
put_scalar(struct buf *out, const struct param *param)
{
	switch (param->type) {
	case 'i':
		put_int64(out, param->integer);
		break;
	case 'n':
		put_int32(out, param->integer);
		break;
	case 'o':
		buf_char(out, param->integer != 0);
		break;
	case 'd':
		put_double(out, param->number);
		break;
	case 'z':
		put_int64(out, param->integer - POSTGRES_EPOCH_US);
		break;
	default:
		put_array(out, param);
	}
}

static bool
is_null(const struct param *param)
{
	return param->null || (param->type == 't' && param->text == NULL) ||
		((param->type == 'b' || param->type == 'u') &&
			param->bytes.data == NULL) ||
		(param->type == 'z' && param->integer == CLOCK_NEVER);
}

/* Offsets become pointers once the buffer no longer moves. */
static enum rc
encode_params(const struct stmt *stmt, struct params params, struct buf *out,
	struct wire *wire, struct fault *fault)
{
	size_t offsets[PARAMS_MAX];

	if (params.count != strlen(stmt->types))
		return fault_set(fault, RC_BUG, "%s: %zu parameters given",
			stmt->name, params.count);
	for (size_t i = 0; i < params.count; i++) {
		const struct param *param = &params.items[i];

		if (param->type != stmt->types[i])
			return fault_set(fault, RC_BUG,
				"%s: parameter %zu is not of type %c",
				stmt->name, i + 1, stmt->types[i]);
		wire->formats[i] = 1;
		offsets[i] = out->length;
		if (!is_null(param) && strchr("tbu", param->type) == NULL)
			put_scalar(out, param);
		wire->lengths[i] = (int)(out->length - offsets[i]);
	}
	for (size_t i = 0; i < params.count; i++) {
		const struct param *param = &params.items[i];

		wire->values[i] = out->data + offsets[i];
		if (is_null(param)) {
			wire->values[i] = NULL;
		} else if (param->type == 't') {
			wire->values[i] = param->text;
			wire->lengths[i] = (int)strlen(param->text);
		} else if (param->type == 'b' || param->type == 'u') {
			wire->values[i] = param->bytes.data;
			wire->lengths[i] = (int)param->bytes.length;
		}
	}
	return out->overflow ? fault_set(fault, RC_TOO_LARGE,
				       "%s: parameters too large", stmt->name)
			     : RC_OK;
}

/* --- running ----------------------------------------------------------------- */

static enum rc
send_and_collect(struct db *db, const struct stmt *stmt, struct params params,
	struct wire *wire, PGresult **result, struct fault *fault)
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
	struct wire wire;
	struct buf encoded;
	enum rc rc;

	rc = ensure_connected(db, fault);
	if (rc != RC_OK)
		return rc;
	buf_init(&encoded, (size_t)256 * 1024 * 1024);
	if (params.count > 0)
		buf_text(&encoded, ""); /* data is never NULL below */
	rc = encode_params(stmt, params, &encoded, &wire, fault);
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

enum rc
db_begin(struct db *db, enum db_isolation isolation, struct fault *fault)
{
	static const char *const begins[] = {
		[DB_READ_COMMITTED] = "BEGIN",
		[DB_SNAPSHOT_READ_ONLY] =
			"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		[DB_SERIALIZABLE] = "BEGIN ISOLATION LEVEL SERIALIZABLE",
	};
	enum rc rc = db_script(db, begins[isolation], fault);

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

	db->in_transaction = false;
	if (db->conn == NULL)
		return fault_set(fault, RC_UNAVAILABLE,
			"commit: the connection is gone");
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
	db->listening[db->listening_count++] =
		arena_strdup(db->arena, channel);
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

/* --- rows -------------------------------------------------------------------- */

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

static const char *
cell(const struct rows *rows, size_t row, int column)
{
	return PQgetvalue(rows->result, (int)row, column);
}

/* Reading a column as what it is not is a bug of the statement's noun. */
NO_RETURN static void
die_of_type(const struct rows *rows, int column)
{
	log_error(NULL, "column %s has type %u, which its reader does not take",
		PQfname(rows->result, column), PQftype(rows->result, column));
	abort();
}

static uint64_t
get_uint64(const char *data)
{
	uint64_t big;

	memcpy(&big, data, sizeof(big));
	return be64toh(big);
}

static uint32_t
get_uint32(const char *data)
{
	uint32_t big;

	memcpy(&big, data, sizeof(big));
	return be32toh(big);
}

int64_t
rows_int(const struct rows *rows, size_t row, int column)
{
	const char *data = cell(rows, row, column);
	uint16_t half;

	if (rows_null(rows, row, column))
		return 0;
	switch (PQftype(rows->result, column)) {
	case OID_INT8:
		return (int64_t)get_uint64(data);
	case OID_INT4:
		return (int32_t)get_uint32(data);
	case OID_INT2:
		memcpy(&half, data, sizeof(half));
		return (int16_t)be16toh(half);
	default:
		die_of_type(rows, column);
	}
}

bool
rows_bool(const struct rows *rows, size_t row, int column)
{
	if (PQftype(rows->result, column) != OID_BOOL)
		die_of_type(rows, column);
	return !rows_null(rows, row, column) &&
		cell(rows, row, column)[0] != 0;
}

double
rows_num(const struct rows *rows, size_t row, int column)
{
	uint64_t bits;
	uint32_t half;
	double number;
	float narrow;

	if (rows_null(rows, row, column))
		return (double)NAN;
	switch (PQftype(rows->result, column)) {
	case OID_FLOAT8:
		bits = get_uint64(cell(rows, row, column));
		memcpy(&number, &bits, sizeof(number));
		return number;
	case OID_FLOAT4:
		half = get_uint32(cell(rows, row, column));
		memcpy(&narrow, &half, sizeof(narrow));
		return (double)narrow;
	default:
		die_of_type(rows, column);
	}
}

const char *
rows_text(const struct rows *rows, size_t row, int column)
{
	return rows_null(rows, row, column) ? NULL : cell(rows, row, column);
}

struct bytes
rows_bytes(const struct rows *rows, size_t row, int column)
{
	if (rows_null(rows, row, column))
		return (struct bytes){NULL, 0};
	return (struct bytes){cell(rows, row, column),
		(size_t)PQgetlength(rows->result, (int)row, column)};
}

int64_t
rows_time(const struct rows *rows, size_t row, int column)
{
	if (PQftype(rows->result, column) != OID_TIMESTAMPTZ)
		die_of_type(rows, column);
	if (rows_null(rows, row, column))
		return CLOCK_NEVER;
	return (int64_t)get_uint64(cell(rows, row, column)) +
		POSTGRES_EPOCH_US;
}

const uint8_t *
rows_uuid(const struct rows *rows, size_t row, int column)
{
	if (PQftype(rows->result, column) != OID_UUID)
		die_of_type(rows, column);
	return rows_null(rows, row, column)
		? NULL
		: (const uint8_t *)cell(rows, row, column);
}

const char **
rows_texts(
	const struct rows *rows, struct arena *arena, size_t row, int column)
{
	const char *data = cell(rows, row, column);
	size_t count = 0;
	const char **list;

	if (PQftype(rows->result, column) != OID_TEXT_ARRAY)
		die_of_type(rows, column);
	if (!rows_null(rows, row, column) && get_uint32(data) == 1)
		count = get_uint32(data + 12);
	list = arena_array(arena, count + 1, sizeof(*list));
	data += 20; /* behind the header that put_array describes */
	for (size_t i = 0; i < count; i++) {
		int32_t length = (int32_t)get_uint32(data);

		data += 4;
		list[i] = arena_strndup(
			arena, data, length < 0 ? 0 : (size_t)length);
		data += length < 0 ? 0 : length;
	}
	return list;
}
