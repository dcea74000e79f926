/* conf: one INI file into one struct, described by one table per program. */

#include "lib/conf.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/word.h"

#define ENTRIES_MAX 128
#define FILE_BYTES  ((size_t)256 * 1024)

struct loading {
	struct arena *arena;
	const char *path;
	const struct conf_entry *entries;
	void *target;
	struct fault *fault;
	bool seen[ENTRIES_MAX];
};

static const struct conf_entry *
find_entry(const struct conf_entry *entries, const char *section,
	const char *key, size_t *index)
{
	for (*index = 0; entries[*index].section != NULL; (*index)++)
		if (strcmp(entries[*index].section, section) == 0 &&
			strcmp(entries[*index].key, key) == 0)
			return &entries[*index];
	return NULL;
}

static const char *
resolve_path(struct loading *load, const char *value)
{
	const char *slash = strrchr(load->path, '/');

	if (value[0] == '/' || value[0] == '\0' || slash == NULL)
		return arena_strdup(load->arena, value);
	return arena_printf(load->arena, "%.*s/%s", (int)(slash - load->path),
		load->path, value);
}

static bool
parse_int(const struct conf_entry *entry, const char *value, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(value, &end, 10);
	return errno == 0 && end != value && *end == '\0' &&
	       *number >= entry->minimum && *number <= entry->maximum;
}

static const char **
split_list(struct arena *arena, const char *value)
{
	char *copy = arena_strdup(arena, value);
	const char **list =
		arena_array(arena, strlen(value) / 2 + 2, sizeof(*list));
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(copy, " \t", &rest); word != NULL;
		word = strtok_r(NULL, " \t", &rest))
		list[count++] = word;
	return list;
}

static bool
store(struct loading *load, const struct conf_entry *entry, const char *value)
{
	char *field = (char *)load->target + entry->offset;

	switch (entry->kind) {
	case CONF_TEXT:
		*(const char **)(void *)field =
			arena_strdup(load->arena, value);
		return true;
	case CONF_PATH:
		*(const char **)(void *)field = resolve_path(load, value);
		return true;
	case CONF_LIST:
		*(const char ***)(void *)field = split_list(load->arena, value);
		return true;
	case CONF_BOOL:
		return word_truth(value, (bool *)(void *)field);
	case CONF_INT:
		return parse_int(entry, value, (int64_t *)(void *)field);
	}
	return false;
}

static void
refuse_value(
	struct loading *load, const struct conf_entry *entry, const char *value)
{
	if (entry->kind == CONF_INT)
		fault_set(load->fault, RC_BAD_INPUT,
			"%s = %s: must be a whole number from %" PRId64
			" to %" PRId64,
			entry->key, value, entry->minimum, entry->maximum);
	else
		fault_set(load->fault, RC_BAD_INPUT,
			"%s = %s: must be yes or no", entry->key, value);
}

/* inih's handler: 0 marks the line as the one at fault. */
static int
take_pair(
	void *context, const char *section, const char *key, const char *value)
{
	struct loading *load = context;
	size_t index;
	const struct conf_entry *entry =
		find_entry(load->entries, section, key, &index);

	if (load->fault->rc != RC_OK)
		return 0;
	if (entry == NULL)
		fault_set(load->fault, RC_BAD_INPUT,
			"unknown key \"%s\" in section [%s]; see --help", key,
			section);
	else if (load->seen[index])
		fault_set(load->fault, RC_BAD_INPUT,
			"key \"%s\" is given twice", key);
	else if (!store(load, entry, value))
		refuse_value(load, entry, value);
	else
		load->seen[index] = true;
	return load->fault->rc == RC_OK;
}

static enum rc
store_fallbacks(struct loading *load)
{
	for (size_t i = 0; load->entries[i].section != NULL; i++) {
		const struct conf_entry *entry = &load->entries[i];

		if (load->seen[i])
			continue;
		if (entry->fallback == NULL)
			return fault_set(load->fault, RC_BAD_INPUT,
				"%s: key \"%s\" is missing in section [%s]",
				load->path, entry->key, entry->section);
		if (!store(load, entry, entry->fallback))
			return fault_set(load->fault, RC_BUG,
				"the default of \"%s\" is not valid",
				entry->key);
	}
	return RC_OK;
}

enum rc
conf_parse(struct arena *arena, const char *path, const char *text,
	const struct conf_entry *entries, void *target, struct fault *fault)
{
	struct fault found = {.rc = RC_OK};
	struct loading load = {.arena = arena,
		.path = path,
		.entries = entries,
		.target = target,
		.fault = &found};
	int line = ini_parse_string(text, take_pair, &load);

	if (line != 0)
		return fault_set(fault, RC_BAD_INPUT, "%s:%d: %s", path, line,
			found.rc != RC_OK
				? found.text
				: "neither [section], key = value nor comment");
	load.fault = fault;
	return store_fallbacks(&load);
}

enum rc
conf_load(struct arena *arena, const char *path,
	const struct conf_entry *entries, void *target, struct fault *fault)
{
	char *text = arena_alloc(arena, FILE_BYTES);
	FILE *file = fopen(path, "re");
	size_t length;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	length = fread(text, 1, FILE_BYTES - 1, file);
	fclose(file);
	if (length == FILE_BYTES - 1)
		return fault_set(
			fault, RC_BAD_INPUT, "%s: larger than 256 KiB", path);
	if (strlen(text) != length)
		return fault_set(
			fault, RC_BAD_INPUT, "%s: contains a zero byte", path);
	return conf_parse(arena, path, text, entries, target, fault);
}

void
conf_help(FILE *out, const struct conf_entry *entries)
{
	const char *section = "";

	for (; entries->section != NULL; entries++) {
		if (strcmp(section, entries->section) != 0)
			fprintf(out, "\n[%s]\n", entries->section);
		section = entries->section;
		fprintf(out, "  %-24s %s", entries->key, entries->help);
		if (entries->fallback == NULL)
			fprintf(out, " (required)");
		else if (entries->fallback[0] != '\0')
			fprintf(out, " (default %s)", entries->fallback);
		fputc('\n', out);
	}
}
