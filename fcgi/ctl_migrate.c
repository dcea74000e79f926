/* ctl_migrate: bring the database up to date. */

#include <stdio.h>

#include "fcgi/ctl.h"
#include "lib/file.h"
#include "model/feed_era.h"
#include "model/migration.h"

/* Long enough for any migration and for waiting for another migrator. */
#define TIMEOUT_MS  3600000
#define ROLES_BYTES ((size_t)256 * 1024)

static enum rc
grant_roles(struct ctl *ctl, struct db *db)
{
	const char *path =
		arena_printf(ctl->arena, "%s/sql/roles.sql", ctl->conf.data);
	char *sql;
	enum rc rc = file_read(
		ctl->arena, path, ROLES_BYTES, &sql, NULL, &ctl->fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, &ctl->fault);
	if (rc == RC_OK)
		rc = db_script(db, sql, &ctl->fault);
	if (rc == RC_OK)
		rc = feed_era_renew(
			db, ctl_option(ctl, "restored") != NULL, &ctl->fault);
	if (rc == RC_OK)
		rc = db_commit(db, &ctl->fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

/* The table must be there before the statements about it are prepared. */
static enum rc
prepare(struct ctl *ctl, const struct db_conf *conf)
{
	static const struct stmt *const none[] = {NULL};
	struct db *db;
	enum rc rc = db_open(conf, "fieldgridctl", none, &db, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	rc = migration_prepare(db, &ctl->fault);
	db_close(db);
	return rc;
}

static enum rc
migrate_with(struct ctl *ctl, struct db *db, const struct migration_list *list)
{
	size_t applied;
	enum rc rc =
		migration_apply(db, ctl->arena, list, &applied, &ctl->fault);

	if (rc == RC_OK)
		rc = grant_roles(ctl, db);
	if (rc != RC_OK)
		return rc;
	printf("The database is at migration %zu; %zu applied now.\n",
		list->count, applied);
	return RC_OK;
}

static enum rc
migrate(struct ctl *ctl)
{
	static const struct stmt *const stmts[] = {migration_stmts, NULL};
	const char *folder = arena_printf(ctl->arena, "%s/sql", ctl->conf.data);
	struct db_conf conf = ctl->conf.database;
	struct migration_list list;
	struct db *db;
	enum rc rc = migration_read(ctl->arena, folder, &list, &ctl->fault);

	conf.statement_timeout_ms = TIMEOUT_MS;
	if (rc == RC_OK)
		rc = prepare(ctl, &conf);
	if (rc == RC_OK)
		rc = db_open(&conf, "fieldgridctl", stmts, &db, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	rc = migrate_with(ctl, db, &list);
	db_close(db);
	return rc;
}

static const struct ctl_option migrate_options[] = {
	{"restored", NULL,
		"an older copy of the machine or of PostgreSQL's folder was "
		"put in place; a dump and a point-in-time restore show by "
		"themselves"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_migrate_commands[] = {
	{.noun = "migrate",
		.verb = "",
		.arguments = "",
		.help = "bring the database to this version; harmless when it "
			"is",
		.options = migrate_options,
		.run = migrate},
	CTL_COMMANDS_END,
};
