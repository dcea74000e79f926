/* identity_admin_directory: directories for administrators, by REST. */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_admin.h"
#include "fcgi/identity_admin_mapping.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/directory_admin.h"

#define NAME_BYTES   63
#define URI_BYTES    256
#define FILTER_BYTES 1024

static const char *const sorts[] = {"position", "name", NULL};
static const char *const states[] = {"active", "disabled", NULL};
static const struct listing_filter filters[] = {
	{"search", offsetof(struct directory_filter, search), LISTING_TEXT,
		NULL},
	{"state", offsetof(struct directory_filter, state), LISTING_TEXT,
		states},
	LISTING_FILTERS_END,
};
static const struct listing directories = {.sorts = sorts, .filters = filters};

/* What a body may say. */
struct settings {
	struct directory directory;
	const char *kind;
};

#define SETTING(member) offsetof(struct settings, directory.member)

static const struct field settings_fields[] = {
	{"name", FIELD_TEXT, SETTING(name), .maximum = NAME_BYTES},
	{"kind", FIELD_TEXT, offsetof(struct settings, kind), .maximum = 32},
	{"state", FIELD_TEXT, SETTING(state), .maximum = 16},
	{"position", FIELD_INT, SETTING(position), .minimum = 1,
		.maximum = 1000000},
	{"uris", FIELD_TEXTS, SETTING(uris), .maximum = DIRECTORY_URIS_MAX},
	{"mode", FIELD_TEXT, SETTING(mode), .maximum = 16},
	{"ca", FIELD_TEXT, SETTING(ca), .maximum = DIRECTORY_CA_BYTES},
	{"bindDn", FIELD_TEXT, SETTING(bind_dn), .maximum = LDAP_DN_BYTES},
	{"bindPassword", FIELD_TEXT, SETTING(bind_password), .maximum = 512},
	{"base", FIELD_TEXT, SETTING(base), .maximum = LDAP_DN_BYTES},
	{"userFilter", FIELD_TEXT, SETTING(user_filter),
		.maximum = FILTER_BYTES},
	{"idAttribute", FIELD_TEXT, SETTING(id_attribute), .maximum = 64},
	{"nameAttribute", FIELD_TEXT, SETTING(name_attribute), .maximum = 64},
	{"fullNameAttribute", FIELD_TEXT, SETTING(full_name_attribute),
		.maximum = 64},
	{"emailAttribute", FIELD_TEXT, SETTING(email_attribute), .maximum = 64},
	{"groupMode", FIELD_TEXT, SETTING(group_mode), .maximum = 32},
	{"groupBase", FIELD_TEXT, SETTING(group_base),
		.maximum = LDAP_DN_BYTES},
	{"groupFilter", FIELD_TEXT, SETTING(group_filter),
		.maximum = FILTER_BYTES},
	{"timeoutMs", FIELD_INT, SETTING(timeout_ms), .minimum = 100,
		.maximum = 30000},
	{"syncSeconds", FIELD_INT, SETTING(sync_s), .minimum = 10,
		.maximum = 86400},
	{"maxAgeSeconds", FIELD_INT, SETTING(max_age_s), .minimum = 60,
		.maximum = 2592000},
	FIELDS_END,
};

/* --- steps that all have in common
 * --------------------------------------------- */

static enum rc
find(struct req *req, struct directory *directory)
{
	return directory_find(req->db, req->arena, req_arg(req, "directory"),
		directory, &req->fault);
}

static enum rc
begin(struct req *req, struct directory *directory)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	return rc == RC_OK ? find(req, directory) : rc;
}

/* Note it and commit; for a reason not to, the dispatcher undoes all. */
static enum rc
finish(struct req *req, enum rc rc, struct audit *what,
	const struct directory *directory)
{
	if (rc != RC_OK)
		return rc;
	what->object =
		arena_printf(req->arena, "directory:%s", directory->name);
	what->result = AUDIT_OK;
	rc = audit_write(req, what);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *name)
{
	struct directory directory;
	enum rc rc = directory_find(
		req->db, req->arena, name, &directory, &req->fault);

	if (rc != RC_OK)
		return rc;
	directory_write(resp_json(resp, status), &directory);
	oauth_no_store(resp);
	return RC_OK;
}

/* --- directories
 * ----------------------------------------------------------------- */

