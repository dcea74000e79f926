/* identity_admin_key: the keys that sign tokens, for administrators. */

#include "fcgi/identity.h"
#include "fcgi/identity_admin.h"
#include "fcgi/identity_oauth.h"
#include "model/audit.h"
#include "model/signing_key.h"

static void
write_key(struct jsonw *json, const struct signing_key_facts *key)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "kid", key->kid);
	jsonw_str(json, "algorithm", key->algorithm);
	jsonw_str(json, "state", key->state);
	jsonw_time(json, "created", key->created_us);
	jsonw_time(json, "changed", key->changed_us);
	jsonw_close_obj(json);
}

enum rc
admin_key_list(struct req *req, struct resp *resp)
{
	struct signing_key_list list = {0, NULL};
	struct jsonw *json;
	enum rc rc = signing_key_list(req->db, req->arena, &list, &req->fault);

	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	for (size_t i = 0; i < list.count; i++)
		write_key(json, &list.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

typedef enum rc step_fn(struct db *db, struct arena *arena,
	const struct seal *seal, struct fault *fault);

static enum rc
change_keys(struct req *req, struct resp *resp, step_fn *step,
	const struct audit *what)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = step(req->db, req->arena, identity_of(req)->seal,
			&req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, what);
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	return rc == RC_OK ? admin_key_list(req, resp) : rc;
}

enum rc
admin_key_rotate(struct req *req, struct resp *resp)
{
	static const struct audit what = {
		.action = "key.rotate", .object = "key:", .result = AUDIT_OK};

	return change_keys(req, resp, signing_key_begin, &what);
}

enum rc
admin_key_emergency(struct req *req, struct resp *resp)
{
	static const struct audit what = {
		.action = "key.replace", .object = "key:", .result = AUDIT_OK};

	return change_keys(req, resp, signing_key_replace, &what);
}
