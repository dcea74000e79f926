/* authority: who signs the certificates of nodes. */

#include "model/authority.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/tls.h"
#include "lib/tls_crl.h"

#define CRL_FRESH_US CLOCK_HOUR_US
#define CRL_LIFE_US  (2 * CLOCK_DAY_US)

enum {
	STMT_LIST,
	STMT_ADD,
	STMT_SEAL,
	STMT_LOAD,
	STMT_LOCK,
	STMT_CRL,
	STMT_REVOKED,
	STMT_PUBLISH
};

const struct stmt authority_stmts[] = {
	[STMT_LIST] = {"authority_list", "",
		"SELECT id, key_id, certificate, not_before, not_after"
		"     , (SELECT count(*) FROM node_certificate AS held"
		"         WHERE held.authority_id = authority.id"
		"           AND held.revoked_at IS NULL"
		"           AND held.not_after > now())"
		"  FROM authority"
		" WHERE not_after > now()"
		" ORDER BY id DESC LIMIT 16"},
	[STMT_ADD] = {"authority_add", "ttzz",
		"INSERT INTO authority (key_id, certificate, not_before"
		", not_after) VALUES ($1, $2, $3, $4) RETURNING id"},
	[STMT_SEAL] = {"authority_seal", "nb",
		"INSERT INTO authority_key (authority_id, sealed)"
		" VALUES ($1, $2)"},
	[STMT_LOAD] = {"authority_load", "",
		"SELECT authority.id"
		"     , authority.key_id"
		"     , authority.certificate"
		"     , authority_key.sealed"
		"  FROM authority"
		"  JOIN authority_key ON authority_key.authority_id = "
		"authority.id"
		" WHERE authority.not_after > now()"
		" ORDER BY authority.id DESC LIMIT 1"},
	/* One worker at a time makes the next list. */
	[STMT_LOCK] = {"authority_lock", "n",
		"SELECT id FROM authority WHERE id = $1 FOR UPDATE"},
	/* $1 authority; the last column: has anything changed since? */
	[STMT_CRL] = {"authority_crl", "n",
		"SELECT crl.number, crl.made_at, crl.next_at, crl.der"
		"     , EXISTS (SELECT FROM node_certificate AS held"
		"                 JOIN node ON node.id = held.node_id"
		"                WHERE held.authority_id = crl.authority_id"
		"                  AND greatest(held.revoked_at"
		"                              , node.changed_at) >= "
		"crl.made_at)"
		"  FROM authority_crl AS crl WHERE crl.authority_id = $1"},
	/* A blocked node may be let in again: its certificates are on hold. */
	[STMT_REVOKED] = {"authority_revoked", "n",
		"SELECT held.serial"
		"     , coalesce(held.revoked_at, node.changed_at)"
		"     , CASE WHEN held.revoked_at IS NULL THEN 6"
		"            WHEN held.reason = 'superseded' THEN 4"
		"            WHEN held.reason = 'retired' THEN 5"
		"            ELSE 0 END"
		"  FROM node_certificate AS held"
		"  JOIN node ON node.id = held.node_id"
		" WHERE held.authority_id = $1"
		"   AND held.not_after > now()"
		"   AND (held.revoked_at IS NOT NULL"
		"        OR node.state IN ('blocked', 'retired'))"
		" ORDER BY held.serial"},
	/* $1 authority $2 number $3 made $4 next $5 DER */
	[STMT_PUBLISH] = {"authority_publish", "nizzb",
		"INSERT INTO authority_crl (authority_id, number, made_at"
		", next_at, der) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (authority_id) DO UPDATE"
		" SET number = excluded.number"
		"   , made_at = excluded.made_at"
		"   , next_at = excluded.next_at"
		"   , der = excluded.der"},
	STMT_END,
};

