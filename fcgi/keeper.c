/* keeper: the scheduled work of the grid, one task at a time. */

#include "fcgi/keeper.h"

#include <string.h>

#include "fcgi/keeper_keys.h"
#include "fcgi/service.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/alarm_hold.h"
#include "model/audit.h"
#include "model/chunk_store.h"
#include "model/event.h"
#include "model/expiry.h"
#include "model/feed_hold.h"
#include "model/pack.h"
#include "model/partition.h"
#include "model/signing_key.h"

/* Months in which chunks are merged whenever there was packing. */
#define RECENT_MONTHS 2
/* Of retention in a second. */
#define RETENTION_STEPS 10

const struct stmt *const keeper_stmts[] = {alarm_hold_stmts, audit_stmts,
	chunk_store_stmts, event_write_stmts, expiry_stmts, feed_hold_stmts,
	pack_stmts, partition_stmts, retention_stmts, signing_key_stmts, NULL};

#define KEEPER(member) offsetof(struct keeper_conf, member)

const struct conf_entry keeper_conf_entries[] = {
	LOG_CONF_ENTRY(struct keeper_conf, log_level),
	DB_CONF_ENTRIES(struct keeper_conf, database, "fieldgrid_keeper"),
	{"keeper", "pack_after_s", CONF_INT, KEEPER(pack_after_s), "300", 1,
		86400, "pack frames into chunks that many s after they came"},
	{"keeper", "samples_max", CONF_INT, KEEPER(samples_max), "250000", 1000,
		10000000, "samples packed at once; about 100 bytes each"},
	{"keeper", "feed_hold_h", CONF_INT, KEEPER(feed_hold_h), "72", 0, 8760,
		"keep packed frames for egress nodes that have not taken them, "
		"h; 0 = never"},
	{"keeper", "partition_hours", CONF_INT, KEEPER(partition_hours), "1", 1,
		24, "hours of frames in one partition; a divisor of 24"},
	{"keeper", "partitions_ahead", CONF_INT, KEEPER(partitions_ahead), "6",
		2, 100, "partitions that are made before they are needed"},
	{"keeper", "history_days", CONF_INT, KEEPER(history_days), "0", 0,
		36500, "drop months of history that ended before; 0 = never"},
	{"keeper", "alarms_days", CONF_INT, KEEPER(alarms_days), "1825", 0,
		36500, "delete alarms that were over before; 0 = never"},
	{"keeper", "events_days", CONF_INT, KEEPER(events_days), "1825", 0,
		36500, "delete events from before; 0 = never"},
	{"keeper", "commands_days", CONF_INT, KEEPER(commands_days), "1825", 0,
		36500, "delete commands that ended before; 0 = never"},
	{"keys", "seal_file", CONF_PATH, KEEPER(seal_file), "", 0, 0,
		"key that seals secrets in the database; empty = token keys "
		"are not rotated"},
	{"identity", "issuer", CONF_TEXT, KEEPER(issuer), "", 0, 0,
		"as in identity.conf; empty = clients hear of no log-outs"},
	{"logout", "ca_file", CONF_PATH, KEEPER(logout_ca_file), "", 0, 0,
		"who may sign the certificates of clients that hear of "
		"log-outs; empty = the system's list"},
	{"audit", "key_file", CONF_PATH, KEEPER(audit_key_file), "", 0, 0,
		"key that signs checkpoints of the audit; empty = none"},
	{"audit", "checkpoint_file", CONF_PATH, KEEPER(audit_checkpoint_file),
		"", 0, 0, "checkpoints are added to this file; empty = none"},
	{"audit", "syslog", CONF_BOOL, KEEPER(audit_syslog), "yes", 0, 0,
		"send checkpoints to syslog too"},
	{"audit", "checkpoint_rows", CONF_INT, KEEPER(audit_checkpoint_rows),
		"1000", 1, 1000000, "new rows after which one is made at once"},
	{"audit", "checkpoint_s", CONF_INT, KEEPER(audit_checkpoint_s), "300",
		1, 86400, "seconds after which new rows get one"},
	CONF_END,
};

/* --- tasks ---------------------------------------------------------------- */

static enum rc
own(struct keeper *keeper, struct fault *fault)
{
	bool was = keeper->owner;
	enum rc rc = pack_own(keeper->db, keeper->arena, &keeper->owner, fault);

	if (keeper->owner != was)
		log_info(NULL, "%s",
			keeper->owner ? "this keeper owns the work now"
				      : "another keeper owns the work");
	return rc;
}

