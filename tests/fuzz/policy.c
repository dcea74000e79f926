/* fuzz/policy: rules compiled must say what the same rules say one by one, and
 * patterns match what a matcher by the book says.
 *
 * A line "=name" asks; every other line is a rule: a byte with the actions, a
 * byte with its kind and datasource, and its pattern. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/policy_index.h"

#define RULES_MAX   256
#define OBJECT_MAX  256
#define DATASOURCES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct input {
	struct policy_line lines[RULES_MAX];
	size_t count;
	const char *names[RULES_MAX];
	size_t names_count;
};

static size_t
character_end(const char *text, size_t at)
{
	do
		at++;
	while ((text[at] & 0xc0) == 0x80);
	return at;
}

/* By a table: reach[i][k] = the first i bytes of the pattern take the first k
 * of the name. */
static bool
matches_by_book(const char *pattern, const char *name)
{
	static bool reach[OBJECT_MAX + 2][OBJECT_MAX + 2];
	size_t pattern_bytes = strlen(pattern);
	size_t name_bytes = strlen(name);

	memset(reach, 0, sizeof(reach));
	reach[0][0] = true;
	for (size_t i = 0; i < pattern_bytes; i++)
		for (size_t k = 0; k <= name_bytes; k++) {
			if (!reach[i][k])
				continue;
			if (pattern[i] == '*')
				for (size_t to = k; to <= name_bytes; to++)
					reach[i + 1][to] = true;
			else if (k == name_bytes)
				continue;
			else if (pattern[i] == '?')
				reach[i + 1][character_end(name, k)] = true;
			else if (pattern[i] == name[k])
				reach[i + 1][k + 1] = true;
		}
	return reach[pattern_bytes][name_bytes];
}

static void
read_line(struct input *input, struct arena *arena, const char *text,
	size_t length)
{
	if (length > 0 && text[0] == '=') {
		if (input->names_count < RULES_MAX && length - 1 <= OBJECT_MAX)
			input->names[input->names_count++] =
				arena_strndup(arena, text + 1, length - 1);
		return;
	}
	if (length < 2 || length - 2 > OBJECT_MAX || input->count == RULES_MAX)
		return;
	input->lines[input->count++] = (struct policy_line){
		.actions = (uint32_t)text[0] & 0x1f,
		.datasource_id = ((uint8_t)text[1] >> 2) % DATASOURCES,
		.literal = (text[1] & 1) != 0,
		.deny = (text[1] & 2) != 0,
		.object = arena_strndup(arena, text + 2, length - 2),
	};
}

static void
read_input(struct input *input, struct arena *arena, const char *text,
	size_t length)
{
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t bytes = end != NULL ? (size_t)(end - text) : length;

		read_line(input, arena, text, bytes);
		bytes += end != NULL;
		text += bytes;
		length -= bytes;
	}
}

static void
check_name(const struct input *input, const struct policy_index *index,
	int64_t datasource_id, const char *name)
{
	struct policy_verdict right = policy_lines_find(
		input->lines, input->count, datasource_id, name);

	for (uint32_t wanted = 1; wanted <= 0x1f; wanted++) {
		struct policy_verdict found =
			policy_index_find(index, datasource_id, name, wanted);

		if ((found.deny & wanted) != (right.deny & wanted) ||
			(found.allow & ~found.deny & wanted) !=
				(right.allow & ~right.deny & wanted))
			abort();
	}
}

static void
check_patterns(const struct input *input, const char *name)
{
	for (size_t i = 0; i < input->count && i < 8; i++)
		if (policy_matches(input->lines[i].object, name) !=
			matches_by_book(input->lines[i].object, name))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct input input;
	struct arena *arena = arena_new();
	const struct policy_index *index;

	input.count = input.names_count = 0;
	read_input(&input, arena, (const char *)data, length);
	index = policy_index_build(arena, input.lines, input.count);
	for (size_t i = 0; i < input.names_count && i < 8; i++) {
		for (int64_t id = 0; id < DATASOURCES; id++)
			check_name(&input, index, id, input.names[i]);
		check_patterns(&input, input.names[i]);
	}
	arena_free(arena);
	return 0;
}
