/*
 * listing: lists of the administration by REST, all in the same way.
 *
 *	GET …?limit=50&after=<opaque>&sort=-created&state=active&search=me
 *	-> {"items":[…],"next":"<opaque>" or null}
 *
 * "limit" is 1 to 500 (50 when it is not given), "sort" one of the list's
 * orders, with "-" in front for the other direction, "after" the "next" of
 * the page before; the rest are the list's filters. An empty value counts as
 * not given. A handler describes its list as data, reads the request, asks the
 * model for the slice (lib/slice.h says how its SQL looks) and writes:
 *
 *	static const char *const sorts[] = {"name", "created", NULL};
 *	static const struct listing_filter filters[] = {
 *		{"search", offsetof(struct user_filter, search)},
 *		{"state", offsetof(struct user_filter, state),
 *			.words = user_states},
 *		LISTING_FILTERS_END,
 *	};
 *	static const struct listing users = {sorts, filters};
 *
 *	rc = listing_read(req, &users, &filter, &slice);
 *	… rc = user_slice(req->db, req->arena, &filter, &slice, &list, …);
 *	json = listing_open(resp);
 *	… an object for each item …
 *	listing_close(json, req, &slice);
 */
#ifndef FG_FCGI_LISTING_H
#define FG_FCGI_LISTING_H

#include "lib/req.h"
#include "lib/resp.h"
#include "lib/slice.h"

#define LISTING_LIMIT_DEFAULT 50
#define LISTING_LIMIT_MAX     500
#define LISTING_FILTER_BYTES  256

enum listing_kind {
	LISTING_TEXT, /* const char *; NULL stays when it is not given */
	LISTING_TIME, /* int64_t microseconds from ISO 8601 text */
	LISTING_UUID, /* const char *, in the 36-character form */
};

struct listing_filter {
	const char *name;
	size_t offset; /* in the struct that listing_read fills */
	enum listing_kind kind;
	const char *const *words; /* of a text: the only ones; NULL = any */
};

#define LISTING_FILTERS_END                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}

/* For the filter of something that is or is not. */
extern const char *const listing_yes_no[]; /* "true", "false" */

struct listing {
	const char *const
		*sorts; /* NULL-terminated; the first is the default */
	const struct listing_filter *filters;
	const char *sort; /* another default, such as "-time"; NULL = none */
};

/*
 * Read the query string into "slice" and the list's own "filter", whose
 * members keep what they had when a filter is not given.
 * Owns:   the texts live in the request's arena.
 * Fails:  RC_BAD_INPUT an unknown or repeated parameter, a value out of its
 *         limits, a cursor that is broken or of another order; "field" is the
 *         parameter's name.
 */
MUST_CHECK enum rc listing_read(struct req *req, const struct listing *listing,
	void *filter, struct slice *slice);

/* Start the answer 200 at its "items"; write one object for each. */
struct jsonw *listing_open(struct resp *resp);
/* End it with "next", after the model has filled "slice". */
void listing_close(
	struct jsonw *json, struct req *req, const struct slice *slice);

#endif
