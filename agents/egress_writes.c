/* egress_writes: values that the other side wants written. */

#include "agents/egress_writes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/req.h"

struct wish {
	char *shown;
	char *value;      /* JSON */
	int64_t asked_us; /* steady clock */
	egress_written_fn *done;
	void *context;
};

struct egress_writes {
	struct hub *hub;
	struct mirror *mirror;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct wish wishes[EGRESS_WRITES_MAX]; /* a ring; under lock */
	size_t first;
	size_t count;
	bool ending;
	atomic_bool cut; /* ends a request that is under way */
};

/* --- one write ------------------------------------------------------------ */

static void
write_body(const struct wish *wish, struct buf *body)
{
	int64_t waited_ms = (clock_steady_us() - wish->asked_us) / 1000;
	struct jsonw json;

	jsonw_init(&json, body);
	jsonw_open_obj(&json, NULL);
	jsonw_raw(&json, "value", wish->value);
	jsonw_int(&json, "expires_ms", EGRESS_WRITE_MS - waited_ms);
	jsonw_close_obj(&json);
}

static enum rc
send(struct egress_writes *writes, const struct wish *wish,
	const struct mirror_variable *variable, struct fault *fault)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena,
		"/hub/v1/datasources/%s/variables/%s", variable->datasource,
		percent_encode(arena, variable->name));
	const struct buf *answer;
	struct buf body;
	enum rc rc;

	buf_init(&body, 0);
	write_body(wish, &body);
	rc = hub_patch(writes->hub, path, &body, &answer, fault);
	buf_free(&body);
	arena_free(arena);
	return rc;
}

/* Without a code of the hub nobody has looked at the write. */
static bool
has_not_arrived(const struct fault *fault)
{
	return fault->code[0] == '\0' ||
	       strstr(fault->code, "Certificate") != NULL;
}

static enum rc
try(struct egress_writes *writes, const struct wish *wish, struct fault *fault)
{
	const struct mirror_variable *variable =
		mirror_find_shown(writes->mirror, wish->shown);
	enum rc rc;

	if (variable == NULL)
		return fault_set(fault, RC_NOT_FOUND,
			"there is no variable %.200s here", wish->shown);
	/* Less than a tenth of a second is no life for a command. */
	if (clock_steady_us() - wish->asked_us >
		(EGRESS_WRITE_MS - 100) * (CLOCK_SECOND_US / 1000))
		return fault_set(fault, RC_UNAVAILABLE,
			"it could not be sent in time and was dropped");
	rc = send(writes, wish, variable, fault);
	if (rc != RC_OK && has_not_arrived(fault))
		hub_recover(writes->hub, rc);
	return rc;
}

static void
do_one(struct egress_writes *writes, struct wish *wish)
{
	struct fault fault = {0};
	enum rc rc = try(writes, wish, &fault);
	const struct egress_written written = {
		wish->shown, rc, fault.code, fault.text};

	if (rc == RC_OK)
		log_info(NULL, "wrote %.200s to %.200s", wish->value,
			wish->shown);
	else
		log_warn(NULL, "writing %.200s: %s", wish->shown, fault.text);
	if (wish->done != NULL)
		wish->done(wish->context, &written);
	free(wish->shown);
	free(wish->value);
}

/* --- the thread ----------------------------------------------------------- */

static bool
take(struct egress_writes *writes, struct wish *wish)
{
	bool taken;

	pthread_mutex_lock(&writes->lock);
	while (writes->count == 0 && !writes->ending)
		pthread_cond_wait(&writes->changed, &writes->lock);
	taken = !writes->ending;
	if (taken) {
		*wish = writes->wishes[writes->first];
		writes->first = (writes->first + 1) % EGRESS_WRITES_MAX;
		writes->count--;
	}
	pthread_mutex_unlock(&writes->lock);
	return taken;
}

static void *
run(void *context)
{
	struct egress_writes *writes = context;
	struct wish wish;

	while (take(writes, &wish))
		do_one(writes, &wish);
	return NULL;
}

size_t
egress_writes_room(struct egress_writes *writes)
{
	size_t room;

	pthread_mutex_lock(&writes->lock);
	room = EGRESS_WRITES_MAX - writes->count;
	pthread_mutex_unlock(&writes->lock);
	return room;
}

bool
egress_writes_put(struct egress_writes *writes, const char *shown,
	const char *value, egress_written_fn *done, void *context)
{
	bool put;

	pthread_mutex_lock(&writes->lock);
	put = writes->count < EGRESS_WRITES_MAX && !writes->ending;
	if (put) {
		size_t at =
			(writes->first + writes->count++) % EGRESS_WRITES_MAX;

		writes->wishes[at] = (struct wish){strdup(shown), strdup(value),
			clock_steady_us(), done, context};
		if (writes->wishes[at].shown == NULL ||
			writes->wishes[at].value == NULL)
			abort();
		pthread_cond_signal(&writes->changed);
	}
	pthread_mutex_unlock(&writes->lock);
	return put;
}

enum rc
egress_writes_open(const struct hub_options *options, struct mirror *mirror,
	struct egress_writes **result, struct fault *fault)
{
	struct egress_writes *writes = calloc(1, sizeof(*writes));
	struct hub_options own = *options;
	enum rc rc;

	if (writes == NULL)
		abort();
	writes->mirror = mirror;
	pthread_mutex_init(&writes->lock, NULL);
	pthread_cond_init(&writes->changed, NULL);
	own.stop = &writes->cut;
	rc = hub_open(&own, &writes->hub, fault);
	if (rc == RC_OK &&
		pthread_create(&writes->thread, NULL, run, writes) != 0)
		rc = fault_set(fault, RC_IO, "there is no thread for writes");
	if (rc == RC_OK) {
		*result = writes;
		return RC_OK;
	}
	hub_close(writes->hub);
	free(writes);
	return rc;
}

void
egress_writes_end(struct egress_writes *writes)
{
	if (writes == NULL)
		return;
	pthread_mutex_lock(&writes->lock);
	writes->ending = true;
	pthread_cond_signal(&writes->changed);
	pthread_mutex_unlock(&writes->lock);
	atomic_store(&writes->cut, true);
	pthread_join(writes->thread, NULL);
}

/* Needs: egress_writes_end. */
void
egress_writes_close(struct egress_writes *writes)
{
	if (writes == NULL)
		return;
	for (; writes->count > 0; writes->count--) {
		free(writes->wishes[writes->first].shown);
		free(writes->wishes[writes->first].value);
		writes->first = (writes->first + 1) % EGRESS_WRITES_MAX;
	}
	hub_close(writes->hub);
	pthread_cond_destroy(&writes->changed);
	pthread_mutex_destroy(&writes->lock);
	free(writes);
}
