/*
 * api: what the endpoints of fieldgrid-api share.
 */
#ifndef FG_FCGI_API_H
#define FG_FCGI_API_H

#include "lib/db.h"
#include "lib/field.h"
#include "lib/req.h"
#include "lib/resp.h"
#include "model/datasource.h"
#include "model/policy.h"
#include "model/variable.h"

#define API_BODY_BYTES_MAX ((size_t)256 * 1024)

/* The configuration, and what the program made of it. */
struct api {
	struct db_conf database;
	const char *log_level;
	const char *issuer;
	const char *document_file; /* the OpenAPI document */
	int64_t samples_max;       /* that one request may read */
	const char *templates;     /* folder */
	const char *manifest;      /* file with the names of static files */
	const char *document;      /* the text of document_file */
	const char *page;          /* Swagger UI */
	const char *redirect_page;
};

/* A datasource as the caller of one request sees it. */
struct plant {
	struct datasource datasource;
	const struct policy *policy;
};

/*
 * The {ds} of the path, when the caller may read anything in it.
 * Fails: RC_NOT_FOUND, also for what the caller must not know of;
 *        RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc plant_find(struct req *req, struct plant *plant);

/* Is the variable there for this caller and this action? */
bool plant_shows(const struct plant *plant, const struct variable *variable,
	enum policy_action action);

/* The members "timeFilter" and "variableFilter" of the query endpoints. */
struct api_filter {
	struct {
		int64_t from_us;
		int64_t to_us;
		const char *type;
	} time;
	struct {
		struct texts names;
	} variables;
	struct texts flags;
	const char *origin; /* NULL = not given */
};

/*
 * The body of a query endpoint; the name lists may be absent, times not.
 * Fails: RC_BAD_INPUT with words for the caller, RC_UNSUPPORTED.
 */
MUST_CHECK enum rc api_filter_read(struct req *req, struct api_filter *filter);

/* A list of names in the answer 400 "variableErrors". */
void api_refuse_variables(
	struct resp *resp, const struct texts *names, const char *message);

#endif
