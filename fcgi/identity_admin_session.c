/* identity_admin_session: who is logged in, for administrators, by REST. */

#include "fcgi/identity_admin.h"

#include <string.h>

#include "fcgi/identity_event.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/listing.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/caller.h"
#include "model/session_admin.h"

static const struct listing_filter session_filters[] = {
	{"user", offsetof(struct session_filter, user), LISTING_TEXT, NULL},
	{"search", offsetof(struct session_filter, search), LISTING_TEXT, NULL},
	LISTING_FILTERS_END,
};

static const struct listing sessions = {
	.sorts = session_sorts, .filters = session_filters};

/* The session that asks is marked: ending it logs the asker out. */
static bool
is_own(const struct req *req, const struct session_entry *entry)
{
	return req->caller->csrf != NULL &&
	       memcmp(req->caller->credential, entry->session.hash,
		       SECRET_HASH_BYTES) == 0;
}

static void
write_session(const struct req *req, struct jsonw *json,
	const struct session_entry *entry)
{
	char sid[UUID_TEXT_BYTES];

	uuid_format(sid, entry->session.sid);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", sid);
	jsonw_str(json, "user", entry->user);
	jsonw_str(json, "fullName", entry->full_name);
	jsonw_time(json, "created", entry->created_us);
	jsonw_time(json, "lastSeen", entry->seen_us);
	jsonw_time(json, "expires", entry->expires_us);
	jsonw_str(json, "address", entry->address);
	jsonw_str(json, "agent", entry->agent);
	jsonw_str(json, "issuer", entry->session.issuer);
	jsonw_open_arr(json, "methods");
	for (const char *const *amr = entry->session.amr; *amr != NULL; amr++)
		jsonw_str(json, NULL, *amr);
	jsonw_close_arr(json);
	jsonw_bool(json, "current", is_own(req, entry));
	jsonw_close_obj(json);
}

enum rc
admin_session_list(struct req *req, struct resp *resp)
{
	struct session_filter filter = {.user = NULL};
	struct session_entry_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &sessions, &filter, &slice);

	if (rc == RC_OK)
		rc = session_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		write_session(req, json, &list.items[i]);
	listing_close(json, req, &slice);
	oauth_no_store(resp);
	return RC_OK;
}

static const char *
describe(struct arena *arena, const struct session_entry *entry)
{
	char since[CLOCK_TEXT_BYTES];
	char sid[UUID_TEXT_BYTES];

	uuid_format(sid, entry->session.sid);
	clock_format(since, entry->created_us);
	return audit_values(arena, "session", sid, "address", entry->address,
		"since", since, NULL);
}

/* Its refresh and access tokens die with it. */
enum rc
admin_session_end(struct req *req, struct resp *resp)
{
	struct session_entry entry;
	uint8_t sid[UUID_BYTES];
	enum rc rc = req_arg_uuid(req, "session", sid);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = session_look(
			req->db, req->arena, sid, &entry, &req->fault);
	if (rc == RC_OK)
		rc = session_end(req->db, &entry.session, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = audit_write(req, &(struct audit){
				      .action = "session.end",
				      .object = arena_printf(req->arena,
					      "user:%s", entry.user),
				      .result = AUDIT_OK,
				      .before = describe(req->arena, &entry),
			      });
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_ENDED, entry.user,
			arena_printf(req->arena, "logged out by %s",
				req->caller->name));
	if (rc == RC_OK)
		rc = db_commit(req->db, &req->fault);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
