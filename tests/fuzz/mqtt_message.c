/* fuzz/mqtt_message: any bytes as an address and a message of it. The first
 * line is the address, what follows is the message. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/mqtt_address.h"
#include "agents/mqtt_payload.h"
#include "lib/utf8.h"

#define NOW_US INT64_C(1772600800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct arena *arena;

static void
check_value(const struct value *value)
{
	if (value->kind == VALUE_FLOAT && !isfinite(value->number))
		abort();
	if (value->kind == VALUE_STRING &&
		(value->string.bytes > VALUE_STRING_BYTES_MAX ||
			strlen(value->string.data) < value->string.bytes ||
			!utf8_valid(value->string.data, value->string.bytes)))
		abort();
}

static void
read_json(struct json_tree *tree, const struct mqtt_address *address,
	const char *text, size_t bytes)
{
	struct value value;
	struct fault fault;
	int64_t time_us;
	size_t leaf;
	size_t time_leaf;

	if (json_tree_add(tree, arena, address->path, &leaf, &fault) != RC_OK ||
		json_tree_add(tree, arena,
			address->time != NULL ? address->time : "$", &time_leaf,
			&fault) != RC_OK ||
		!json_tree_read(tree, text, bytes))
		return;
	for (int kind = VALUE_BOOL; kind <= VALUE_STRING; kind++)
		if (mqtt_payload_leaf(tree, &tree->leaves[leaf],
			    (enum value_kind)kind, &value))
			check_value(&value);
	if (mqtt_payload_time(
		    tree, &tree->leaves[time_leaf], NOW_US, &time_us) &&
		!mqtt_payload_time_fits(time_us, NOW_US))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct mqtt_address address;
	struct json_tree tree;
	struct input input = {.name = "name"};
	struct fault fault;
	struct value value;
	size_t line = 0;
	char *text;

	if (arena == NULL)
		arena = arena_new();
	while (line < length && data[line] != '\n')
		line++;
	if (line == length)
		return 0;
	input.address = arena_strndup(arena, (const char *)data, line);
	text = arena_strndup(
		arena, (const char *)data + line + 1, length - line - 1);
	length -= line + 1;
	json_tree_init(&tree);
	if (mqtt_address_parse(arena, "{address}", &input, &address, &fault) ==
			RC_OK &&
		address.path != NULL)
		read_json(&tree, &address, text, length);
	for (int kind = VALUE_BOOL; kind <= VALUE_STRING; kind++)
		if (mqtt_payload_text(
			    text, length, (enum value_kind)kind, &value))
			check_value(&value);
	json_tree_free(&tree);
	arena_reset(arena);
	return 0;
}
