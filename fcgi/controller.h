/*
 * controller: what the endpoints of fieldgrid-controller share: nodes and the
 * authority that signs their certificates, rules, and the audit.
 */
#ifndef FG_FCGI_CONTROLLER_H
#define FG_FCGI_CONTROLLER_H

#include "lib/db.h"
#include "lib/req.h"
#include "lib/resp.h"
#include "lib/seal.h"

/* Of the JSON endpoints. */
#define CONTROLLER_BODY_BYTES_MAX ((size_t)256 * 1024)

struct controller_conf {
	const char *log_level;
	struct db_conf database;
	const char *issuer;
	const char *bundle;    /* file: certificates that nodes shall trust */
	const char *seal_file; /* what the authority's key is sealed with */
	int64_t certificate_s; /* life of a node's certificate */
	const char *audit_public_key; /* file; "" = none */
};

/* req->app */
struct controller {
	const struct controller_conf *conf;
	const struct seal *seal; /* of the authority's key */
};

const struct controller *controller_of(const struct req *req);

/* The certificates that nodes trust, as they are now. */
MUST_CHECK enum rc controller_bundle_read(struct req *req, const char **pem);

struct node_view_rights;

/* The member "datasources" of a node. */
void controller_write_rights(
	struct jsonw *json, const struct node_view_rights *rights);

/* GET /api/v1/admin/audit */
MUST_CHECK enum rc controller_audit_list(struct req *req, struct resp *resp);
/* GET /api/v1/admin/audit/verify: of its last 10000 rows. */
MUST_CHECK enum rc controller_audit_verify(struct req *req, struct resp *resp);

#endif
