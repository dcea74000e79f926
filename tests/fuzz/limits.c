/* fuzz/limits: any bytes as a limits CSV, and as one limit in JSON; what is
 * taken goes round in both forms. */

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/alarm_limit_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* The first letter of a name is its kind. */
static enum value_kind
kind_of(const void *context, const char *variable)
{
	static const char letters[] = " bfis";
	const char *at =
		variable[0] > ' ' ? strchr(letters, variable[0]) : NULL;

	(void)context;
	return at != NULL ? (enum value_kind)(at - letters) : VALUE_NONE;
}

static const char *
as_json(struct arena *arena, const struct alarm_limit *limit)
{
	struct jsonw *json = jsonw_in(arena);

	jsonw_open_obj(json, NULL);
	alarm_limit_write(json, limit);
	jsonw_close_obj(json);
	return json->out->data;
}

static void
check_json(struct arena *arena, const struct alarm_limit *limit)
{
	const char *text = as_json(arena, limit);
	struct alarm_limit again = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	struct json_object *object;
	struct fault fault;

	if (json_parse(arena, text, strlen(text), &object, &fault) != RC_OK ||
		alarm_limit_read(arena, object, "", &again, &fault) != RC_OK ||
		!alarm_limit_settle(
			&again, kind_of(NULL, again.variable), &flaw) ||
		strcmp(as_json(arena, &again), text) != 0)
		abort();
}

static enum rc
read_table(struct arena *arena, const void *data, size_t length,
	struct alarm_limit_list *list)
{
	FILE *file = fmemopen((void *)(uintptr_t)data, length, "r");
	struct fault fault;
	enum rc rc;

	if (file == NULL)
		abort();
	rc = alarm_limit_csv_read(
		arena, file, "l.csv", kind_of, NULL, list, &fault);
	fclose(file);
	return rc;
}

static void
check_table(struct arena *arena, const struct alarm_limit_list *list)
{
	struct alarm_limit_list again;
	struct buf table;

	buf_init(&table, 0);
	alarm_limit_csv_write(&table, list->items, list->count);
	if (read_table(arena, table.data, table.length, &again) != RC_OK ||
		again.count != list->count)
		abort();
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(as_json(arena, &again.items[i]),
			    as_json(arena, &list->items[i])) != 0)
			abort();
	buf_free(&table);
}

static void
check_object(struct arena *arena, const uint8_t *data, size_t length)
{
	const char *text = arena_strndup(arena, (const char *)data, length);
	struct alarm_limit limit = alarm_limit_default();
	struct alarm_limit_flaw flaw;
	struct json_object *object;
	struct fault fault;

	if (json_parse(arena, text, length, &object, &fault) == RC_OK &&
		json_object_is_type(object, json_type_object) &&
		alarm_limit_read(arena, object, "", &limit, &fault) == RC_OK &&
		alarm_limit_settle(
			&limit, kind_of(NULL, limit.variable), &flaw))
		check_json(arena, &limit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct alarm_limit_list list;

	if (length == 0)
		return 0;
	if (arena == NULL)
		arena = arena_new();
	if (read_table(arena, data, length, &list) == RC_OK) {
		for (size_t i = 0; i < list.count; i++)
			check_json(arena, &list.items[i]);
		check_table(arena, &list);
	}
	check_object(arena, data, length);
	arena_reset(arena);
	return 0;
}
