/* provider: an OpenID provider upstream, as it is configured. */

#include "model/provider.h"

#include <string.h>

#include "model/group_mapping.h"
#include "model/provider_check.h"

#define COLUMNS                                                                \
	"provider.id, provider.name, provider.title, provider.issuer"          \
	", provider.client_id, provider.authentication, provider.scopes"       \
	", provider.hosts, provider.authority_pem, provider.subject"           \
	", provider.name_claim, provider.groups_claim"                         \
	", provider.factor_values, provider.create_accounts"                   \
	", provider.state = 'active', EXISTS (SELECT FROM provider_secret"     \
	"   WHERE provider_secret.provider_id = provider.id)"                  \
	", provider.created_at, provider.changed_at"
#define PLACE_COLUMN 18
#define CREATED      SLICE_TIME("created_at")

enum {
	STMT_CREATE,
	STMT_CHANGE,
	STMT_FIND,
	STMT_ACTIVE,
	STMT_SLICE,
	STMT_SECRET,
	STMT_SECRET_STORE,
	STMT_SECRET_REMOVE,
	STMT_FORGET,
	STMT_REMOVE,
	STMT_REMOVE_LINKS
};

const struct stmt provider_stmts[] = {
	/* $1 name $2 issuer, then as STMT_CHANGE from its $2 on */
	[STMT_CREATE] = {"provider_create", "tttttTTttttToo",
		"INSERT INTO provider (name, issuer, title, client_id"
		", authentication, scopes, hosts, authority_pem, subject"
		", name_claim, groups_claim, factor_values, create_accounts"
		", state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10"
		", $11, $12, $13, CASE WHEN $14 THEN 'active'"
		"                      ELSE 'disabled' END)"
		" RETURNING id"},
	/* $1 id $2 title … $13 active */
	[STMT_CHANGE] = {"provider_change", "ntttTTttttToo",
		"UPDATE provider SET title = $2, client_id = $3"
		", authentication = $4, scopes = $5, hosts = $6"
		", authority_pem = $7, subject = $8, name_claim = $9"
		", groups_claim = $10, factor_values = $11"
		", create_accounts = $12, state ="
		"  CASE WHEN $13 THEN 'active' ELSE 'disabled' END"
		", changed_at = now() WHERE id = $1"},
	[STMT_FIND] = {"provider_find", "t",
		"SELECT " COLUMNS " FROM provider WHERE name = $1"},
	[STMT_ACTIVE] = {"provider_active", "",
		"SELECT " COLUMNS " FROM provider WHERE state = 'active'"
		" ORDER BY title, name LIMIT 50"},
	/* $6 search $7 state */
	[STMT_SLICE] = {"provider_slice", SLICE_TYPES "tt",
		"SELECT " COLUMNS ", place, provider.id"
		"  FROM (SELECT *, CASE $1 WHEN 'name' THEN name"
		"                          WHEN 'title' THEN title"
		"                          WHEN 'created' THEN " CREATED
		"                  END COLLATE \"C\" AS place"
		"          FROM provider) AS provider"
		" WHERE " SLICE_AFTER
		"   AND ($6::text IS NULL OR strpos(name || ' ' ||"
		"        lower(title) || ' ' || issuer, lower($6)) > 0)"
		"   AND ($7::text IS NULL OR state = $7)" SLICE_ORDER},
	[STMT_SECRET] = {"provider_secret", "n",
		"SELECT sealed FROM provider_secret WHERE provider_id = $1"},
	[STMT_SECRET_STORE] = {"provider_secret_store", "nb",
		"INSERT INTO provider_secret (provider_id, sealed)"
		" VALUES ($1, $2) ON CONFLICT (provider_id)"
		" DO UPDATE SET sealed = excluded.sealed"},
	[STMT_SECRET_REMOVE] = {"provider_secret_remove", "n",
		"DELETE FROM provider_secret WHERE provider_id = $1"},
	[STMT_FORGET] = {"provider_forget", "n",
		"DELETE FROM provider_cache WHERE provider_id = $1"},
	[STMT_REMOVE] = {"provider_remove", "n",
		"DELETE FROM provider WHERE id = $1"},
	[STMT_REMOVE_LINKS] = {"provider_remove_links", "t",
		"DELETE FROM account_link WHERE issuer = $1"},
	STMT_END,
};

const char *
provider_source(struct arena *arena, const struct provider *provider)
{
	return arena_printf(arena, "oidc:%s", provider->name);
}

