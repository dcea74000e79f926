/*
 * hub: what an agent says to a Data Hub, over one mutual-TLS connection.
 *
 * Several addresses may be given; one is used until it fails, then the next.
 * A token is fetched when there is none, before it expires and after a 401.
 */
#ifndef FG_AGENTS_HUB_H
#define FG_AGENTS_HUB_H

#include <stdatomic.h>

#include "agents/input.h"
#include "agents/spool.h"
#include "lib/encode.h"
#include "lib/http.h"

struct hub;

struct hub_options {
	const char *const *urls; /* NULL-terminated */
	const char *ca;
	const char *certificate;
	const char *key;
	const char *client_id;
	const char *client_secret; /* the file; read again for every token */
	int64_t timeout_ms;
	uint8_t datasource[UUID_BYTES];
	const char *place; /* agents/place.h; NULL = anywhere */
	const atomic_bool *stop;
};

/*
 * Fails: RC_IO a file cannot be read.
 *
 * All calls below fail with RC_UNAVAILABLE when the hub cannot be reached or
 * cannot serve now, RC_UPSTREAM when TLS is refused, RC_DENIED when this node,
 * token or datasource is not allowed: then try again later. The fault's code
 * holds the hub's errorCode, if it sent one.
 */
MUST_CHECK enum rc hub_open(const struct hub_options *options, struct hub **hub,
	struct fault *fault);
void hub_close(struct hub *hub);

/* The address in use, and how many there are. */
const char *hub_url(const struct hub *hub);
size_t hub_url_count(const struct hub *hub);

/* Use the next address from now on. */
void hub_turn(struct hub *hub);

/* After a call failed by "rc", for threads that renew no certificate: use the
 * next address from now on, and the files as they are now when they may be the
 * reason: the thread that renews them may have done so. */
void hub_recover(struct hub *hub, enum rc rc);

/* Its connection, for other requests to the same address. */
struct http *hub_http(struct hub *hub);

/* Another certificate and key from now on, in a new connection with a new
 * token; the names must stay. Fails: RC_IO a file cannot be read: nothing has
 * changed. */
MUST_CHECK enum rc hub_use(struct hub *hub, const char *certificate,
	const char *key, struct fault *fault);

/* The last committed sequence of this node and the spool it came from. */
MUST_CHECK enum rc hub_position(struct hub *hub, int64_t *sequence,
	uint64_t *spool, struct fault *fault);

/*
 * Create or update the variables and fill the ids of "list".
 * Fails also: RC_CONFLICT a type changed; RC_BAD_INPUT refused otherwise.
 */
MUST_CHECK enum rc hub_declare(
	struct hub *hub, struct input_list *list, struct fault *fault);

/*
 * Send frames back to back; "sequence" is what the hub has committed then.
 * Fails also: RC_CONFLICT SequenceConflict; RC_BAD_INPUT, RC_TOO_LARGE,
 *             RC_UNSUPPORTED or RC_UNPROCESSABLE: refused for good.
 */
MUST_CHECK enum rc hub_frames(struct hub *hub, const struct buf *frames,
	int64_t *sequence, struct fault *fault);

/*
 * Any other request: POST, PUT or PATCH a JSON object, or GET one. *answer is
 * good until the next call. Fails also: RC_CONFLICT, RC_BAD_INPUT, …: the hub's
 * errorCode is in the fault's code.
 */
MUST_CHECK enum rc hub_post(struct hub *hub, const char *path,
	const struct buf *body, const struct buf **answer, struct fault *fault);
MUST_CHECK enum rc hub_put(struct hub *hub, const char *path,
	const struct buf *body, const struct buf **answer, struct fault *fault);
MUST_CHECK enum rc hub_patch(struct hub *hub, const char *path,
	const struct buf *body, const struct buf **answer, struct fault *fault);
MUST_CHECK enum rc hub_get(struct hub *hub, const char *path,
	const struct buf **answer, struct fault *fault);

/* Follow GET "path" until it ends; RC_OK when the hub ended it. */
MUST_CHECK enum rc hub_follow(struct hub *hub, const char *path,
	const struct http_stream *stream, struct fault *fault);

/* The hub's steady clock, us, and which start of its machine it counts from. */
MUST_CHECK enum rc hub_clock(struct hub *hub, uint8_t boot[UUID_BYTES],
	int64_t *steady_us, struct fault *fault);

/*
 * Tell results of commands: "body" is {"results":[…]}. Every one of them is
 * the hub's then, even those that it did not want.
 */
MUST_CHECK enum rc hub_results(
	struct hub *hub, const struct buf *body, struct fault *fault);

/* Say that this agent lives. */
MUST_CHECK enum rc hub_beat(struct hub *hub, const struct spool_status *status,
	struct fault *fault);

/* What the hub said of its limits in the last beat: another number means that
 * they may have changed. 0 = nothing yet. */
int64_t hub_limits_version(const struct hub *hub);

/* What the answer to the last beat said of the time, and when that was asked
 * for (clock_boot_us). False when there was none. */
bool hub_told_time(const struct hub *hub, int64_t *hub_us, int64_t *asked_us);

#endif
