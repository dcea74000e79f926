/* hub_watch: the thread that follows the database. */

#include "fcgi/hub_watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/hub_apply.h"
#include "fcgi/hub_catalog.h"
#include "fcgi/hub_live.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_nodes.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/checkpoint.h"
#include "model/feed_era.h"
#include "model/policy_cache.h"

#define CATALOG_CHANNEL "fieldgrid_catalog"
#define ROUND_US        CLOCK_SECOND_US
/* Streams are checked at every notification, and this often without. */
#define RECHECK_US (30 * CLOCK_SECOND_US)

struct watcher {
	struct hub *hub;
	struct hub_live *live;
	struct db *db;
	struct arena *arena; /* reset after every round */
	struct fault fault;
	bool lost; /* the connection, since the last good round */
	bool catalog_changed;
	bool rights_changed;
	int64_t rechecked_us;
	int64_t checkpoint_us;
	uint64_t checkpoint_version;
};

/* --- start -------------------------------------------------------------- */

/* Before a frame or an alarm is stored in a database that was restored. */
static enum rc
check_era(struct watcher *watcher)
{
	int64_t era;
	enum rc rc = feed_era_check(
		watcher->db, watcher->arena, &era, &watcher->fault);

	if (rc == RC_OK)
		atomic_store(&watcher->hub->era, era);
	return rc;
}

/* The newest of checkpoint, chunks and frames: image_put sorts it out. */
static enum rc
rebuild(struct watcher *watcher)
{
	struct hub *hub = watcher->hub;
	int64_t started_us = clock_steady_us();
	enum rc rc = check_era(watcher);

	if (rc == RC_OK)
		rc = hub_catalog_read(
			hub, watcher->db, watcher->arena, &watcher->fault);
	if (rc == RC_OK)
		rc = checkpoint_read(watcher->db, watcher->arena,
			hub->conf.name, hub->image, &watcher->fault);
	if (rc == RC_OK)
		rc = checkpoint_read_chunks(watcher->db, watcher->arena,
			hub->image, &watcher->fault);
	if (rc == RC_OK)
		rc = hub_apply_all_missing(
			hub, watcher->db, watcher->arena, &watcher->fault);
	if (rc != RC_OK)
		return rc;
	watcher->checkpoint_us = clock_steady_us();
	atomic_store(&hub->ready, true);
	log_info(NULL, "image rebuilt ms=%lld",
		(long long)(clock_steady_us() - started_us) / 1000);
	return RC_OK;
}

/* --- streams ------------------------------------------------------------ */

