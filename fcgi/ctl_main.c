/* ctl_main: fieldgridctl, the administrator's command. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/conf.h"
#include "lib/guard.h"
#include "lib/log.h"

#define EXIT_MISUSE    2
#define CONFIG_DEFAULT FG_CONF_DIR "/fieldgridctl.conf"

static const struct conf_entry fieldgridctl_conf_entries[] = {
	{"log", "level", CONF_TEXT, offsetof(struct ctl_conf, log_level),
		"warn", 0, 0, "error, warn, info or debug"},
	DB_CONF_ENTRIES(struct ctl_conf, database, "fieldgrid_owner"),
	{"paths", "data", CONF_PATH, offsetof(struct ctl_conf, data),
		FG_DATA_DIR, 0, 0, "folder of the sql files and templates"},
	{"paths", "passwords", CONF_PATH, offsetof(struct ctl_conf, passwords),
		FG_DATA_DIR "/passwords.txt", 0, 0,
		"file with the well-known passwords that nobody may choose"},
	{"paths", "pki", CONF_PATH, offsetof(struct ctl_conf, pki), "pki", 0, 0,
		"folder of the private authority: root.pem, ca.pem"},
	{"paths", "ca_seal", CONF_PATH, offsetof(struct ctl_conf, ca_seal),
		"authority.seal", 0, 0,
		"file with the key that seals the key of the authority"},
	{"paths", "seal_key", CONF_PATH, offsetof(struct ctl_conf, seal_key),
		"seal.key", 0, 0, "file with the key that seals signing keys"},
	{"paths", "audit_key", CONF_PATH, offsetof(struct ctl_conf, audit_key),
		"audit.key", 0, 0,
		"file with the key that signs the audit; its public half is "
		"beside it, with .pub behind the name"},
	CONF_END,
};

/* Every noun's table, in the order of the help text. */
static const struct ctl_command *const tables[] = {
	ctl_setup_commands,
	ctl_migrate_commands,
	ctl_keys_commands,
	ctl_ca_commands,
	ctl_user_commands,
	ctl_session_commands,
	ctl_directory_commands,
	ctl_client_commands,
	ctl_node_commands,
	ctl_provider_commands,
	ctl_group_commands,
	ctl_role_commands,
	ctl_policy_commands,
	ctl_policy_ask_commands,
	ctl_screen_commands,
	ctl_datasource_commands,
	ctl_archive_commands,
	ctl_limit_commands,
	ctl_vocabulary_commands,
	ctl_alarm_commands,
	ctl_command_commands,
	ctl_audit_commands,
};

/* --- help
 * ---------------------------------------------------------------------- */

static void
print_command(const struct ctl_command *command)
{
	printf("  %s%s%s%s%s\n      %s\n", command->noun,
		command->verb[0] != '\0' ? " " : "", command->verb,
		command->arguments[0] != '\0' ? " " : "", command->arguments,
		command->help);
}

static void
print_help(void)
{
	puts("usage: fieldgridctl [--config FILE] NOUN VERB [ARGUMENT]... "
	     "[--OPTION]...\n"
	     "       fieldgridctl NOUN VERB --help\n"
	     "\nAdminister a fieldgrid.\n\nCommands:");
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		for (const struct ctl_command *command = tables[i];
			command->noun != NULL; command++)
			print_command(command);
	puts("\nOptions:\n"
	     "  --config FILE  default " CONFIG_DEFAULT "\n"
	     "  --check-config read the configuration and say what is wrong\n"
	     "  --help         this text\n"
	     "  --version      the version\n"
	     "\nExit codes: 0 done, 1 failed, 2 wrong command line.\n"
	     "\nConfiguration:");
	conf_help(stdout, fieldgridctl_conf_entries);
}

/* Returns false when there is no such noun. */
static bool
print_noun_help(const char *noun)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		for (const struct ctl_command *command = tables[i];
			command->noun != NULL; command++) {
			if (strcmp(command->noun, noun) != 0)
				continue;
			if (!found)
				printf("usage: fieldgridctl %s VERB "
				       "[ARGUMENT]... [--OPTION]...\n\n",
					noun);
			found = true;
			print_command(command);
		}
	return found;
}

static void
print_command_help(const struct ctl_command *command)
{
	printf("usage: fieldgridctl %s%s%s%s%s%s\n\n%s\n", command->noun,
		command->verb[0] != '\0' ? " " : "", command->verb,
		command->arguments[0] != '\0' ? " " : "", command->arguments,
		command->options != NULL ? " [--OPTION]..." : "",
		command->help);
	if (command->options == NULL)
		return;
	puts("\nOptions:");
	for (const struct ctl_option *option = command->options;
		option->name != NULL; option++)
		printf("  --%s%s%s\n      %s\n", option->name,
			option->value != NULL ? " " : "",
			option->value != NULL ? option->value : "",
			option->help);
}

/* --- the command line
 * ------------------------------------------------------------ */