enum rc
authority_list(struct db *db, struct arena *arena, struct authority_list *list,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &authority_stmts[STMT_LIST], NO_PARAMS,
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		list->items[row] = (struct authority){
			.id = rows_int(rows, row, 0),
			.key_id = rows_text(rows, row, 1),
			.certificate_pem = rows_text(rows, row, 2),
			.not_before_us = rows_time(rows, row, 3),
			.not_after_us = rows_time(rows, row, 4),
			.valid_count = rows_int(rows, row, 5),
		};
	return RC_OK;
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

static const char *
seal_name(struct arena *arena, const char *key_id)
{
	return arena_printf(arena, "authority:%s", key_id);
}

static enum rc
store(struct db *db, struct arena *arena, const struct tls_identity *made,
	const struct tls_facts *facts, struct sealed sealed,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &authority_stmts[STMT_ADD],
		PARAMS(P_TEXT(facts->key_id), P_TEXT(made->certificate_pem),
			P_TIME(facts->not_before_us),
			P_TIME(facts->not_after_us)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	return db_exec(db, &authority_stmts[STMT_SEAL],
		PARAMS(P_SHORT(rows_int(rows, 0, 0)),
			P_BYTES(sealed.data, sealed.length)),
		NULL, fault);
}

enum rc
authority_add(struct db *db, struct arena *arena, const struct seal *seal,
	const struct tls_identity *made, struct fault *fault)
{
	struct tls_facts facts;
	enum rc rc = tls_read(arena, made->certificate_pem, &facts, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store(db, arena, made, &facts,
		seal_close(arena, seal, seal_name(arena, facts.key_id),
			made->private_pem),
		fault);
	return end(db, rc, fault);
}

enum rc
authority_load(struct db *db, struct arena *arena, const struct seal *seal,
	int64_t *id, struct tls_identity *identity, struct fault *fault)
{
	struct rows *rows = NULL;
	struct bytes sealed;
	enum rc rc = db_find(db, arena, &authority_stmts[STMT_LOAD], NO_PARAMS,
		&rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(fault, rc,
			"there is no authority that signs certificates: "
			"fieldgridctl ca renew makes one");
	if (rc != RC_OK)
		return rc;
	sealed = rows_bytes(rows, 0, 3);
	*id = rows_int(rows, 0, 0);
	identity->certificate_pem = rows_text(rows, 0, 2);
	identity->private_pem =
		seal_open(arena, seal, seal_name(arena, rows_text(rows, 0, 1)),
			(struct sealed){sealed.data, sealed.length});
	if (identity->private_pem == NULL)
		return fault_set(fault, RC_BUG,
			"the authority's key is sealed with another key file");
	return RC_OK;
}

/* --- the list of revoked certificates ------------------------------------ */

/* RC_NOT_FOUND when the list there is, if any, is not good any more. */
static enum rc
find_fresh(struct db *db, struct arena *arena, int64_t id,
	struct authority_crl *crl, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &authority_stmts[STMT_CRL],
		PARAMS(P_SHORT(id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	crl->number = rows_int(rows, 0, 0);
	crl->made_us = rows_time(rows, 0, 1);
	crl->next_us = rows_time(rows, 0, 2);
	crl->der = rows_bytes(rows, 0, 3);
	return rows_bool(rows, 0, 4) ||
			       clock_now_us() - crl->made_us > CRL_FRESH_US
		       ? RC_NOT_FOUND
		       : RC_OK;
}

static enum rc
read_revoked(struct db *db, struct arena *arena, int64_t id,
	struct tls_crl *list, struct fault *fault)
{
	struct tls_revoked *items;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &authority_stmts[STMT_REVOKED],
		PARAMS(P_SHORT(id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t row = 0; row < list->count; row++)
		items[row] = (struct tls_revoked){
			.serial = rows_text(rows, row, 0),
			.at_us = rows_time(rows, row, 1),
			.reason = (enum tls_reason)rows_int(rows, row, 2),
		};
	list->items = items;
	return RC_OK;
}

/* With the lock held; "crl" has the number of the list before, or 0. */
static enum rc
make(struct db *db, struct arena *arena, const struct tls_identity *identity,
	int64_t id, struct authority_crl *crl, struct fault *fault)
{
	int64_t now_us = clock_now_us();
	struct tls_crl list = {.number = crl->number + 1,
		.from_us = now_us,
		.next_us = now_us + CRL_LIFE_US};
	struct tls_bytes der = {NULL, 0};
	enum rc rc = read_revoked(db, arena, id, &list, fault);

	if (rc == RC_OK)
		rc = tls_crl_write(arena, identity, &list, &der, fault);
	if (rc != RC_OK)
		return rc;
	crl->number = list.number;
	crl->made_us = list.from_us;
	crl->next_us = list.next_us;
	crl->der = (struct bytes){der.data, der.length};
	return db_exec(db, &authority_stmts[STMT_PUBLISH],
		PARAMS(P_SHORT(id), P_INT(crl->number), P_TIME(crl->made_us),
			P_TIME(crl->next_us), P_BYTES(der.data, der.length)),
		NULL, fault);
}

static enum rc
make_locked(struct db *db, struct arena *arena,
	const struct tls_identity *identity, int64_t id,
	struct authority_crl *crl, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &authority_stmts[STMT_LOCK],
		PARAMS(P_SHORT(id)), &rows, fault);

	if (rc == RC_OK)
		rc = find_fresh(db, arena, id, crl, fault);
	return rc == RC_NOT_FOUND ? make(db, arena, identity, id, crl, fault)
				  : rc;
}

enum rc
authority_crl(struct db *db, struct arena *arena, const struct seal *seal,
	struct authority_crl *crl, struct fault *fault)
{
	struct tls_identity identity;
	int64_t id = 0;
	enum rc rc = authority_load(db, arena, seal, &id, &identity, fault);

	*crl = (struct authority_crl){.number = 0};
	if (rc == RC_OK)
		rc = find_fresh(db, arena, id, crl, fault);
	if (rc != RC_NOT_FOUND || id == 0)
		return rc;
	rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	return end(
		db, make_locked(db, arena, &identity, id, crl, fault), fault);
}
