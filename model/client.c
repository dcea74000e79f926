/* client: a program that asks for tokens. */

#include "model/client.h"

#include <string.h>

#include "lib/encode.h"
#include "lib/secret.h"
#include "model/client_row.h"
#include "model/failure.h"

/* Wrong secrets before the first wait: of one client at one address, of an
 * address; and the longest wait of each. Libraries that try Basic first and
 * then the form are wrong once. */
#define PAIR_FREE     5
#define PAIR_WAIT_S   60
#define SOURCE_FREE   50
#define SOURCE_WAIT_S 10

#define ACCESS_S   3600
#define IDLE_S     604800
#define ABSOLUTE_S 2592000

enum {
	STMT_CREATE,
	STMT_CHANGE,
	STMT_REMOVE,
	STMT_FIND,
	STMT_LOG_IN,
	STMT_LIST,
	STMT_STORE,
	STMT_FORGET,
	STMT_STATE,
	STMT_ORIGIN
};

const struct stmt client_stmts[] = {
	/* $1 client_id $2 node or 0, then what settings() lists */
	[STMT_CREATE] = {"client_create", "tntTTTTTotttotnnnnootot",
		"INSERT INTO client (client_id, node_id, name, grants, scopes"
		", redirect_uris, logout_uris, origins, require_pkce"
		", authentication, certificate_kind, certificate_name"
		", rotate_refresh, algorithm, refresh_grace_s, access_token_s"
		", refresh_idle_s, refresh_absolute_s, trusted, introspects"
		", backchannel_logout_uri, backchannel_session_required"
		", home_page)"
		" VALUES ($1, nullif($2, 0), $3, $4, $5, $6, $7, $8, $9, $10"
		", $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22"
		", $23)"
		" RETURNING " CLIENT_COLUMNS},
	/* $1 id $2 unused, then the same */
	[STMT_CHANGE] = {"client_change", "nntTTTTTotttotnnnnootot",
		"UPDATE client SET (name, grants, scopes"
		", redirect_uris, logout_uris, origins, require_pkce"
		", authentication, certificate_kind, certificate_name"
		", rotate_refresh, algorithm, refresh_grace_s, access_token_s"
		", refresh_idle_s, refresh_absolute_s, trusted, introspects"
		", backchannel_logout_uri, backchannel_session_required"
		", home_page, epoch)"
		" = ($3, $4, $5, $6, $7, $8, $9, $10"
		", $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22"
		", $23, epoch + 1)"
		" WHERE id = $1 AND $2 = 0"
		" RETURNING " CLIENT_COLUMNS},
	[STMT_REMOVE] = {"client_remove", "n",
		"DELETE FROM client WHERE id = $1"},
	[STMT_FIND] = {"client_find", "t",
		"SELECT " CLIENT_COLUMNS "  FROM client WHERE client_id = $1"},
	/* $1 client_id $2 subjects of failures; always one row */
	[STMT_LOG_IN] = {"client_log_in", "tT",
		"SELECT " CLIENT_COLUMNS ", client_secret.hash"
		"     , failed.wait_s"
		"     , failed.count"
		"  FROM (SELECT count(*) FILTER (WHERE subject = ($2)[1])"
		"             , coalesce(max(ceil(extract(epoch FROM"
		"               blocked_until - now())))::bigint, 0) AS wait_s"
		"          FROM login_failure"
		"         WHERE subject = ANY ($2)) AS failed"
		"  LEFT JOIN client ON client.client_id = $1"
		"   AND client.state = 'active'"
		"  LEFT JOIN client_secret"
		"    ON client_secret.client_id = client.id"},
	[STMT_LIST] = {"client_list", "",
		"SELECT " CLIENT_COLUMNS
		"  FROM client ORDER BY client_id LIMIT 10000"},
	[STMT_STORE] = {"client_store", "nb",
		"INSERT INTO client_secret (client_id, hash) VALUES ($1, $2)"
		" ON CONFLICT (client_id) DO UPDATE SET hash = excluded.hash"},
	[STMT_FORGET] = {"client_forget", "n",
		"DELETE FROM client_secret WHERE client_id = $1"},
	[STMT_STATE] = {"client_state", "nt",
		"UPDATE client SET state = $2, epoch = epoch + 1"
		" WHERE id = $1"},
	[STMT_ORIGIN] = {"client_origin", "t",
		"SELECT EXISTS (SELECT FROM client"
		"  WHERE state = 'active' AND $1 = ANY (origins))"},
	STMT_END,
};

static const char *const none[] = {NULL};

/* --- making and changing ------------------------------------------------ */

static struct param
text_list(const char *const *list)
{
	size_t count = 0;

	if (list == NULL)
		list = none;
	while (list[count] != NULL)
		count++;
	return P_TEXTS(list, count);
}

