/*
 * renewal: the running agent gets its next certificate after two thirds of the
 * life of the one it has, and goes on sending meanwhile.
 */
#ifndef FG_AGENTS_RENEWAL_H
#define FG_AGENTS_RENEWAL_H

#include "agents/credential.h"
#include "agents/hub.h"

struct renewal {
	struct credential files;
	int64_t due_us; /* clock_now_us */
	int64_t end_us; /* of the certificate */
};

/* Look at the files; an earlier renewal is finished or forgotten.
 * Fails: RC_IO, RC_BAD_INPUT the certificate cannot be read. */
MUST_CHECK enum rc renewal_open(struct renewal *renewal, struct arena *arena,
	const char *ca, const char *certificate, const char *key,
	struct fault *fault);

/* Is there a next pair that may be the one that works? */
bool renewal_waits(const struct renewal *renewal);
bool renewal_is_due(const struct renewal *renewal);

/*
 * Get the next certificate, unless one waits, prove it with a beat, and use it
 * from now on. When that fails, what was before is used on, and it is due
 * again later.
 * Fails: as hub_beat and est_certificate; RC_IO.
 */
MUST_CHECK enum rc renewal_run(struct renewal *renewal, struct hub *hub,
	const struct spool_status *status, struct fault *fault);

#endif
