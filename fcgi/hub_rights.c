/* hub_rights: the policies of callers, kept for a second. */

#include "fcgi/hub_rights.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"

#define ENTRIES 64
#define KEEP_US CLOCK_SECOND_US

/* One policy in an arena of its own; freed by whoever lets go last. */
struct held {
	atomic_int users;
	struct arena *arena;
	const struct policy *policy;
};

struct entry {
	enum caller_kind kind;
	int64_t id;
	bool administrator;
	int64_t until_us; /* steady clock */
	struct held *held;
};

struct hub_rights {
	pthread_mutex_t lock;
	struct entry entries[ENTRIES];
	size_t next;
};

static void
let_go(void *object)
{
	struct held *held = object;

	if (held == NULL || atomic_fetch_sub(&held->users, 1) > 1)
		return;
	arena_free(held->arena);
	free(held);
}

struct hub_rights *
hub_rights_new(void)
{
	struct hub_rights *rights = calloc(1, sizeof(*rights));

	if (rights == NULL)
		abort();
	pthread_mutex_init(&rights->lock, NULL);
	return rights;
}

void
hub_rights_forget(struct hub_rights *rights)
{
	pthread_mutex_lock(&rights->lock);
	for (size_t i = 0; i < ENTRIES; i++) {
		let_go(rights->entries[i].held);
		rights->entries[i] = (struct entry){.held = NULL};
	}
	pthread_mutex_unlock(&rights->lock);
}

void
hub_rights_free(struct hub_rights *rights)
{
	if (rights == NULL)
		return;
	hub_rights_forget(rights);
	pthread_mutex_destroy(&rights->lock);
	free(rights);
}

static struct entry *
find(struct hub_rights *rights, const struct caller *caller)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *entry = &rights->entries[i];

		if (entry->held != NULL && entry->id == caller->id &&
			entry->kind == caller->kind &&
			entry->administrator == caller->administrator)
			return entry;
	}
	return NULL;
}

static struct held *
take(struct hub_rights *rights, const struct caller *caller)
{
	struct held *held = NULL;
	struct entry *entry;

	pthread_mutex_lock(&rights->lock);
	entry = find(rights, caller);
	if (entry != NULL && entry->until_us > clock_steady_us()) {
		held = entry->held;
		atomic_fetch_add(&held->users, 1);
	}
	pthread_mutex_unlock(&rights->lock);
	return held;
}

static void
keep(struct hub_rights *rights, const struct caller *caller, struct held *held)
{
	struct entry *entry;

	pthread_mutex_lock(&rights->lock);
	entry = find(rights, caller);
	if (entry == NULL)
		entry = &rights->entries[rights->next++ % ENTRIES];
	let_go(entry->held);
	atomic_fetch_add(&held->users, 1);
	*entry = (struct entry){
		.kind = caller->kind,
		.id = caller->id,
		.administrator = caller->administrator,
		.until_us = clock_steady_us() + KEEP_US,
		.held = held,
	};
	pthread_mutex_unlock(&rights->lock);
}

static enum rc
load(struct req *req, struct held **loaded)
{
	struct held *held = calloc(1, sizeof(*held));
	enum rc rc;

	if (held == NULL)
		abort();
	held->users = 1;
	held->arena = arena_new();
	rc = policy_load(
		req->db, held->arena, req->caller, &held->policy, &req->fault);
	if (rc != RC_OK)
		let_go(held);
	else
		*loaded = held;
	return rc;
}

enum rc
hub_rights_get(struct hub_rights *rights, struct req *req,
	const struct policy **policy)
{
	struct held *held = take(rights, req->caller);

	if (held == NULL) {
		enum rc rc = load(req, &held);

		if (rc != RC_OK)
			return rc;
		keep(rights, req->caller, held);
	}
	arena_defer(req->arena, let_go, held);
	*policy = held->policy;
	return RC_OK;
}
