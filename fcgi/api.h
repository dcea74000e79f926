/*
 * api: what the endpoints of fieldgrid-api share.
 */
#ifndef FG_FCGI_API_H
#define FG_FCGI_API_H

#include "fcgi/plant.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/field.h"
#include "lib/req.h"
#include "lib/resp.h"

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

/* The member "timeFilter": {"from", "to", "type": "Absolute"}, or {"last":
 * "15m", "until": "5m", "type": "Relative"}: 15 minutes that ended 5 ago. */
struct api_time {
	int64_t from_us; /* after api_time_resolve; both inclusive */
	int64_t to_us;
	const char *type;
	const char *last;
	const char *until;
};

#define API_TIME_UNSET                                                         \
	(struct api_time)                                                      \
	{                                                                      \
		.from_us = CLOCK_NEVER, .to_us = CLOCK_NEVER                   \
	}

/* Of a struct api_time that is API_TIME_UNSET before. */
extern const struct field api_time_fields[];
/* The member "variableFilter" into a struct texts. */
extern const struct field api_variable_fields[];

/* Was there any of it? */
bool api_time_given(const struct api_time *time);

/* From and to of a time filter as it was read. Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc api_time_resolve(struct req *req, struct api_time *time);

/* The bodies of the query endpoints of archives. */
struct api_filter {
	struct api_time time;
	struct texts names;
	const char *origin; /* NULL = not given */
};

/*
 * Read such a body; the name list may be absent, times not.
 * Fails: RC_BAD_INPUT with words for the caller, RC_UNSUPPORTED.
 */
MUST_CHECK enum rc api_filter_read(struct req *req, struct api_filter *filter);

/* A list of names in the answer 400 "variableErrors". */
void api_refuse_variables(
	struct resp *resp, const struct texts *names, const char *message);

#endif
