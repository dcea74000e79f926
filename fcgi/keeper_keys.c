/* keeper_keys: the staged life of the keys that sign tokens. */

#include "fcgi/keeper_keys.h"

#include <string.h>

#include "model/audit.h"
#include "model/signing_key.h"

static const char *
state_in(const struct signing_key_list *list, const char *kid)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].kid, kid) == 0)
			return list->items[i].state;
	return NULL;
}

static enum rc
audit_key(struct keeper *keeper, const struct signing_key_facts *key,
	const char *before, struct fault *fault)
{
	const struct audit_actor actor = {
		.kind = "service", .name = "fieldgrid-keeper"};
	const struct audit what = {
		.action = "key.rotate",
		.object = arena_printf(keeper->arena, "key:%s", key->kid),
		.result = AUDIT_OK,
		.before = before == NULL ? NULL
					 : audit_values(keeper->arena, "state",
						   before, NULL),
		.after = audit_values(keeper->arena, "state", key->state,
			"algorithm", key->algorithm, NULL),
	};

	return audit_write_by(keeper->db, &actor, &what, fault);
}

static enum rc
audit_changes(struct keeper *keeper, const struct signing_key_list *before,
	struct fault *fault)
{
	struct signing_key_list after;
	enum rc rc = signing_key_list(keeper->db, keeper->arena, &after, fault);

	for (size_t i = 0; rc == RC_OK && i < after.count; i++) {
		const struct signing_key_facts *key = &after.items[i];
		const char *was = state_in(before, key->kid);

		if (was == NULL || strcmp(was, key->state) != 0)
			rc = audit_key(keeper, key, was, fault);
	}
	return rc;
}

static enum rc
rotate(struct keeper *keeper, struct fault *fault)
{
	struct signing_key_list before;
	enum rc rc =
		signing_key_list(keeper->db, keeper->arena, &before, fault);

	if (rc == RC_OK)
		rc = signing_key_rotate(
			keeper->db, keeper->arena, keeper->seal, fault);
	return rc == RC_OK ? audit_changes(keeper, &before, fault) : rc;
}

enum rc
keeper_keys_rotate(struct keeper *keeper, struct fault *fault)
{
	enum rc rc;

	if (keeper->seal == NULL)
		return RC_OK;
	rc = db_begin(keeper->db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = rotate(keeper, fault);
	if (rc == RC_OK)
		return db_commit(keeper->db, fault);
	db_rollback(keeper->db);
	return rc;
}
