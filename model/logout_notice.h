/*
 * logout_notice: clients that have to hear that a session has ended (OpenID
 * Connect Back-Channel Logout 1.0). A trigger of the table session writes
 * them; the keeper sends them.
 */
#ifndef FG_MODEL_LOGOUT_NOTICE_H
#define FG_MODEL_LOGOUT_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"

/* Notified whenever there are new ones. */
#define LOGOUT_NOTICE_CHANNEL "fieldgrid_logout"

extern const struct stmt logout_notice_stmts[];

struct logout_notice {
	int64_t id;
	const char *client_id;
	const char *uri;
	const char *algorithm; /* of the client's tokens */
	uint8_t subject[UUID_BYTES];
	uint8_t sid[UUID_BYTES];
	int64_t tries; /* with this one */
	bool last;     /* a day has passed */
};

/*
 * Take the one that is due for longest. It is due again later, the more so the
 * more often it was tried, unless logout_notice_done says that it was heard:
 * a sender that dies in between has lost nothing.
 * Fails: RC_NOT_FOUND none is due.
 */
MUST_CHECK enum rc logout_notice_take(struct db *db, struct arena *arena,
	struct logout_notice *notice, struct fault *fault);

MUST_CHECK enum rc logout_notice_done(
	struct db *db, const struct logout_notice *notice, struct fault *fault);

#endif
