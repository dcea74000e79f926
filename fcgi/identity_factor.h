/*
 * identity_factor: what the log-in and the account's page share about second
 * factors.
 */
#ifndef FG_FCGI_IDENTITY_FACTOR_H
#define FG_FCGI_IDENTITY_FACTOR_H

#include "lib/req.h"
#include "lib/resp.h"
#include "model/factor.h"
#include "model/user.h"

struct json_object;

/*
 * A factor that is being set up is nowhere but in the form: its secret, sealed
 * for the person and for the form's csrf token, so that neither a page that
 * was only looked at nor somebody else's counts.
 */

/* Fill a form with a new secret and its QR code, or with those of "factor". */
MUST_CHECK enum rc factor_offer(struct req *req, struct json_object *view,
	const struct user *user, const char *csrf, const struct factor *factor);

/* What the form said. Fails: RC_DENIED it is not one of ours. */
MUST_CHECK enum rc factor_accept(struct req *req, const struct pairs *form,
	const struct user *user, const char *csrf, struct factor *factor);

/* Keep it when the form's code fits. Fails: as factor_confirm. */
MUST_CHECK enum rc factor_set(struct req *req, const struct pairs *form,
	const struct user *user, const struct factor *factor,
	const char *const **codes);

/* Recovery codes, shown this once; then on to "next". */
MUST_CHECK enum rc factor_show_codes(struct req *req, struct resp *resp,
	struct json_object *view, const char *const *codes, const char *next);

/*
 * Check a code as factor_use does, but count failures: after some, each next
 * try has to wait. *wait_s says how long.
 * Fails: RC_UNAUTHENTICATED with words; RC_TOO_MANY with words.
 */
MUST_CHECK enum rc factor_try(struct req *req, const struct user *user,
	const struct factor *factor, const char *code, int64_t *wait_s);

#endif
