/*
 * live: streams of changed values, alarms and events, without their transport.
 *
 * A caller registers lists of variables and gets an id; whoever shows the id
 * and the same secret gets a snapshot and then changes, at most ten times a
 * second. Streams with the same lists share one group, whose text is built
 * once. A stream that does not keep up is left out until it has drained and
 * is then told what changed since its own last text: nothing is queued for it.
 * Changes of alarms and events, the news, are kept for all in one ring; who
 * has fallen behind that gets a snapshot, and reads the lists anew.
 *
 * Thread-safe. The sink's functions are called from live_connect, live_leave
 * and live_tick only, so from one thread when these are.
 */
#ifndef FG_MODEL_LIVE_H
#define FG_MODEL_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fault.h"
#include "model/caller.h"
#include "model/image.h"
#include "model/policy.h"

#define LIVE_VARIABLES_MAX  20000
#define LIVE_PER_CALLER_MAX 64
#define LIVE_STREAMS_MAX    10000
#define LIVE_ID_BYTES       44
#define LIVE_EVENT_ID_BYTES 72
#define LIVE_NEWS_MAX       16384 /* that are kept */
#define LIVE_NEWS_BYTES     (16 * 1024 * 1024)
/* A stream with more than this still to send is left out. */
#define LIVE_PENDING_BYTES (256 * 1024)

/* A text that many streams send; freed by the last live_text_free. */
struct live_text {
	_Atomic int users;
	struct buf buf;
};

void live_text_free(struct live_text *text);

/* The transport of one stream. "send" takes over one use of "text"; "close"
 * sends what is pending and ends. */
struct live_sink {
	size_t (*pending)(void *client);
	void (*send)(void *client, struct live_text *text);
	void (*close)(void *client);
};

struct live;

struct live *live_new(struct image *image, const struct live_sink *sink);
void live_free(struct live *live);

/* What a stream can be told of. */
enum live_subject { LIVE_VALUES, LIVE_ALARMS, LIVE_EVENTS, LIVE_SUBJECTS };

/* Whose values, alarms or events. */
struct live_choice {
	struct image_variable *const *variables;
	size_t count;
	/* Asked for as well, but not to be read now: when one of them may be
	 * read, the stream ends, to be registered anew. */
	struct image_variable *const *refused;
	size_t refused_count;
	/* Datasources of which everything was asked for, so what is of no
	 * variable as well. */
	struct image_datasource *const *whole;
	size_t whole_count;
	struct image_datasource *const *refused_whole;
	size_t refused_whole_count;
};

/* The right that being told of it takes. */
enum policy_action live_action(enum live_subject subject);

/* Who registers. "secret" is the hash of the cookie or token that it showed. */
struct live_order {
	const struct caller *caller;
	uint8_t secret[32];
	struct live_choice choices[LIVE_SUBJECTS];
};

/* Fails: RC_TOO_MANY. */
MUST_CHECK enum rc live_register(struct live *live,
	const struct live_order *order, char id[LIVE_ID_BYTES],
	struct fault *fault);

/* May whoever shows this secret connect to stream "id"?
 * Fails: RC_NOT_FOUND no such stream; RC_UNAUTHENTICATED another secret. */
MUST_CHECK enum rc live_check(struct live *live, const char *id,
	const uint8_t secret[32], struct fault *fault);

/*
 * Connect "client" to stream "id" and send its first text: what changed since
 * "last_event_id" (NULL = none) when that is of this boot, else a snapshot. A
 * client that was connected before is closed. Needs: live_check.
 */
void live_connect(struct live *live, const char *id, const char *last_event_id,
	void *client);

/* The client is gone; the stream waits for it for a while. */
void live_leave(struct live *live, void *client);

/* Send what is due, end what has ended, forget what nobody came for. Returns
 * the time (steady clock) of the next call, at the latest. */
int64_t live_tick(struct live *live, int64_t now_us);

/* --- news ----------------------------------------------------------------- */

/* One change of an alarm, or one event. */
struct live_news {
	enum live_subject subject; /* LIVE_ALARMS or LIVE_EVENTS */
	int64_t datasource_id;     /* 0 = of the grid */
	int32_t variable_id;       /* 0 = of none */
	const char *json;          /* one object; it is copied */
};

/* Tell streams at the next tick; the oldest are forgotten for it. */
void live_news_add(
	struct live *live, const struct live_news *news, size_t count);

/* Some could not be read: who wants them begins anew. */
void live_news_lost(struct live *live);

/* Does any stream want them? */
bool live_news_wanted(struct live *live);

/* --- the end -------------------------------------------------------------- */

enum live_end {
	LIVE_GOES_ON,
	LIVE_LOGGED_OUT,
	LIVE_RIGHTS_CHANGED,
	LIVE_EXPIRED
};

/* The callers of all streams, each once; copies in "arena". */
void live_callers(struct live *live, struct arena *arena,
	struct caller **callers, size_t *count);

/* At the next tick, end the streams of this caller's credential. */
void live_end(
	struct live *live, const struct caller *caller, enum live_end end);

/* The same for those that hold a variable which "policy" does not allow, or
 * lack one that it does. */
void live_recheck(struct live *live, const struct caller *caller,
	const struct policy *policy);

/* End all streams now, without a word: the clients come again. */
void live_close_all(struct live *live);

#endif