/* Prints the reason; returns false, so it can be returned at once. */
static bool PRINTF_LIKE(1, 2) misuse(const char *format, ...)
{
	va_list arguments;

	fputs("fieldgridctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs("; see fieldgridctl --help\n", stderr);
	return false;
}

/* The command that the first words name; *words counts these. */
static const struct ctl_command *
find_command(char **words, int count, int *used)
{
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		for (const struct ctl_command *command = tables[i];
			command->noun != NULL; command++) {
			bool alone = command->verb[0] == '\0';

			if (strcmp(command->noun, words[0]) != 0)
				continue;
			if (!alone && (count < 2 || strcmp(command->verb,
							    words[1]) != 0))
				continue;
			*used = alone ? 1 : 2;
			return command;
		}
	return NULL;
}

static const struct ctl_option *
find_option(const struct ctl_command *command, const char *name, size_t length)
{
	if (command->options == NULL)
		return NULL;
	for (const struct ctl_option *option = command->options;
		option->name != NULL; option++)
		if (strlen(option->name) == length &&
			memcmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

/* Take the option at words[0]; returns the number of words, 0 = refused. */
static int
take_option(struct ctl *ctl, char **words, int count)
{
	const char *name = words[0] + 2;
	size_t length = strcspn(name, "=");
	const struct ctl_option *option =
		find_option(ctl->command, name, length);
	struct ctl_given *given = &ctl->given[ctl->given_count];

	if (option == NULL)
		return misuse("unknown option \"%s\"", words[0]);
	if (ctl->given_count == CTL_OPTIONS_MAX)
		return misuse("too many options");
	ctl->given_count++;
	*given = (struct ctl_given){option, ""};
	if (name[length] == '=' && option->value == NULL)
		return misuse("--%s takes no value", option->name);
	if (option->value == NULL)
		return 1;
	if (name[length] == '=') {
		given->value = name + length + 1;
		return 1;
	}
	if (count < 2)
		return misuse("--%s needs %s", option->name, option->value);
	given->value = words[1];
	return 2;
}

static bool
take_words(struct ctl *ctl, char **words, int count)
{
	const struct ctl_command *command = ctl->command;

	while (count > 0) {
		int used = 1;

		if (strncmp(words[0], "--", 2) == 0)
			used = take_option(ctl, words, count);
		else if (ctl->argument_count < CTL_ARGUMENTS_MAX)
			ctl->arguments[ctl->argument_count++] = words[0];
		else
			return misuse("too many arguments");
		if (used == 0)
			return false;
		words += used;
		count -= used;
	}
	if (ctl->argument_count < command->arguments_min ||
		ctl->argument_count > command->arguments_max)
		return misuse("%s %s: expected %s", command->noun,
			command->verb,
			command->arguments[0] != '\0' ? command->arguments
						      : "no arguments");
	return true;
}

static bool
asks_help(char **words, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], "--help") == 0)
			return true;
	return false;
}

/* --- running
 * ------------------------------------------------------------------------ */

static int
fail(const struct ctl *ctl)
{
	const struct fault *fault = &ctl->fault;

	fprintf(stderr, "fieldgridctl: %s\n",
		fault->text[0] != '\0'     ? fault->text
		: fault->client[0] != '\0' ? fault->client
					   : fault_name(fault->rc));
	return EXIT_FAILURE;
}

static int
run(struct ctl *ctl)
{
	enum rc rc = RC_OK;

	if (ctl->command->stmts != NULL)
		rc = db_open(&ctl->conf.database, "fieldgridctl",
			ctl->command->stmts, &ctl->db, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl->command->run(ctl);
	if (ctl->db != NULL)
		db_close(ctl->db);
	return rc == RC_OK ? EXIT_SUCCESS : fail(ctl);
}

static int
run_words(struct ctl *ctl, const char *config, char **words, int count)
{
	int used = 0;
	enum rc rc;

	ctl->command = find_command(words, count, &used);
	if (ctl->command == NULL && count > 1 &&
		strcmp(words[1], "--help") == 0 && print_noun_help(words[0]))
		return EXIT_SUCCESS;
	if (ctl->command == NULL) {
		misuse("unknown command \"%s%s%s\"", words[0],
			count > 1 ? " " : "", count > 1 ? words[1] : "");
		return EXIT_MISUSE;
	}
	if (asks_help(words + used, count - used)) {
		print_command_help(ctl->command);
		return EXIT_SUCCESS;
	}
	if (!take_words(ctl, words + used, count - used))
		return EXIT_MISUSE;
	if (ctl->command == ctl_setup_commands)
		return run(ctl); /* it makes the configuration */
	rc = conf_load(ctl->arena, config, fieldgridctl_conf_entries,
		&ctl->conf, &ctl->fault);
	return rc == RC_OK ? run(ctl) : fail(ctl);
}

static int
check_config(struct ctl *ctl, const char *config)
{
	if (conf_load(ctl->arena, config, fieldgridctl_conf_entries, &ctl->conf,
		    &ctl->fault) != RC_OK)
		return fail(ctl);
	printf("%s: good\n", config);
	return EXIT_SUCCESS;
}

/* The options before the noun, then the rest. */
static int
begin(struct ctl *ctl, char **words, int count)
{
	const char *config = CONFIG_DEFAULT;
	bool check = false;

	for (; count > 0 && words[0][0] == '-'; words++, count--) {
		if (strcmp(words[0], "--help") == 0) {
			print_help();
			return EXIT_SUCCESS;
		} else if (strcmp(words[0], "--version") == 0) {
			puts("fieldgridctl " FG_VERSION);
			return EXIT_SUCCESS;
		} else if (strcmp(words[0], "--check-config") == 0) {
			check = true;
		} else if (strcmp(words[0], "--config") == 0 && count > 1) {
			config = words[1];
			words++, count--;
		} else {
			misuse("unknown option \"%s\"", words[0]);
			return EXIT_MISUSE;
		}
	}
	if (check)
		return check_config(ctl, config);
	if (count == 0) {
		misuse("what is to be done?");
		return EXIT_MISUSE;
	}
	return run_words(ctl, config, words, count);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {.arena = arena_new()};
	int code;

	guard_process();
	log_open("fieldgridctl", LOG_WARN);
	code = begin(&ctl, argv + 1, argc - 1);
	arena_free(ctl.arena);
	if (fflush(stdout) != 0 && code == EXIT_SUCCESS)
		code = EXIT_FAILURE;
	return code;
}
