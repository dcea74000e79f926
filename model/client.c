/* client: a program that asks for tokens. */

#include "model/client.h"

#include <ctype.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/secret.h"

#define CLIENT_COLUMNS                                                         \
	"client.id, client.client_id, client.name,"                            \
	" coalesce(client.node_id, 0), client.grants, client.scopes,"          \
	" client.redirect_uris, client.logout_uris, client.origins,"           \
	" client.require_pkce, client.access_token_s, client.refresh_idle_s,"  \
	" client.refresh_absolute_s, client.state = 'active', client.epoch"

#define CLIENT_CONFIDENTIAL                                                    \
	" EXISTS (SELECT FROM client_secret"                                   \
	" WHERE client_secret.client_id = client.id)"

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_LIST,
	STMT_STORE,
	STMT_SECRET,
	STMT_STATE,
	STMT_ORIGIN
};

const struct stmt client_stmts[] = {
	/* $1 client_id $2 name $3 node or 0 $4 grants $5 scopes
	 * $6 redirect $7 logout $8 origins $9 require_pkce */
	[STMT_CREATE] = {"client_create", "ttnTTTTTo",
		"INSERT INTO client (client_id, name, node_id, grants, scopes"
		", redirect_uris, logout_uris, origins, require_pkce)"
		" VALUES ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8, $9)"
		" RETURNING " CLIENT_COLUMNS ", false"},
	[STMT_FIND] = {"client_find", "t",
		"SELECT " CLIENT_COLUMNS "," CLIENT_CONFIDENTIAL
		"  FROM client WHERE client_id = $1"},
	[STMT_LIST] = {"client_list", "",
		"SELECT " CLIENT_COLUMNS "," CLIENT_CONFIDENTIAL
		"  FROM client ORDER BY client_id LIMIT 10000"},
	[STMT_STORE] = {"client_store", "nb",
		"INSERT INTO client_secret (client_id, hash) VALUES ($1, $2)"
		" ON CONFLICT (client_id) DO UPDATE SET hash = excluded.hash"},
	[STMT_SECRET] = {"client_secret", "n",
		"SELECT hash FROM client_secret WHERE client_id = $1"},
	[STMT_STATE] = {"client_state", "nt",
		"UPDATE client SET state = $2, epoch = epoch + 1"
		" WHERE id = $1"},
	[STMT_ORIGIN] = {"client_origin", "t",
		"SELECT EXISTS (SELECT FROM client"
		"  WHERE state = 'active' AND $1 = ANY (origins))"},
	STMT_END,
};

const char *const client_scopes[] = {"openid", "profile", "email",
	"offline_access", "API", "serviceGridAPI.full_access",
	"iiotServicesAPI", "dataStorageAPI", "hub", NULL};

static const char *const known_grants[] = {
	CLIENT_GRANT_CODE, CLIENT_GRANT_REFRESH, CLIENT_GRANT_CLIENT, NULL};

static const char *const none[] = {NULL};

static void
read_client(const struct rows *rows, struct arena *arena, size_t row,
	struct client *client)
{
	*client = (struct client){
		.id = rows_int(rows, row, 0),
		.client_id = rows_text(rows, row, 1),
		.name = rows_text(rows, row, 2),
		.node_id = rows_int(rows, row, 3),
		.grants = rows_texts(rows, arena, row, 4),
		.scopes = rows_texts(rows, arena, row, 5),
		.redirect_uris = rows_texts(rows, arena, row, 6),
		.logout_uris = rows_texts(rows, arena, row, 7),
		.origins = rows_texts(rows, arena, row, 8),
		.require_pkce = rows_bool(rows, row, 9),
		.access_token_s = rows_int(rows, row, 10),
		.refresh_idle_s = rows_int(rows, row, 11),
		.refresh_absolute_s = rows_int(rows, row, 12),
		.active = rows_bool(rows, row, 13),
		.epoch = rows_int(rows, row, 14),
		.confidential = rows_bool(rows, row, 15),
	};
}

bool
client_list_has(const char *const *list, const char *text)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* --- redirect URIs ----------------------------------------------------- */

/* Bytes of "http://127.0.0.1" or "http://[::1]" at the start; 0 = neither. */
static size_t
loopback_bytes(const char *uri)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++) {
		size_t length = strlen(hosts[i]);

		if (strncmp(uri, hosts[i], length) == 0 &&
			(uri[length] == ':' || uri[length] == '/' ||
				uri[length] == '\0'))
			return length;
	}
	return 0;
}

/* What stands behind an optional ":port". */
static const char *
behind_port(const char *text)
{
	return *text == ':' ? text + 1 + strspn(text + 1, "0123456789") : text;
}

static bool
same_but_port(const char *registered, const char *uri)
{
	size_t left = loopback_bytes(registered);
	size_t right = loopback_bytes(uri);

	return left != 0 && left == right &&
	       strncmp(registered, uri, left) == 0 &&
	       strcmp(behind_port(registered + left),
		       behind_port(uri + right)) == 0;
}

bool
client_redirect_allowed(const struct client *client, const char *uri)
{
	for (const char **item = client->redirect_uris; *item != NULL; item++)
		if (strcmp(*item, uri) == 0 || same_but_port(*item, uri))
			return true;
	return false;
}

/* RFC 8252: a private scheme has a dot, as in com.example.app:/callback. */
static bool
private_scheme(const char *uri)
{
	size_t length = strcspn(uri, ":/?#");

	return uri[length] == ':' && memchr(uri, '.', length) != NULL &&
	       isalpha((unsigned char)uri[0]);
}