struct provider
provider_defaults(void)
{
	static const char *scopes[] = {"openid", "profile", "email", NULL};
	static const char *none[] = {NULL};

	return (struct provider){
		.title = "",
		.authentication = "client_secret_post",
		.scopes = scopes,
		.hosts = none,
		.authority_pem = "",
		.subject = "sub",
		.name_claim = "preferred_username",
		.groups_claim = "",
		.factor_values = none,
		.create_accounts = true,
		.active = true,
	};
}

static void
read_provider(struct arena *arena, const struct rows *rows, size_t row,
	struct provider *provider)
{
	*provider = (struct provider){
		.id = rows_int(rows, row, 0),
		.name = rows_text(rows, row, 1),
		.title = rows_text(rows, row, 2),
		.issuer = rows_text(rows, row, 3),
		.client_id = rows_text(rows, row, 4),
		.authentication = rows_text(rows, row, 5),
		.scopes = rows_texts(rows, arena, row, 6),
		.hosts = rows_texts(rows, arena, row, 7),
		.authority_pem = rows_text(rows, row, 8),
		.subject = rows_text(rows, row, 9),
		.name_claim = rows_text(rows, row, 10),
		.groups_claim = rows_text(rows, row, 11),
		.factor_values = rows_texts(rows, arena, row, 12),
		.create_accounts = rows_bool(rows, row, 13),
		.active = rows_bool(rows, row, 14),
		.has_secret = rows_bool(rows, row, 15),
		.created_us = rows_time(rows, row, 16),
		.changed_us = rows_time(rows, row, 17),
	};
}

/* --- changes ----------------------------------------------------------- */

static size_t
count_of(const char *const *list)
{
	size_t count = 0;

	while (list[count] != NULL)
		count++;
	return count;
}

#define P_LIST(list)                                                           \
	P_TEXTS((const char *const *)(list),                                   \
		count_of((const char *const *)(list)))
#define P_SETTINGS(p)                                                          \
	P_TEXT((p)->title), P_TEXT((p)->client_id),                            \
		P_TEXT((p)->authentication), P_LIST((p)->scopes),              \
		P_LIST((p)->hosts), P_TEXT((p)->authority_pem),                \
		P_TEXT((p)->subject), P_TEXT((p)->name_claim),                 \
		P_TEXT((p)->groups_claim), P_LIST((p)->factor_values),         \
		P_BOOL((p)->create_accounts), P_BOOL((p)->active)

/* What the secret is sealed for: another provider's cannot take its place. */
static const char *
seal_name(struct arena *arena, const char *name)
{
	return arena_printf(arena, "provider:%s", name);
}

static enum rc
store_secret(struct db *db, struct arena *arena,
	const struct provider *provider, const char *secret,
	const struct seal *seal, struct fault *fault)
{
	struct sealed sealed;

	if (secret == NULL)
		return RC_OK;
	if (secret[0] == '\0')
		return db_exec(db, &provider_stmts[STMT_SECRET_REMOVE],
			PARAMS(P_SHORT(provider->id)), NULL, fault);
	sealed = seal_close(
		arena, seal, seal_name(arena, provider->name), secret);
	return db_exec(db, &provider_stmts[STMT_SECRET_STORE],
		PARAMS(P_SHORT(provider->id),
			P_BYTES(sealed.data, sealed.length)),
		NULL, fault);
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

static enum rc
insert(struct db *db, struct arena *arena, const struct provider *wanted,
	int64_t *id, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &provider_stmts[STMT_CREATE],
		PARAMS(P_TEXT(wanted->name), P_TEXT(wanted->issuer),
			P_SETTINGS(wanted)),
		&rows, fault);

	if (rc == RC_CONFLICT)
		return fault_tell(fault, rc, "ProviderTaken", "name",
			"There is a provider with this name or issuer "
			"already.");
	if (rc == RC_OK)
		*id = rows_int(rows, 0, 0);
	return rc;
}

enum rc
provider_create(struct db *db, struct arena *arena,
	const struct provider *wanted, const char *secret,
	const struct seal *seal, struct fault *fault)
{
	struct provider made = *wanted;
	enum rc rc = provider_check(wanted, fault);

	if (rc == RC_OK)
		rc = provider_check_secret(wanted, false, secret, fault);
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = insert(db, arena, wanted, &made.id, fault);
	if (rc == RC_OK)
		rc = store_secret(db, arena, &made, secret, seal, fault);
	return end(db, rc, fault);
}

