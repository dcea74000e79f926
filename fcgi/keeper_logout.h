/*
 * keeper_logout: the keeper's thread that tells clients which sessions have
 * ended. Apart from the other tasks, because a client may take seconds to
 * answer. Several keepers may send: each notice is taken by one of them.
 */
#ifndef FG_FCGI_KEEPER_LOGOUT_H
#define FG_FCGI_KEEPER_LOGOUT_H

#include "fcgi/keeper.h"

struct keeper_logout;

/*
 * Fails: RC_IO the file with the authority; RC_DB as db_open.
 * Owns:  freed by keeper_logout_close. "keeper" must outlive it.
 */
MUST_CHECK enum rc keeper_logout_open(const struct keeper *keeper,
	struct keeper_logout **logout, struct fault *fault);
void keeper_logout_close(struct keeper_logout *logout);

/* Send what is due. Fails: RC_UNAVAILABLE, RC_DB; never because of a client. */
MUST_CHECK enum rc keeper_logout_work(
	struct keeper_logout *logout, struct fault *fault);

/* Work in a thread until the keeper stops. Fails: RC_IO there is no thread. */
MUST_CHECK enum rc keeper_logout_start(
	struct keeper_logout *logout, struct fault *fault);
void keeper_logout_join(struct keeper_logout *logout);

#endif
