/* db_transaction: transactions, and transactions within them. */

#include <libpq-fe.h>
#include <stdio.h>

#include "lib/db_connection.h"

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
		db_connection_drop(db);
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
		db_connection_drop(db);
}

bool
db_in_transaction(const struct db *db)
{
	return db->in_transaction;
}
