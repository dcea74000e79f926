/*
 * api_history: samples for a trend: as they came when they are few, else the
 * extremes of equal parts of the time, so that no spike vanishes.
 */
#ifndef FG_FCGI_API_HISTORY_H
#define FG_FCGI_API_HISTORY_H

#include "fcgi/api.h"
#include "lib/route.h"

#define API_HISTORY_VARIABLES_MAX 50
#define API_HISTORY_DAYS_MAX      3660 /* ten years */

/* POST /api/v1/datasources/{ds}/history/query */
handler_fn api_history_query;

/*
 * Find the "names" that the caller may read; when some are not there, the
 * answer 400 is written and "variables" has none.
 */
MUST_CHECK enum rc api_history_variables(struct req *req, struct resp *resp,
	const struct plant *plant, const struct texts *names,
	struct variable_list *variables);

/* Fails: RC_BAD_INPUT, in words, for a range that is empty or too long. */
MUST_CHECK enum rc api_history_check_range(
	struct req *req, int64_t from_us, int64_t to_us);

#endif
