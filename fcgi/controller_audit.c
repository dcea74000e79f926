/* controller_audit: reading and verifying the audit by REST. */

#include "fcgi/controller.h"

#include "fcgi/listing.h"
#include "lib/clock.h"
#include "model/audit_json.h"
#include "model/audit_read.h"
#include "model/audit_verify.h"

/* What one request may cost; fieldgridctl looks at all of them. */
#define VERIFY_ROWS 10000

static const char *const sorts[] = {"time", NULL};
static const char *const results[] = {"ok", "refused", "failed", NULL};

static const struct listing_filter filters[] = {
	{"actor", offsetof(struct audit_filter, actor), LISTING_TEXT, NULL},
	{"action", offsetof(struct audit_filter, action), LISTING_TEXT, NULL},
	{"object", offsetof(struct audit_filter, object), LISTING_TEXT, NULL},
	{"result", offsetof(struct audit_filter, result), LISTING_TEXT,
		results},
	{"address", offsetof(struct audit_filter, address), LISTING_TEXT, NULL},
	{"from", offsetof(struct audit_filter, from_us), LISTING_TIME, NULL},
	{"to", offsetof(struct audit_filter, to_us), LISTING_TIME, NULL},
	LISTING_FILTERS_END,
};

static const struct listing listing = {sorts, filters, "-time"};

enum rc
controller_audit_list(struct req *req, struct resp *resp)
{
	struct audit_filter filter = {
		.from_us = CLOCK_NEVER, .to_us = CLOCK_NEVER};
	struct audit_list list;
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &listing, &filter, &slice);

	if (rc == RC_OK)
		rc = audit_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		audit_json_write(json, &list.items[i], AUDIT_JSON_VALUES);
	listing_close(json, req, &slice);
	return RC_OK;
}

static void
write_report(struct jsonw *json, const struct audit_report *report)
{
	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "sound", report->findings == 0);
	jsonw_int(json, "rows", report->rows);
	jsonw_int(json, "position", report->position);
	jsonw_int(json, "checkpoints", report->checkpoints);
	jsonw_open_arr(json, "findings");
	for (int64_t i = 0; i < report->findings && i < AUDIT_FINDINGS_MAX; i++)
		jsonw_str(json, NULL, report->texts[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
controller_audit_verify(struct req *req, struct resp *resp)
{
	const char *path = controller_of(req)->conf->audit_public_key;
	struct audit_verifiers verifiers;
	struct audit_verify what = {.rows_max = VERIFY_ROWS};
	struct audit_report report;
	enum rc rc = RC_OK;

	if (path[0] != '\0') {
		what.verifiers = &verifiers;
		rc = audit_verifiers_load(
			req->arena, path, &verifiers, &req->fault);
	}
	if (rc == RC_OK)
		rc = audit_verify(
			req->db, req->arena, &what, &report, &req->fault);
	if (rc == RC_OK)
		write_report(resp_json(resp, 200), &report);
	return rc;
}
