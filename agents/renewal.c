/* renewal: the running agent gets its next certificate. */

#include "agents/renewal.h"

#include "agents/est.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"

#define RETRY_MIN_US (5 * CLOCK_SECOND_US)
#define RETRY_MAX_US CLOCK_HOUR_US
#define RETRY_PART   20 /* of the time that is left */

static enum rc
read_times(struct renewal *renewal, struct fault *fault)
{
	struct arena *arena = arena_new();
	enum rc rc = credential_times(arena, &renewal->files, &renewal->due_us,
		&renewal->end_us, fault);

	arena_free(arena);
	return rc;
}

enum rc
renewal_open(struct renewal *renewal, struct arena *arena, const char *ca,
	const char *certificate, const char *key, struct fault *fault)
{
	char end[CLOCK_TEXT_BYTES];
	enum rc rc;

	renewal->files = credential_of(arena, ca, certificate, key);
	rc = credential_settle(arena, &renewal->files, fault);
	if (rc == RC_OK)
		rc = read_times(renewal, fault);
	if (rc != RC_OK)
		return rc;
	clock_format(end, renewal->end_us);
	if (renewal->end_us < plant_clock_us())
		log_error(NULL,
			"the certificate ended at %s: enrol again with a new "
			"token (fieldgrid-ingress enrol --force)",
			end);
	return RC_OK;
}

bool
renewal_waits(const struct renewal *renewal)
{
	struct arena *arena = arena_new();
	bool waits = credential_has_next(arena, &renewal->files);

	arena_free(arena);
	return waits;
}

bool
renewal_is_due(const struct renewal *renewal)
{
	return plant_clock_us() >= renewal->due_us;
}

static void
try_later(struct renewal *renewal)
{
	int64_t now_us = plant_clock_us();
	int64_t wait_us = (renewal->end_us - now_us) / RETRY_PART;

	if (wait_us < RETRY_MIN_US)
		wait_us = RETRY_MIN_US;
	if (wait_us > RETRY_MAX_US)
		wait_us = RETRY_MAX_US;
	renewal->due_us = now_us + wait_us;
}

/* --- the steps ---------------------------------------------------------- */

/* The next pair, over the connection that there is. */
static enum rc
ask(struct renewal *renewal, struct arena *arena, struct hub *hub,
	struct fault *fault)
{
	struct est_request request = {.url = hub_url(hub)};
	struct est_answer answer;
	enum rc rc =
		credential_prepare(arena, &renewal->files, &request.csr, fault);

	if (rc == RC_OK)
		rc = est_certificate(
			hub_http(hub), arena, &request, &answer, fault);
	if (rc == RC_OK)
		rc = credential_accept(
			arena, &renewal->files, answer.pem, fault);
	return rc;
}

/* With the next pair; the hub knows it as ours when it has taken a beat. */
static enum rc
prove(struct renewal *renewal, struct hub *hub,
	const struct spool_status *status, struct fault *fault)
{
	enum rc rc = hub_use(hub, renewal->files.next_certificate,
		renewal->files.next_key, fault);

	return rc == RC_OK ? hub_beat(hub, status, fault) : rc;
}

/* Whom to trust may have changed, too; it is no harm when this fails. */
static void
refresh_trust(struct renewal *renewal, struct arena *arena, struct hub *hub)
{
	struct fault fault;
	const char *pem = NULL;
	enum rc rc =
		est_bundle(hub_http(hub), arena, hub_url(hub), &pem, &fault);

	if (rc == RC_OK)
		rc = credential_trust(arena, &renewal->files, pem, &fault);
	if (rc != RC_OK)
		log_warn(NULL, "%s: %s", renewal->files.ca, fault.text);
}

static enum rc
go_back(struct renewal *renewal, struct hub *hub, enum rc why,
	struct fault *fault)
{
	struct fault ignored;

	if (why == RC_DENIED)
		credential_discard(&renewal->files);
	if (hub_use(hub, renewal->files.certificate, renewal->files.key,
		    &ignored) != RC_OK)
		*fault = ignored;
	return why;
}

static enum rc
change_over(struct renewal *renewal, struct arena *arena, struct hub *hub,
	struct fault *fault)
{
	char end[CLOCK_TEXT_BYTES];
	enum rc rc = credential_switch(&renewal->files, fault);

	if (rc == RC_OK)
		rc = hub_use(hub, renewal->files.certificate,
			renewal->files.key, fault);
	if (rc == RC_OK)
		rc = read_times(renewal, fault);
	if (rc != RC_OK)
		return rc;
	refresh_trust(renewal, arena, hub);
	clock_format(end, renewal->end_us);
	log_info(NULL, "the certificate was renewed, until %s", end);
	return RC_OK;
}

enum rc
renewal_run(struct renewal *renewal, struct hub *hub,
	const struct spool_status *status, struct fault *fault)
{
	struct arena *arena = arena_new();
	enum rc rc = RC_OK;

	if (!credential_has_next(arena, &renewal->files))
		rc = ask(renewal, arena, hub, fault);
	if (rc == RC_OK) {
		rc = prove(renewal, hub, status, fault);
		rc = rc == RC_OK ? change_over(renewal, arena, hub, fault)
				 : go_back(renewal, hub, rc, fault);
	}
	if (rc != RC_OK)
		try_later(renewal);
	arena_free(arena);
	return rc;
}