static enum rc
check_uri(const char *uri, struct fault *fault)
{
	bool good = strlen(uri) <= 2000 && strchr(uri, '#') == NULL &&
		    (strncmp(uri, "https://", 8) == 0 ||
			    loopback_bytes(uri) != 0 || private_scheme(uri));

	for (const char *at = uri; good && *at != '\0'; at++)
		good = *at > ' ' && *at < 0x7f;
	return good ? RC_OK
		    : fault_tell(fault, RC_BAD_INPUT, "RedirectUri",
			      "redirect_uris",
			      "\"%.120s\" is not an https, loopback or private "
			      "address without fragment.",
			      uri);
}

/* --- making ------------------------------------------------------------ */

static enum rc
check_list(const char *const *list, const char *const *allowed,
	const char *what, struct fault *fault)
{
	for (; *list != NULL; list++)
		if (!client_list_has(allowed, *list))
			return fault_tell(fault, RC_BAD_INPUT, "Client", what,
				"\"%.80s\" is not one of the %s.", *list, what);
	return RC_OK;
}

/* Printable ASCII, so that it survives Basic authentication and logs; no
 * UUID, because that is what the subjects of users look like. */
static enum rc
check_client_id(const char *client_id, struct fault *fault)
{
	size_t length = strnlen(client_id, 129);
	uint8_t uuid[UUID_BYTES];
	bool good = length > 0 && length <= 128 && !uuid_parse(client_id, uuid);

	for (size_t i = 0; good && i < length; i++)
		good = client_id[i] > ' ' && client_id[i] < 0x7f;
	return good ? RC_OK
		    : fault_tell(fault, RC_BAD_INPUT, "Client", "client_id",
			      "A client_id has 1 to 128 ASCII letters, no "
			      "spaces, and is no UUID.");
}

static const char *const *
or_none(const char *const *list)
{
	return list != NULL ? list : none;
}

static enum rc
check_wanted(const struct client_new *wanted, struct fault *fault)
{
	enum rc rc = check_client_id(wanted->client_id, fault);

	if (rc == RC_OK)
		rc = check_list(
			or_none(wanted->grants), known_grants, "grants", fault);
	if (rc == RC_OK)
		rc = check_list(or_none(wanted->scopes), client_scopes,
			"scopes", fault);
	for (const char *const *uri = or_none(wanted->redirect_uris);
		rc == RC_OK && *uri != NULL; uri++)
		rc = check_uri(*uri, fault);
	for (const char *const *uri = or_none(wanted->logout_uris);
		rc == RC_OK && *uri != NULL; uri++)
		rc = check_uri(*uri, fault);
	if (rc == RC_OK && wanted->is_public &&
		client_list_has(or_none(wanted->grants), CLIENT_GRANT_CLIENT))
		rc = fault_tell(fault, RC_BAD_INPUT, "Client", "grants",
			"A public client cannot use client_credentials.");
	return rc;
}

static struct param
text_list(const char *const *list)
{
	size_t count = 0;

	list = or_none(list);
	while (list[count] != NULL)
		count++;
	return P_TEXTS(list, count);
}

static enum rc
insert_client(struct db *db, struct arena *arena,
	const struct client_new *wanted, struct client *client,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[STMT_CREATE],
		PARAMS(P_TEXT(wanted->client_id), P_TEXT(wanted->name),
			P_SHORT(wanted->node_id), text_list(wanted->grants),
			text_list(wanted->scopes),
			text_list(wanted->redirect_uris),
			text_list(wanted->logout_uris),
			text_list(wanted->origins),
			P_BOOL(wanted->is_public || !wanted->allow_no_pkce)),
		&rows, fault);

	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "NameTaken", "client_id",
			"There is a client \"%s\" already.", wanted->client_id);
	if (rc == RC_OK)
		read_client(rows, arena, 0, client);
	return rc;
}

enum rc
client_renew_secret(struct db *db, struct arena *arena, int64_t id,
	const char **secret, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];

	*secret = secret_token(arena);
	secret_hash(hash, *secret, strlen(*secret));
	return db_exec(db, &client_stmts[STMT_STORE],
		PARAMS(P_SHORT(id), P_BYTES(hash, sizeof(hash))), NULL, fault);
}

enum rc
client_create(struct db *db, struct arena *arena,
	const struct client_new *wanted, struct client *client,
	const char **secret, struct fault *fault)
{
	enum rc rc = check_wanted(wanted, fault);

	*secret = NULL;
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = insert_client(db, arena, wanted, client, fault);
	if (rc == RC_OK && !wanted->is_public)
		rc = client_renew_secret(db, arena, client->id, secret, fault);
	client->confidential = *secret != NULL;
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
client_find(struct db *db, struct arena *arena, const char *client_id,
	struct client *client, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &client_stmts[STMT_FIND],
		PARAMS(P_TEXT(client_id)), &rows, fault);

	if (rc == RC_OK)
		read_client(rows, arena, 0, client);
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
		read_client(rows, arena, row, &list->items[row]);
	return RC_OK;
}

enum rc
client_set_active(struct db *db, int64_t id, bool active, struct fault *fault)
{
	return db_exec(db, &client_stmts[STMT_STATE],
		PARAMS(P_SHORT(id), P_TEXT(active ? "active" : "disabled")),
		NULL, fault);
}

enum rc
client_check_secret(struct db *db, struct arena *arena,
	const struct client *client, const char *secret, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	struct bytes stored;
	enum rc rc = db_query(db, arena, &client_stmts[STMT_SECRET],
		PARAMS(P_SHORT(client->id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	secret_hash(hash, secret, strlen(secret));
	if (rows_count(rows) == 1) {
		stored = rows_bytes(rows, 0, 0);
		if (stored.length == sizeof(hash) &&
			secret_equal(stored.data, hash, sizeof(hash)))
			return RC_OK;
	}
	return fault_set(fault, RC_UNAUTHENTICATED, "wrong client secret");
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