static enum rc
prepare(struct keeper *keeper, struct fault *fault)
{
	int64_t now_us = clock_now_us();
	size_t made = 0;
	size_t dropped = 0;
	enum rc rc = partition_prepare(keeper->db, keeper->arena, now_us,
		keeper->conf.partition_hours * CLOCK_HOUR_US,
		keeper->conf.partitions_ahead, &made, fault);

	if (rc == RC_OK)
		rc = partition_sweep(keeper->db, keeper->arena,
			now_us - CLOCK_MINUTE_US, &dropped, fault);
	if (made + dropped > 0)
		log_info(NULL, "frame partitions: %zu made, %zu dropped", made,
			dropped);
	return rc;
}

static int64_t
held_since_us(const struct keeper *keeper)
{
	return clock_now_us() - keeper->conf.feed_hold_h * CLOCK_HOUR_US;
}

static enum rc
pack_before(struct keeper *keeper, int64_t before_us, struct fault *fault)
{
	const struct pack_limits limits = {.received_before_us = before_us,
		.held_since_us = held_since_us(keeper),
		.samples_max = (size_t)keeper->conf.samples_max};
	struct pack_count count = {0};
	int64_t after_id = 0;
	bool more = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && more && !*keeper->stop) {
		rc = pack_frames(keeper->db, keeper->arena, &limits, &after_id,
			&more, &count, fault);
		arena_reset(keeper->arena);
	}
	if (count.frames > 0)
		log_info(NULL,
			"packed %lld frames, %lld samples into %lld chunks "
			"of %lld bytes",
			(long long)count.frames, (long long)count.samples,
			(long long)count.chunks, (long long)count.bytes);
	return rc;
}

/* The last "months" months for which there are chunks. */
static enum rc
merge(struct keeper *keeper, size_t months, enum pack_merging merging,
	struct fault *fault)
{
	struct arena *arena = arena_new();
	struct pack_count count = {0};
	int64_t *list = NULL;
	size_t listed = 0;
	enum rc rc = partition_months(keeper->db, arena, &list, &listed, fault);

	for (size_t i = listed > months ? listed - months : 0;
		rc == RC_OK && i < listed && !*keeper->stop; i++)
		rc = pack_merge(keeper->db, arena, list[i], merging,
			keeper->stop, &count, fault);
	if (count.chunks > 0)
		log_info(NULL, "merged %lld samples into %lld chunks",
			(long long)count.samples, (long long)count.chunks);
	arena_free(arena);
	return rc;
}

static enum rc
pack(struct keeper *keeper, struct fault *fault)
{
	enum rc rc = pack_before(keeper,
		clock_now_us() - keeper->conf.pack_after_s * CLOCK_SECOND_US,
		fault);

	return rc == RC_OK ? merge(keeper, RECENT_MONTHS, PACK_MERGE_DUE, fault)
			   : rc;
}

static enum rc
release(struct keeper *keeper, struct fault *fault)
{
	int64_t expired = 0;
	enum rc rc = feed_hold_release(
		keeper->db, held_since_us(keeper), &expired, fault);

	if (expired > 0)
		log_warn(NULL,
			"frames of %lld senders were dropped before an egress "
			"node had taken them",
			(long long)expired);
	return rc;
}

static enum rc
merge_old(struct keeper *keeper, struct fault *fault)
{
	return merge(keeper, SIZE_MAX, PACK_MERGE_DUE, fault);
}

static enum rc
retain(struct keeper *keeper, struct fault *fault)
{
	int64_t before_us =
		clock_now_us() - keeper->conf.history_days * CLOCK_DAY_US;
	size_t dropped = 0;
	enum rc rc = RC_OK;

	if (keeper->conf.history_days > 0)
		rc = partition_retain(
			keeper->db, keeper->arena, before_us, &dropped, fault);
	if (dropped > 0)
		log_info(NULL, "months of history dropped: %zu", dropped);
	return rc;
}

static enum rc
prune(struct keeper *keeper, struct fault *fault)
{
	int64_t deleted;
	enum rc rc = expiry_prune(keeper->db, &deleted, fault);

	if (rc == RC_OK && deleted > 0)
		log_info(NULL, "%lld expired sessions and tokens deleted",
			(long long)deleted);
	return rc;
}

