/*
 * keeper: the scheduled work of the grid, one task at a time.
 *
 * Of several keepers one owns the work by an advisory lock; the others wait.
 */
#ifndef FG_FCGI_KEEPER_H
#define FG_FCGI_KEEPER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/seal.h"
#include "model/retention.h"

struct keeper_conf {
	const char *log_level;
	struct db_conf database;
	int64_t pack_after_s;
	int64_t samples_max;
	int64_t feed_hold_h;
	int64_t partition_hours;
	int64_t partitions_ahead;
	int64_t history_days;
	int64_t alarms_days;
	int64_t events_days;
	int64_t commands_days;
	const char *seal_file;             /* "" = none */
	const char *issuer;                /* "" = no log-outs are sent */
	const char *logout_ca_file;        /* "" = the system's list */
	const char *audit_key_file;        /* "" = no checkpoints */
	const char *audit_checkpoint_file; /* "" = none */
	bool audit_syslog;
	int64_t audit_checkpoint_rows;
	int64_t audit_checkpoint_s;
};

extern const struct conf_entry keeper_conf_entries[];
extern const struct stmt *const keeper_stmts[];

struct keeper {
	struct keeper_conf conf;
	struct db *db;
	struct arena *arena;     /* of one task */
	const struct seal *seal; /* opens secrets; NULL = not configured */
	const volatile sig_atomic_t *stop;
	bool owner;
	struct retention retention;
	int64_t retention_due_us; /* the next pass, by the steady clock */
	int64_t due_us[16];       /* of the tasks, by the steady clock */
};

/* Do what is due. Fails: the reason of the task that failed; the others wait
 * until the next call then. */
MUST_CHECK enum rc keeper_work(struct keeper *keeper, struct fault *fault);

/* Pack every frame that is there, and merge chunks wherever fewer will do.
 * Needs no ownership. */
MUST_CHECK enum rc keeper_pack_now(struct keeper *keeper, struct fault *fault);

#endif
