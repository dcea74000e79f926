/*
 * ctl: what the commands of fieldgridctl share.
 *
 * One file per noun, ctl_<noun>.c, with one table of its commands; ctl_main.c
 * lists the tables. A command reads its arguments and options from "ctl",
 * prints its result to stdout and returns RC_OK, or the reason why not.
 */
#ifndef FG_FCGI_CTL_H
#define FG_FCGI_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "lib/encode.h"
#include "lib/fault.h"

#define CTL_ARGUMENTS_MAX 16
#define CTL_OPTIONS_MAX   32

struct ctl_conf {
	const char *log_level;
	struct db_conf database;
	const char *data;      /* folder with sql/ and templates/ */
	const char *passwords; /* file of well-known ones */
	const char *pki;       /* folder with the authority */
	const char *ca_seal;   /* file that seals the authority's key */
	const char *seal_key;  /* file that seals signing keys */
	const char *audit_key; /* signs the audit; public half in .pub */
};

/* An option of one command; "value" names its value, NULL = a flag. */
struct ctl_option {
	const char *name; /* without -- */
	const char *value;
	const char *help;
};

#define CTL_OPTIONS_END                                                        \
	{                                                                      \
		.name = NULL                                                   \
	}

struct ctl;

struct ctl_command {
	const char *noun;
	const char *verb;      /* "" when the noun alone is the command */
	const char *arguments; /* for the usage line: "NAME FILE" */
	int arguments_min;
	int arguments_max;
	const char *help;
	const struct ctl_option *options; /* NULL = none */
	const struct stmt *const *stmts;  /* NULL = needs no database */
	enum rc (*run)(struct ctl *ctl);
};

#define CTL_COMMANDS_END                                                       \
	{                                                                      \
		.noun = NULL                                                   \
	}

/* A given option: "value" is "" for a flag. */
struct ctl_given {
	const struct ctl_option *option;
	const char *value;
};

struct ctl {
	struct arena *arena;
	struct ctl_conf conf;
	const struct ctl_command *command;
	struct db *db; /* NULL when the command needs none */
	const char *arguments[CTL_ARGUMENTS_MAX + 1]; /* ends with NULL */
	int argument_count;
	struct ctl_given given[CTL_OPTIONS_MAX];
	int given_count;
	struct fault fault;
};

/* The value of an option, "" for a flag, NULL when it was not given. */
const char *ctl_option(const struct ctl *ctl, const char *name);
const char *ctl_option_or(
	const struct ctl *ctl, const char *name, const char *fallback);
/* The values of an option that may be given more than once, NULL at the end;
 * lives in the arena. */
const char **ctl_options(const struct ctl *ctl, const char *name);

/* A whole number; *number keeps its value when the option was not given. */
MUST_CHECK enum rc ctl_option_int(struct ctl *ctl, const char *name,
	int64_t minimum, int64_t maximum, int64_t *number);

MUST_CHECK enum rc ctl_uuid(
	struct ctl *ctl, const char *text, uint8_t uuid[UUID_BYTES]);

/* A datasource by its name or its UUID. datasource_stmts must be in the
 * command's sets. Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc ctl_find_datasource(
	struct ctl *ctl, const char *wanted, int64_t *id);

/* A transaction around several changes: "rc = ctl_begin(ctl); …; return
 * ctl_end(ctl, rc)", which commits when rc is RC_OK and else rolls back. */
MUST_CHECK enum rc ctl_begin(struct ctl *ctl);
MUST_CHECK enum rc ctl_end(struct ctl *ctl, enum rc rc);

/*
 * Record what this command changes: "action" is noun.verb, "object" kind:name,
 * before and after are JSON or NULL (audit_values). The actor is who typed it.
 * audit_stmts must be in the command's sets; call it between ctl_begin and
 * ctl_end. Fails: as audit_write_by.
 */
MUST_CHECK enum rc ctl_audit(struct ctl *ctl, const char *action,
	const char *object, const char *before, const char *after);

/* The event login.ended of a user: "text" and who did it. event_write_stmts
 * must be in the command's sets. Fails: as event_write. */
MUST_CHECK enum rc ctl_tell_logged_out(
	struct ctl *ctl, const char *user, const char *text);

/* Who typed the command, as far as the machine says. */
const char *ctl_operator_name(void);

extern const struct ctl_command ctl_alarm_commands[];
extern const struct ctl_command ctl_archive_commands[];
extern const struct ctl_command ctl_audit_commands[];
extern const struct ctl_command ctl_ca_commands[];
extern const struct ctl_command ctl_client_commands[];
extern const struct ctl_command ctl_command_commands[];
extern const struct ctl_command ctl_datasource_commands[];
extern const struct ctl_command ctl_directory_commands[];
extern const struct ctl_command ctl_keys_commands[];
extern const struct ctl_command ctl_migrate_commands[];
extern const struct ctl_command ctl_limit_commands[];
extern const struct ctl_command ctl_node_commands[];
extern const struct ctl_command ctl_group_commands[];
extern const struct ctl_command ctl_policy_commands[];
extern const struct ctl_command ctl_provider_commands[];
extern const struct ctl_command ctl_policy_ask_commands[];
extern const struct ctl_command ctl_role_commands[];
extern const struct ctl_command ctl_screen_commands[];
extern const struct ctl_command ctl_session_commands[];
extern const struct ctl_command ctl_setup_commands[];
extern const struct ctl_command ctl_user_commands[];
extern const struct ctl_command ctl_vocabulary_commands[];

#endif
