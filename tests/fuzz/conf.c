/* fuzz/conf: any bytes as a configuration file. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct target {
	const char *text;
	const char *path;
	int64_t number;
	bool truth;
	const char **list;
};

static const struct conf_entry entries[] = {
	{"main", "text", CONF_TEXT, offsetof(struct target, text), "a", 0, 0,
		""},
	{"main", "path", CONF_PATH, offsetof(struct target, path), "b", 0, 0,
		""},
	{"main", "number", CONF_INT, offsetof(struct target, number), "5", 1,
		10, ""},
	{"main", "truth", CONF_BOOL, offsetof(struct target, truth), "no", 0, 0,
		""},
	{"main", "list", CONF_LIST, offsetof(struct target, list), "", 0, 0,
		""},
	CONF_END,
};

/* What was accepted is within its bounds; what was not has a reason. */
static void
check(enum rc rc, const struct target *target, const struct fault *fault)
{
	if (rc != RC_OK) {
		if (fault->text[0] == '\0')
			abort();
		return;
	}
	if (target->text == NULL || target->path == NULL ||
		target->list == NULL || target->number < 1 ||
		target->number > 10)
		abort();
	for (const char **word = target->list; *word != NULL; word++)
		if ((*word)[0] == '\0')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct target target = {0};
	struct fault fault;
	char *text;

	if (arena == NULL)
		arena = arena_new();
	text = arena_strndup(arena, (const char *)data, length);
	check(conf_parse(arena, "/etc/x.conf", text, entries, &target, &fault),
		&target, &fault);
	arena_reset(arena);
	return 0;
}