enum rc
provider_change(struct db *db, struct arena *arena,
	const struct provider *wanted, const char *secret,
	const struct seal *seal, struct fault *fault)
{
	enum rc rc = provider_check(wanted, fault);

	if (rc == RC_OK)
		rc = provider_check_secret(
			wanted, wanted->has_secret, secret, fault);
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &provider_stmts[STMT_CHANGE],
		PARAMS(P_SHORT(wanted->id), P_SETTINGS(wanted)), NULL, fault);
	if (rc == RC_OK)
		rc = store_secret(db, arena, wanted, secret, seal, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &provider_stmts[STMT_FORGET],
			PARAMS(P_SHORT(wanted->id)), NULL, fault);
	return end(db, rc, fault);
}

enum rc
provider_remove(struct db *db, struct arena *arena,
	const struct provider *provider, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &provider_stmts[STMT_REMOVE_LINKS],
		PARAMS(P_TEXT(provider->issuer)), NULL, fault);
	if (rc == RC_OK)
		rc = group_mapping_forget(
			db, provider_source(arena, provider), fault);
	if (rc == RC_OK)
		rc = db_exec(db, &provider_stmts[STMT_REMOVE],
			PARAMS(P_SHORT(provider->id)), NULL, fault);
	return end(db, rc, fault);
}

/* --- reading ----------------------------------------------------------- */

enum rc
provider_find(struct db *db, struct arena *arena, const char *name,
	struct provider *provider, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &provider_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		read_provider(arena, rows, 0, provider);
	return rc;
}

static void
read_list(struct arena *arena, const struct rows *rows, size_t count,
	struct provider_list *list)
{
	list->count = count;
	list->items = arena_array(arena, count, sizeof(*list->items));
	for (size_t i = 0; i < count; i++)
		read_provider(arena, rows, i, &list->items[i]);
}

enum rc
provider_slice(struct db *db, struct arena *arena,
	const struct provider_filter *filter, struct slice *slice,
	struct provider_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &provider_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search),
			P_TEXT(filter->state)),
		&rows, fault);

	if (rc == RC_OK)
		read_list(arena, rows, slice_take(slice, rows, PLACE_COLUMN),
			list);
	return rc;
}

enum rc
provider_active(struct db *db, struct arena *arena, struct provider_list *list,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &provider_stmts[STMT_ACTIVE],
		NO_PARAMS, &rows, fault);

	if (rc == RC_OK)
		read_list(arena, rows, rows_count(rows), list);
	return rc;
}

enum rc
provider_secret(struct db *db, struct arena *arena,
	const struct provider *provider, const struct seal *seal,
	const char **secret, struct fault *fault)
{
	struct rows *rows = NULL;
	struct bytes bytes;
	enum rc rc = db_find(db, arena, &provider_stmts[STMT_SECRET],
		PARAMS(P_SHORT(provider->id)), &rows, fault);

	*secret = NULL;
	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	bytes = rows_bytes(rows, 0, 0);
	*secret = seal_open(arena, seal, seal_name(arena, provider->name),
		(struct sealed){bytes.data, bytes.length});
	return *secret != NULL ? RC_OK
			       : fault_set(fault, RC_BUG,
					 "the secret of provider %s was sealed "
					 "with another seal file",
					 provider->name);
}

/* --- writing ----------------------------------------------------------- */

static void
write_words(struct jsonw *json, const char *name, const char **words)
{
	jsonw_open_arr(json, name);
	for (; *words != NULL; words++)
		jsonw_str(json, NULL, *words);
	jsonw_close_arr(json);
}

void
provider_write(struct jsonw *json, const struct provider *provider)
{
	jsonw_str(json, "name", provider->name);
	jsonw_str(json, "title", provider->title);
	jsonw_str(json, "issuer", provider->issuer);
	jsonw_str(json, "clientId", provider->client_id);
	jsonw_bool(json, "hasSecret", provider->has_secret);
	jsonw_str(json, "authentication", provider->authentication);
	write_words(json, "scopes", provider->scopes);
	write_words(json, "hosts", provider->hosts);
	jsonw_str(json, "authority", provider->authority_pem);
	jsonw_str(json, "subject", provider->subject);
	jsonw_str(json, "nameClaim", provider->name_claim);
	jsonw_str(json, "groupsClaim", provider->groups_claim);
	write_words(json, "factorValues", provider->factor_values);
	jsonw_bool(json, "createAccounts", provider->create_accounts);
	jsonw_str(json, "state", provider->active ? "active" : "disabled");
}

const char *
provider_json(struct arena *arena, const struct provider *provider)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	provider_write(json, provider);
	jsonw_close_obj(json);
	return json->out->data;
}