static void
tell_deleted(struct retention *retention)
{
	const int64_t *deleted = retention->deleted;

	if (deleted[RETENTION_ALARMS] + deleted[RETENTION_EVENTS] +
			deleted[RETENTION_COMMANDS] >
		0)
		log_info(NULL,
			"deleted for their age: %lld alarms, %lld events, "
			"%lld commands",
			(long long)deleted[RETENTION_ALARMS],
			(long long)deleted[RETENTION_EVENTS],
			(long long)deleted[RETENTION_COMMANDS]);
	memset(retention->deleted, 0, sizeof(retention->deleted));
}

/* A few steps of a pass, so that the other tasks have their turn. */
static enum rc
forget(struct keeper *keeper, struct fault *fault)
{
	struct retention *retention = &keeper->retention;
	bool over = clock_steady_us() < keeper->retention_due_us;
	enum rc rc = RC_OK;

	retention->days[RETENTION_ALARMS] = keeper->conf.alarms_days;
	retention->days[RETENTION_EVENTS] = keeper->conf.events_days;
	retention->days[RETENTION_COMMANDS] = keeper->conf.commands_days;
	retention->hold_us = keeper->conf.feed_hold_h * CLOCK_HOUR_US;
	if (over)
		return RC_OK;
	for (int i = 0; rc == RC_OK && !over && i < RETENTION_STEPS; i++)
		rc = retention_step(keeper->db, keeper->arena, retention,
			clock_now_us(), &over, fault);
	if (rc == RC_OK && over) {
		keeper->retention_due_us = clock_steady_us() + CLOCK_HOUR_US;
		tell_deleted(retention);
	}
	return rc;
}

static enum rc
unshelve(struct keeper *keeper, struct fault *fault)
{
	size_t ended = 0;
	enum rc rc = alarm_unshelve_due(
		keeper->db, keeper->arena, clock_now_us(), &ended, fault);

	if (rc == RC_OK && ended > 0)
		log_info(NULL, "shelving of %zu limits ended", ended);
	return rc;
}

/* --- schedule ------------------------------------------------------------- */

struct task {
	enum rc (*run)(struct keeper *keeper, struct fault *fault);
	int64_t every_us; /* 0 = pack_after_s */
};

/* Ownership is the first: the others are the owner's. */
static const struct task tasks[] = {
	{own, 10 * CLOCK_SECOND_US},
	{prepare, CLOCK_MINUTE_US},
	{pack, 0},
	{release, CLOCK_MINUTE_US},
	{merge_old, CLOCK_HOUR_US},
	{retain, CLOCK_HOUR_US},
	{prune, 10 * CLOCK_MINUTE_US},
	{unshelve, CLOCK_SECOND_US},
	{forget, CLOCK_SECOND_US},
	{keeper_keys_rotate, CLOCK_MINUTE_US},
};

_Static_assert(
	ARRAY_LENGTH(tasks) <= ARRAY_LENGTH(((struct keeper *)NULL)->due_us),
	"room for every task");

static enum rc
run_task(struct keeper *keeper, size_t index, struct fault *fault)
{
	const struct task *task = &tasks[index];
	int64_t every_us = task->every_us != 0 ? task->every_us
					       : keeper->conf.pack_after_s *
							 CLOCK_SECOND_US;
	enum rc rc = task->run(keeper, fault);

	arena_reset(keeper->arena);
	if (rc == RC_OK)
		keeper->due_us[index] = clock_steady_us() + every_us;
	return rc;
}

enum rc
keeper_work(struct keeper *keeper, struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LENGTH(tasks) && !*keeper->stop; i++) {
		enum rc rc = RC_OK;

		if (i > 0 && !keeper->owner)
			break;
		if (clock_steady_us() >= keeper->due_us[i])
			rc = run_task(keeper, i, fault);
		if (rc == RC_OK)
			continue;
		/* A new connection does not hold the lock. */
		keeper->due_us[0] = 0;
		return rc;
	}
	return RC_OK;
}

enum rc
keeper_pack_now(struct keeper *keeper, struct fault *fault)
{
	enum rc rc = pack_before(keeper, clock_now_us() + CLOCK_DAY_US, fault);

	return rc == RC_OK ? merge(keeper, SIZE_MAX, PACK_MERGE_ALL, fault)
			   : rc;
}
