/* expiry: rows of the identity service that nobody can use any more. */

#include "model/expiry.h"

const struct stmt expiry_stmts[] = {
	{"expiry_session", "",
		"DELETE FROM session"
		" WHERE expires_at <= now()"
		" OR seen_at <= now() - interval '1 day'"},
	/* used twice, it still ends what came from it (RFC 6749, 4.1.2) */
	{"expiry_code", "",
		"DELETE FROM authorization_code"
		" WHERE expires_at <= now() - interval '31 days'"},
	{"expiry_refresh", "",
		"DELETE FROM refresh_token WHERE dies_at <= now()"},
	{"expiry_family", "",
		"DELETE FROM revoked_family WHERE expires_at <= now()"},
	{"expiry_token", "",
		"DELETE FROM revoked_token WHERE expires_at <= now()"},
	{"expiry_failure", "",
		"DELETE FROM login_failure"
		" WHERE blocked_until <= now() - interval '1 day'"},
	{"expiry_step", "", "DELETE FROM login_step WHERE expires_at <= now()"},
	/* the device shall hear that its code has expired */
	{"expiry_device", "",
		"DELETE FROM device_code"
		" WHERE expires_at <= now() - interval '1 day'"},
	/* of keepers that send none: those that do give up sooner */
	{"expiry_notice", "",
		"DELETE FROM logout_notice"
		" WHERE created_at <= now() - interval '3 days'"},
	STMT_END,
};

enum rc
expiry_prune(struct db *db, int64_t *deleted, struct fault *fault)
{
	enum rc rc = RC_OK;

	*deleted = 0;
	for (const struct stmt *stmt = expiry_stmts;
		rc == RC_OK && stmt->name != NULL; stmt++) {
		int64_t rows = 0;

		rc = db_exec(db, stmt, NO_PARAMS, &rows, fault);
		*deleted += rows;
	}
	return rc;
}