static enum rc
check_caller(struct watcher *watcher, const struct caller *caller)
{
	struct live *live = watcher->hub->live;
	const struct policy *policy;
	enum rc rc = caller_recheck(
		watcher->db, watcher->arena, caller, &watcher->fault);

	if (rc == RC_UNAUTHENTICATED) {
		live_end(live, caller, LIVE_LOGGED_OUT);
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = policy_cache_get(watcher->hub->policies, watcher->db,
			watcher->arena, caller, &policy, &watcher->fault);
	if (rc == RC_OK)
		live_recheck(live, caller, policy);
	return rc;
}

static enum rc
check_streams(struct watcher *watcher)
{
	struct caller *callers;
	size_t count;
	enum rc rc = RC_OK;

	policy_cache_forget(watcher->hub->policies);
	live_callers(watcher->hub->live, watcher->arena, &callers, &count);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = check_caller(watcher, &callers[i]);
	if (rc == RC_OK)
		rc = hub_node_streams_recheck(watcher->hub, watcher->db,
			watcher->arena, &watcher->fault);
	if (rc != RC_OK)
		return rc;
	watcher->rights_changed = false;
	watcher->rechecked_us = clock_steady_us();
	hub_live_wake(watcher->live);
	return RC_OK;
}

/* --- every second ------------------------------------------------------- */

static enum rc
follow(struct watcher *watcher)
{
	struct hub *hub = watcher->hub;
	enum rc rc = hub_nodes_flush_seen(
		hub->nodes, watcher->db, watcher->arena, &watcher->fault);

	if (rc == RC_OK && watcher->catalog_changed)
		rc = hub_catalog_read(
			hub, watcher->db, watcher->arena, &watcher->fault);
	else if (rc == RC_OK)
		rc = hub_catalog_read_datasources(
			hub, watcher->db, watcher->arena, &watcher->fault);
	if (rc == RC_OK) {
		watcher->catalog_changed = false;
		rc = hub_apply_all_missing(
			hub, watcher->db, watcher->arena, &watcher->fault);
	}
	return rc;
}

static enum rc
write_checkpoint(struct watcher *watcher)
{
	struct hub *hub = watcher->hub;
	uint64_t version = image_version(hub->image);
	enum rc rc;

	if (version == watcher->checkpoint_version)
		return RC_OK;
	rc = checkpoint_write(
		watcher->db, hub->conf.name, hub->image, &watcher->fault);
	if (rc != RC_OK)
		return rc;
	watcher->checkpoint_version = version;
	watcher->checkpoint_us = clock_steady_us();
	return RC_OK;
}

static bool
is_due(int64_t last_us, int64_t every_us)
{
	return clock_steady_us() - last_us >= every_us;
}

static enum rc
run_round(struct watcher *watcher)
{
	enum rc rc;

	if (!atomic_load(&watcher->hub->ready))
		return rebuild(watcher);
	rc = watcher->lost ? check_era(watcher) : RC_OK;
	if (rc == RC_OK)
		rc = follow(watcher);
	if (rc == RC_OK && (watcher->rights_changed ||
				   is_due(watcher->rechecked_us, RECHECK_US)))
		rc = check_streams(watcher);
	if (rc == RC_OK &&
		is_due(watcher->checkpoint_us,
			watcher->hub->conf.checkpoint_s * CLOCK_SECOND_US))
		rc = write_checkpoint(watcher);
	return rc;
}

/* --- waiting ------------------------------------------------------------ */

/* Another number each time, also after a restart. */
static void
note_limits(const struct watcher *watcher)
{
	atomic_store(&watcher->hub->limits_version, clock_now_us());
}

/* "alarm_limit ID": the datasource's. */
static bool
note_limits_of(const struct watcher *watcher, const char *text)
{
	static const char table[] = "alarm_limit ";

	if (strncmp(text, table, strlen(table)) != 0)
		return false;
	note_limits(watcher);
	hub_node_streams_tell_limits(
		watcher->hub, (int32_t)strtol(text + strlen(table), NULL, 10));
	return true;
}

/* The payload is the table that changed. A variable's access flag is in the
 * catalog, and a right as well; streams know what their nodes subscribe to. */
static void
note_change(struct watcher *watcher, const char *table)
{
	bool links = strcmp(table, "node_datasource") == 0;
	bool variable = strcmp(table, "variable") == 0;
	bool catalog = variable || links || strcmp(table, "datasource") == 0;

	if (note_limits_of(watcher, table))
		return;
	watcher->catalog_changed |= catalog;
	watcher->rights_changed |= variable || links || !catalog;
}

/* Until the next second, or at once after a notification. */
static enum rc
wait_for_change(struct watcher *watcher)
{
	char *table;
	int timeout_ms = (int)(ROUND_US / 1000);
	enum rc rc;

	do {
		rc = db_wait(watcher->db, watcher->arena, timeout_ms, &table,
			&watcher->fault);
		if (rc == RC_OK && table != NULL)
			note_change(watcher, table);
		timeout_ms = 0; /* take all there are */
	} while (rc == RC_OK && table != NULL);
	return rc;
}

/* What was notified while the connection was lost is not known. */
static void
note_lost(struct watcher *watcher)
{
	if (!watcher->lost)
		log_warn(NULL, "%s", watcher->fault.text);
	watcher->lost = true;
	watcher->catalog_changed = true;
	watcher->rights_changed = true;
	note_limits(watcher);
	usleep(200000);
}

static void
run(struct watcher *watcher)
{
	while (!atomic_load(&watcher->hub->stopping)) {
		enum rc rc = run_round(watcher);

		if (rc == RC_OK) {
			if (watcher->lost)
				log_info(NULL, "the database is back");
			watcher->lost = false;
			rc = wait_for_change(watcher);
		}
		if (rc != RC_OK)
			note_lost(watcher);
		arena_reset(watcher->arena);
	}
	if (atomic_load(&watcher->hub->ready) &&
		write_checkpoint(watcher) != RC_OK)
		log_warn(NULL, "no last checkpoint: %s", watcher->fault.text);
}

void
hub_watch_run(const struct hub_watch *watch)
{
	struct watcher watcher = {
		.hub = watch->hub,
		.live = watch->live,
		.arena = arena_new(),
		.rights_changed = true,
	};
	enum rc rc = db_open(&watch->hub->conf.database, "fieldgrid-hub watch",
		watch->hub->stmts, &watcher.db, &watcher.fault);

	if (rc != RC_OK) {
		log_error(NULL, "%s", watcher.fault.text);
		_exit(1); /* a statement is wrong: the supervisor tells */
	}
	if (db_listen(watcher.db, CATALOG_CHANNEL, &watcher.fault) != RC_OK ||
		db_listen(watcher.db, CALLER_CHANNEL, &watcher.fault) != RC_OK)
		log_warn(NULL, "%s", watcher.fault.text);
	note_limits(&watcher);
	run(&watcher);
	db_close(watcher.db);
	arena_free(watcher.arena);
}