static const char *
text_or(const char *text, const char *fallback)
{
	return text != NULL ? text : fallback;
}

static const char *
or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static int64_t
number_or(int64_t number, int64_t fallback)
{
	return number != 0 ? number : fallback;
}

/* A node shows its token with every request: the short signature. */
static const char *
usual_algorithm(const struct client_new *wanted)
{
	return wanted->node_id != 0 ? "ES256" : "RS256";
}

/* Create or change: the statements take the same columns after two. */
static enum rc
store_client(struct db *db, struct arena *arena, int statement,
	struct param first, struct param second,
	const struct client_new *wanted, struct client *client,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[statement],
		PARAMS(first, second, P_TEXT(wanted->name),
			text_list(wanted->grants), text_list(wanted->scopes),
			text_list(wanted->redirect_uris),
			text_list(wanted->logout_uris),
			text_list(wanted->origins),
			P_BOOL(!wanted->allow_no_pkce),
			P_TEXT(text_or(
				wanted->authentication, CLIENT_BY_SECRET)),
			P_TEXT(wanted->certificate_kind),
			P_TEXT(wanted->certificate_name),
			P_BOOL(!wanted->keep_refresh),
			P_TEXT(text_or(
				wanted->algorithm, usual_algorithm(wanted))),
			P_SHORT(wanted->refresh_grace_s),
			P_SHORT(number_or(wanted->access_token_s, ACCESS_S)),
			P_SHORT(number_or(wanted->refresh_idle_s, IDLE_S)),
			P_SHORT(number_or(
				wanted->refresh_absolute_s, ABSOLUTE_S)),
			P_BOOL(wanted->trusted), P_BOOL(wanted->introspects),
			P_TEXT(or_null(wanted->backchannel_logout_uri)),
			P_BOOL(wanted->backchannel_session_required),
			P_TEXT(text_or(wanted->home_page, ""))),
		&rows, fault);

	if (rc == RC_OK)
		client_read(rows, arena, 0, client);
	return rc;
}

static bool
by_secret(const struct client *client)
{
	return strcmp(client->authentication, CLIENT_BY_SECRET) == 0;
}

enum rc
client_renew_secret(struct db *db, struct arena *arena,
	const struct client *client, const char **secret, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];

	if (!by_secret(client))
		return fault_tell(fault, RC_BAD_INPUT, "Client",
			"authentication",
			"The client %s does not log in by a secret.",
			client->client_id);
	*secret = secret_token(arena);
	secret_hash(hash, *secret, strlen(*secret));
	return db_exec(db, &client_stmts[STMT_STORE],
		PARAMS(P_SHORT(client->id), P_BYTES(hash, sizeof(hash))), NULL,
		fault);
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
client_create(struct db *db, struct arena *arena,
	const struct client_new *wanted, struct client *client,
	const char **secret, struct fault *fault)
{
	enum rc rc = client_check(wanted, fault);

	*secret = NULL;
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store_client(db, arena, STMT_CREATE, P_TEXT(wanted->client_id),
		P_SHORT(wanted->node_id), wanted, client, fault);
	if (rc == RC_CONFLICT)
		rc = fault_tell(fault, RC_CONFLICT, "NameTaken", "clientId",
			"There is a client \"%s\" already.", wanted->client_id);
	if (rc == RC_OK && by_secret(client))
		rc = client_renew_secret(db, arena, client, secret, fault);
	return end(db, rc, fault);
}

enum rc
client_change(struct db *db, struct arena *arena, int64_t id,
	const struct client_new *wanted, struct client *client,
	struct fault *fault)
{
	enum rc rc = client_check(wanted, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store_client(db, arena, STMT_CHANGE, P_SHORT(id), P_SHORT(0),
		wanted, client, fault);
	if (rc == RC_OK && !by_secret(client))
		rc = db_exec(db, &client_stmts[STMT_FORGET],
			PARAMS(P_SHORT(id)), NULL, fault);
	return end(db, rc, fault);
}

struct client_new
client_settings(const struct client *client)
{
	return (struct client_new){
		.client_id = client->client_id,
		.name = client->name,
		.node_id = client->node_id,
		.grants = (const char *const *)client->grants,
		.scopes = (const char *const *)client->scopes,
		.redirect_uris = (const char *const *)client->redirect_uris,
		.logout_uris = (const char *const *)client->logout_uris,
		.origins = (const char *const *)client->origins,
		.authentication = client->authentication,
		.certificate_kind = client->certificate_kind,
		.certificate_name = client->certificate_name,
		.algorithm = client->algorithm,
		.allow_no_pkce = !client->require_pkce,
		.keep_refresh = !client->rotate_refresh,
		.refresh_grace_s = client->refresh_grace_s,
		.trusted = client->trusted,
		.introspects = client->introspects,
		.access_token_s = client->access_token_s,
		.refresh_idle_s = client->refresh_idle_s,
		.refresh_absolute_s = client->refresh_absolute_s,
		.backchannel_logout_uri = client->backchannel_logout_uri,
		.backchannel_session_required =
			client->backchannel_session_required,
		.home_page = client->home_page,
	};
}

enum rc
client_remove(struct db *db, const struct client *client, struct fault *fault)
{
	int64_t removed = 0;
	enum rc rc;

	if (client->node_id != 0)
		return fault_tell(fault, RC_CONFLICT, "Client", "clientId",
			"These are the access data of a node; retire the "
			"node.");
	rc = db_exec(db, &client_stmts[STMT_REMOVE],
		PARAMS(P_SHORT(client->id)), &removed, fault);
	if (rc == RC_OK && removed == 0)
		return fault_set(fault, RC_NOT_FOUND, "client %s is gone",
			client->client_id);
	return rc;
}

enum rc
client_set_active(struct db *db, int64_t id, bool active, struct fault *fault)
{
	return db_exec(db, &client_stmts[STMT_STATE],
		PARAMS(P_SHORT(id), P_TEXT(active ? "active" : "disabled")),
		NULL, fault);
}

/* --- finding ----------------------------------------------------------- */

enum rc
client_find(struct db *db, struct arena *arena, const char *client_id,
	struct client *client, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[STMT_FIND],
		PARAMS(P_TEXT(client_id)), &rows, fault);

