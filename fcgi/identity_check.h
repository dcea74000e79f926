/*
 * identity_check: the two halves of a login: is it the right password, and
 * what happens then. The second half is for every way in (local, directory,
 * federation), so that none forgets a check.
 */
#ifndef FG_FCGI_IDENTITY_CHECK_H
#define FG_FCGI_IDENTITY_CHECK_H

#include <stdbool.h>

#include "lib/req.h"
#include "lib/resp.h"
#include "model/user.h"

/* Methods of authentication (RFC 8176). */
#define IDENTITY_AMR_PASSWORD "pwd"
#define IDENTITY_AMR_OTP      "otp"
#define IDENTITY_AMR_MULTIPLE "mfa"

/* The issuer of accounts that are looked after here. */
#define IDENTITY_ISSUER_LOCAL "local"

/*
 * Whose name and password are these? Counts failures, and takes as long for a
 * name that nobody has. *amr is for identity_let_in.
 * Fails: RC_UNAUTHENTICATED with one text for every reason; RC_TOO_MANY with
 *        words, *wait_s says how long to wait; RC_UNAVAILABLE.
 */
struct identity_check {
	const char *name;
	const char *password;
	int64_t wait_s;
};

MUST_CHECK enum rc identity_check_password(struct req *req,
	struct identity_check *check, struct user *user, const char **amr);

/*
 * Somebody was recognised: refuse a disabled account, ask for what is still
 * missing, then make a session and go to "next" (a path of this site).
 * "amr" is one or more methods with spaces between: with "otp" or "mfa" a
 * second factor was shown. "issuer" is IDENTITY_ISSUER_LOCAL or account.source.
 * Fails: RC_UNAUTHENTICATED the account is disabled.
 */
MUST_CHECK enum rc identity_let_in(struct req *req, struct resp *resp,
	const struct user *user, const char *amr, const char *issuer,
	const char *next);

/* The same without going anywhere: when *inside turns true there is a session,
 * and the caller answers; else the answer leads to what is still missing. */
MUST_CHECK enum rc identity_enter(struct req *req, struct resp *resp,
	const struct user *user, const char *amr, const char *issuer,
	const char *next, bool *inside);

/* An audit row about the account "name". Fails: as audit_write. */
MUST_CHECK enum rc identity_audit(struct req *req, const char *action,
	const char *name, const char *result);

#endif
