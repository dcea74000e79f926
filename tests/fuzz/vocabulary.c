/* fuzz/vocabulary: any bytes as a file of words; what is taken is JSON for the
 * statements, with no cause deeper than the tree may be. */

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "model/alarm_vocabulary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct json_object *
parse(const char *text)
{
	struct json_object *list = json_tokener_parse(text);

	if (!json_object_is_type(list, json_type_array))
		abort();
	return list;
}

static void
check_causes(const char *text)
{
	struct json_object *list = parse(text);

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *path = NULL;
		size_t level;

		json_object_object_get_ex(
			json_object_array_get_idx(list, i), "path", &path);
		level = json_object_array_length(path);
		if (level < 1 || level > ALARM_CAUSE_LEVELS)
			abort();
	}
	json_object_put(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct alarm_vocabulary vocabulary;
	struct json_object *document;
	struct fault fault = {.rc = RC_OK};

	if (arena == NULL)
		arena = arena_new();
	if (json_parse(arena, arena_strndup(arena, (const char *)data, length),
		    length, &document, &fault) == RC_OK &&
		alarm_vocabulary_read(arena, document, &vocabulary, &fault) ==
			RC_OK) {
		json_object_put(parse(vocabulary.categories));
		check_causes(vocabulary.causes);
	} else if (fault.client[0] == '\0')
		abort(); /* nobody is told what is wrong */
	arena_reset(arena);
	return 0;
}