enum rc
admin_directory_list(struct req *req, struct resp *resp)
{
	struct directory_filter filter = {.search = NULL};
	struct directory_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &directories, &filter, &slice);

	if (rc == RC_OK)
		rc = directory_slice(req->db, req->arena, &filter, &slice,
			&list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		directory_write(json, &list.items[i]);
	listing_close(json, req, &slice);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
admin_directory_get(struct req *req, struct resp *resp)
{
	return answer(req, resp, 200, req_arg(req, "directory"));
}

/* The kind first: what is usual for it stands behind what is said. */
static enum rc
read_new(struct req *req, struct directory *directory)
{
	struct settings said = {.kind = "openldap"};
	enum rc rc = req_json(req, settings_fields, &said);

	if (rc != RC_OK)
		return rc;
	if (!directory_defaults(said.kind, &said.directory))
		return fault_tell(&req->fault, RC_BAD_INPUT, "DirectoryKind",
			"kind", "The kind is openldap or active_directory.");
	rc = req_json(req, settings_fields, &said);
	*directory = said.directory;
	return rc;
}

enum rc
admin_directory_create(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "directory.create"};
	struct directory directory;
	enum rc rc = read_new(req, &directory);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = directory_create(req->db, req->arena,
			identity_of(req)->seal, &directory, &req->fault);
	if (rc == RC_OK)
		what.after = directory_describe(req->arena, &directory);
	rc = finish(req, rc, &what, &directory);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/directories/%s",
			directory.name));
	return answer(req, resp, 201, directory.name);
}

/* Absent members stay what they are. */
static enum rc
read_change(struct req *req, struct directory *directory)
{
	struct settings said = {.directory = *directory};
	enum rc rc = req_json(req, settings_fields, &said);

	if (rc != RC_OK)
		return rc;
	if (said.kind != NULL ||
		strcmp(said.directory.name, directory->name) != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "DirectorySetting",
			said.kind != NULL ? "kind" : "name",
			"This can only be given when a directory is created.");
	*directory = said.directory;
	return RC_OK;
}

enum rc
admin_directory_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "directory.change"};
	struct directory directory;
	enum rc rc = begin(req, &directory);

	if (rc == RC_OK) {
		what.before = directory_describe(req->arena, &directory);
		rc = read_change(req, &directory);
	}
	if (rc == RC_OK)
		rc = directory_change(req->db, req->arena,
			identity_of(req)->seal, &directory, &req->fault);
	if (rc == RC_OK)
		what.after = directory_describe(req->arena, &directory);
	rc = finish(req, rc, &what, &directory);
	return rc == RC_OK ? answer(req, resp, 200, directory.name) : rc;
}

enum rc
admin_directory_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "directory.remove"};
	struct directory directory;
	enum rc rc = begin(req, &directory);

	if (rc == RC_OK) {
		what.before = directory_describe(req->arena, &directory);
		rc = directory_remove(
			req->db, req->arena, &directory, &req->fault);
	}
	rc = finish(req, rc, &what, &directory);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- groups
 * ------------------------------------------------------------------------ */

static enum rc
find_source(struct req *req, struct admin_source *source)
{
	struct directory directory;
	enum rc rc = find(req, &directory);

	if (rc == RC_OK)
		*source = (struct admin_source){"directory", directory.name,
			directory_source(req->arena, &directory)};
	return rc;
}

enum rc
admin_directory_groups(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_list(req, resp, &source) : rc;
}

enum rc
admin_directory_map(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_set(req, resp, &source, GROUP_MAP)
			   : rc;
}

enum rc
admin_directory_unmap(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_set(req, resp, &source, GROUP_UNMAP)
			   : rc;
}

/* --- trying it
 * --------------------------------------------------------------------- */

static void
write_step(struct jsonw *json, const struct directory_step *step)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "step", step->what);
	jsonw_str(json, "uri", step->uri[0] != '\0' ? step->uri : NULL);
	jsonw_bool(json, "good", step->good);
	jsonw_str(json, "message", step->words);
	jsonw_close_obj(json);
}

static void
write_report(struct jsonw *json, const struct directory_report *report)
{
	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "good", report->good);
	jsonw_open_arr(json, "steps");
	for (size_t i = 0; i < report->count; i++)
		write_step(json, &report->steps[i]);
	jsonw_close_arr(json);
	jsonw_open_arr(json, "groups");
	for (size_t i = 0; i < report->groups.count; i++)
		jsonw_str(json, NULL, report->groups.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
admin_directory_test(struct req *req, struct resp *resp)
{
	struct directory_gate *gate = identity_of(req)->directories;
	struct directory_report report;
	struct directory directory;
	const char *person = NULL;
	const struct field fields[] = {
		{"person", FIELD_TEXT, 0, .maximum = USER_NAME_BYTES},
		FIELDS_END,
	};
	int slot;
	enum rc rc = req_json(req, fields, &person);

	if (rc == RC_OK)
		rc = find(req, &directory);
	if (rc != RC_OK)
		return rc;
	/* It may take as long as a login, and counts as one. */
	slot = slots_take(&gate->slots, 0);
	if (slot < 0)
		return fault_tell(&req->fault, RC_UNAVAILABLE, "Busy", NULL,
			"Other logins are asking directories now. Try again "
			"soon.");
	directory_test(req->arena, gate->seal, &directory, person, &report);
	slots_give(&gate->slots, slot);
	write_report(resp_json(resp, 200), &report);
	oauth_no_store(resp);
	return RC_OK;
}
