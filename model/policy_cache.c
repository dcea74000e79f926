/* policy_cache: compiled policies of the subjects that ask often. */

#include "model/policy_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/memory.h"

#define ENTRIES    256
#define BYTES_MAX  ((size_t)64 * 1024 * 1024)
#define VERSION_US CLOCK_SECOND_US

/* What was compiled, in an arena of its own; freed by whoever lets go last. */
struct held {
	atomic_int users;
	struct arena *arena;
	const struct policy_index *index;
};

struct entry {
	enum caller_kind kind;
	int64_t id;
	int64_t epoch;
	int64_t version;
	int64_t used_us; /* steady clock */
	size_t bytes;
	struct held *held; /* NULL = the place is free */
};

struct policy_cache {
	pthread_mutex_t lock;
	int64_t version;
	int64_t asked_us; /* steady clock; 0 = ask now */
	uint64_t tickets; /* one for each question and each "forget" */
	uint64_t noted;   /* the newest that was answered */
	size_t bytes;
	struct entry entries[ENTRIES];
};

static void
let_go(void *object)
{
	struct held *held = object;

	if (atomic_fetch_sub(&held->users, 1) > 1)
		return;
	arena_free(held->arena);
	free(held);
}

static void
clear(struct policy_cache *cache, struct entry *entry)
{
	if (entry->held == NULL)
		return;
	cache->bytes -= entry->bytes;
	let_go(entry->held);
	*entry = (struct entry){.held = NULL};
}

struct policy_cache *
policy_cache_new(void)
{
	struct policy_cache *cache = memory_new(1, sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void
policy_cache_free(struct policy_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		clear(cache, &cache->entries[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

void
policy_cache_forget(struct policy_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->asked_us = 0;
	cache->noted = ++cache->tickets;
	pthread_mutex_unlock(&cache->lock);
}

/* --- the version ---------------------------------------------------------- */

/* What was asked for before somebody else's answer, or before "forget", is old
 * news. */
static void
note_version(struct policy_cache *cache, int64_t version, uint64_t ticket)
{
	pthread_mutex_lock(&cache->lock);
	if (ticket > cache->noted) {
		cache->noted = ticket;
		cache->version = version;
		cache->asked_us = clock_steady_us();
	}
	pthread_mutex_unlock(&cache->lock);
}

static enum rc
find_version(struct policy_cache *cache, struct db *db, struct arena *arena,
	int64_t *version, struct fault *fault)
{
	uint64_t ticket;
	bool fresh;
	enum rc rc;

	pthread_mutex_lock(&cache->lock);
	*version = cache->version;
	ticket = ++cache->tickets;
	fresh = cache->asked_us != 0 &&
		clock_steady_us() - cache->asked_us < VERSION_US;
	pthread_mutex_unlock(&cache->lock);
	if (fresh)
		return RC_OK;
	rc = policy_version(db, arena, version, fault);
	if (rc == RC_OK)
		note_version(cache, *version, ticket);
	return rc;
}

/* --- entries -------------------------------------------------------------- */

static int64_t
epoch_of(const struct caller *caller)
{
	return caller->kind == CALLER_USER ? caller->user_epoch
					   : caller->client_epoch;
}

static struct entry *
find(struct policy_cache *cache, const struct caller *caller)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *entry = &cache->entries[i];

		if (entry->held != NULL && entry->id == caller->id &&
			entry->kind == caller->kind &&
			entry->epoch == epoch_of(caller))
			return entry;
	}
	return NULL;
}

static struct held *
take(struct policy_cache *cache, const struct caller *caller, int64_t version)
{
	struct held *held = NULL;
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache, caller);
	if (entry != NULL && entry->version == version) {
		held = entry->held;
		entry->used_us = clock_steady_us();
		atomic_fetch_add(&held->users, 1);
	}
	pthread_mutex_unlock(&cache->lock);
	return held;
}

/* A free place, for which those go that nobody has used for longest. */
static struct entry *
make_room(struct policy_cache *cache, size_t bytes)
{
	for (;;) {
		struct entry *room = NULL;
		struct entry *oldest = NULL;

		for (size_t i = 0; i < ENTRIES; i++) {
			struct entry *entry = &cache->entries[i];

			if (entry->held == NULL)
				room = entry;
			else if (oldest == NULL ||
				 entry->used_us < oldest->used_us)
				oldest = entry;
		}
		if (room != NULL &&
			(oldest == NULL || cache->bytes + bytes <= BYTES_MAX))
			return room;
		clear(cache, oldest);
	}
}

static void
keep(struct policy_cache *cache, const struct caller *caller, int64_t version,
	struct held *held)
{
	size_t bytes = arena_used(held->arena);
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache, caller);
	if (entry != NULL)
		clear(cache, entry);
	entry = make_room(cache, bytes);
	atomic_fetch_add(&held->users, 1);
	cache->bytes += bytes;
	*entry = (struct entry){
		.kind = caller->kind,
		.id = caller->id,
		.epoch = epoch_of(caller),
		.version = version,
		.used_us = clock_steady_us(),
		.bytes = bytes,
		.held = held,
	};
	pthread_mutex_unlock(&cache->lock);
}

static enum rc
compile(struct db *db, const struct caller *caller, struct held **compiled,
	struct fault *fault)
{
	struct held *held = memory_new(1, sizeof(*held));
	enum rc rc;

	held->users = 1;
	held->arena = arena_new();
	rc = policy_compile(db, held->arena, policy_kind(caller->kind),
		caller->id, &held->index, fault);
	if (rc != RC_OK)
		let_go(held);
	else
		*compiled = held;
	return rc;
}

/* The version is read before the rules: what changes in between is seen at
 * the next look, never missed. */
enum rc
policy_cache_get(struct policy_cache *cache, struct db *db, struct arena *arena,
	const struct caller *caller, const struct policy **policy,
	struct fault *fault)
{
	struct held *held;
	int64_t version;
	enum rc rc;

	if (caller->kind == CALLER_NOBODY)
		return policy_load(db, arena, caller, policy, fault);
	rc = find_version(cache, db, arena, &version, fault);
	if (rc != RC_OK)
		return rc;
	held = take(cache, caller, version);
	if (held == NULL) {
		rc = compile(db, caller, &held, fault);
		if (rc != RC_OK)
			return rc;
		keep(cache, caller, version, held);
	}
	arena_defer(arena, let_go, held);
	*policy = policy_wrap(arena, caller, held->index);
	return RC_OK;
}