	if (rc == RC_OK)
		client_read(rows, arena, 0, client);
	return rc;
}

enum rc
client_list(struct db *db, struct arena *arena, struct client_list *list,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(
		db, arena, &client_stmts[STMT_LIST], NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		client_read(rows, arena, row, &list->items[row]);
	return RC_OK;
}

enum rc
client_origin_known(struct db *db, struct arena *arena, const char *origin,
	bool *known, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[STMT_ORIGIN],
		PARAMS(P_TEXT(origin)), &rows, fault);

	if (rc == RC_OK)
		*known = rows_bool(rows, 0, 0);
	return rc;
}

/* --- proving ----------------------------------------------------------- */

static bool
secret_fits(struct bytes stored, const char *secret)
{
	uint8_t hash[SECRET_HASH_BYTES];

	secret_hash(hash, secret, strlen(secret));
	return stored.length == sizeof(hash) &&
	       secret_equal(stored.data, hash, sizeof(hash));
}

/* A secret from those who have one, and from nobody else. */
static bool
proves(const struct client_proof *proof, const struct client *client,
	struct bytes stored)
{
	if (!by_secret(client))
		return proof->secret == NULL;
	return proof->secret != NULL && secret_fits(stored, proof->secret);
}

/* What counts the failures of a client at an address, and of the address. */
struct counters {
	struct failure_key keys[2];
};

static struct counters
counters_of(struct arena *arena, const struct client_proof *proof)
{
	return (struct counters){{
		{failure_subject(
			 arena, "client", proof->client_id, proof->address),
			PAIR_FREE, PAIR_WAIT_S, 1},
		{arena_printf(arena, "clients %s", proof->address), SOURCE_FREE,
			SOURCE_WAIT_S, 1},
	}};
}

enum rc
client_refuse(struct db *db, struct arena *arena,
	const struct client_proof *proof, struct fault *fault)
{
	const struct counters counters = counters_of(arena, proof);
	enum rc rc = failure_count(
		db, counters.keys, ARRAY_LENGTH(counters.keys), fault);

	return rc == RC_OK ? fault_set(fault, RC_UNAUTHENTICATED,
				     "unknown client or wrong proof")
			   : rc;
}

enum rc
client_log_in(struct db *db, struct arena *arena,
	const struct client_proof *proof, struct client *client,
	int64_t *wait_s, struct fault *fault)
{
	const struct counters counters = counters_of(arena, proof);
	const char *subjects[] = {
		counters.keys[0].subject, counters.keys[1].subject};
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[STMT_LOG_IN],
		PARAMS(P_TEXT(proof->client_id),
			P_TEXTS(subjects, ARRAY_LENGTH(subjects))),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	*wait_s = rows_int(rows, 0, CLIENT_COLUMNS_COUNT + 1);
	if (*wait_s > 0)
		return fault_set(fault, RC_TOO_MANY, "client %s must wait",
			proof->client_id);
	if (rows_null(rows, 0, 0))
		return client_refuse(db, arena, proof, fault);
	client_read(rows, arena, 0, client);
	if (!proves(proof, client, rows_bytes(rows, 0, CLIENT_COLUMNS_COUNT)))
		return client_refuse(db, arena, proof, fault);
	if (by_secret(client) &&
		rows_int(rows, 0, CLIENT_COLUMNS_COUNT + 2) > 0)
		rc = failure_forget(db, subjects[0], fault);
	return rc;
}
