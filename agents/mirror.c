/* mirror: what an egress agent mirrors and under which names. */

#include "agents/mirror.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csv_table.h"
#include "lib/jsonw.h"
#include "model/policy_index.h"
#include "model/variable.h"

#define SLOTS_FIRST 1024 /* a power of two, as all that follow */

/* --- the file ------------------------------------------------------------ */

enum column { DATASOURCE, VARIABLES, PREFIX, ALARMS, EVENTS, COLUMNS };

static const char *const column_names[COLUMNS] = {
	[DATASOURCE] = "datasource",
	[VARIABLES] = "variables",
	[PREFIX] = "prefix",
	[ALARMS] = "alarms",
	[EVENTS] = "events",
};

struct reader {
	struct csv_table table;
	struct mirror *mirror;
	struct fault *fault;
};

/* What an empty cell means depends on the column. */
static const char *
cell_or(const struct reader *reader, enum column column, const char *otherwise)
{
	return csv_table_has(&reader->table, column)
		       ? csv_table_cell(&reader->table, column)
		       : otherwise;
}

static enum rc
read_flag(struct reader *reader, enum column column, bool *flag)
{
	const char *text = csv_table_cell(&reader->table, column);

	*flag = text[0] == '\0' || strcmp(text, "yes") == 0;
	if (*flag || strcmp(text, "no") == 0)
		return RC_OK;
	return csv_table_refuse(
		&reader->table, column, "is yes or no", reader->fault);
}

static enum rc
read_row(struct reader *reader, struct mirror_row *row)
{
	struct arena *arena = reader->mirror->arena;
	const struct csv_table *table = &reader->table;
	uint8_t uuid[UUID_BYTES];
	enum rc rc;

	if (!uuid_parse(csv_table_cell(table, DATASOURCE), uuid))
		return csv_table_refuse(
			table, DATASOURCE, "is not a UUID", reader->fault);
	uuid_format(row->datasource, uuid);
	row->variables = arena_strdup(arena, cell_or(reader, VARIABLES, "*"));
	row->prefix = arena_strdup(arena, csv_table_cell(table, PREFIX));
	if (strlen(row->variables) > VARIABLE_NAME_BYTES_MAX)
		return csv_table_refuse(
			table, VARIABLES, "is too long", reader->fault);
	if (strlen(row->prefix) > MIRROR_PREFIX_BYTES)
		return csv_table_refuse(
			table, PREFIX, "is too long", reader->fault);
	rc = read_flag(reader, ALARMS, &row->alarms);
	return rc == RC_OK ? read_flag(reader, EVENTS, &row->events) : rc;
}

static enum rc
read_rows(struct reader *reader)
{
	struct mirror *mirror = reader->mirror;
	enum rc rc = RC_OK;

	mirror->rows = arena_array(
		mirror->arena, MIRROR_ROWS_MAX, sizeof(*mirror->rows));
	while (rc == RC_OK) {
		rc = csv_table_row(&reader->table, reader->fault);
		if (rc == RC_OK && mirror->count == MIRROR_ROWS_MAX)
			return csv_table_refuse(&reader->table, DATASOURCE,
				"is one row too many", reader->fault);
		if (rc == RC_OK)
			rc = read_row(reader, &mirror->rows[mirror->count]);
		mirror->count += rc == RC_OK;
	}
	if (rc != RC_NOT_FOUND)
		return rc;
	return mirror->count > 0
		       ? RC_OK
		       : fault_set(reader->fault, RC_BAD_INPUT,
				 "%s has no row: there is nothing to mirror",
				 reader->table.csv.path);
}

enum rc
mirror_open(const char *path, struct mirror **result, struct fault *fault)
{
	struct reader reader = {.fault = fault};
	FILE *file = fopen(path, "re");
	enum rc rc;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	reader.mirror = calloc(1, sizeof(*reader.mirror));
	if (reader.mirror == NULL)
		abort();
	reader.mirror->arena = arena_new();
	pthread_mutex_init(&reader.mirror->lock, NULL);
	rc = csv_table_open(
		&reader.table, file, path, column_names, COLUMNS, fault);
	if (rc == RC_OK)
		rc = read_rows(&reader);
	csv_table_close(&reader.table);
	fclose(file);
	if (rc == RC_OK)
		*result = reader.mirror;
	else
		mirror_close(reader.mirror);
	return rc;
}

void
mirror_close(struct mirror *mirror)
{
	if (mirror == NULL)
		return;
	arena_free(mirror->arena);
	pthread_mutex_destroy(&mirror->lock);
	free(mirror->slots);
	free(mirror);
}

/* --- asking -------------------------------------------------------------- */

static bool
is_first(const struct mirror *mirror, size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (strcmp(mirror->rows[i].datasource,
			    mirror->rows[row].datasource) == 0)
			return false;
	return true;
}

static void
write_patterns(const struct mirror *mirror, size_t first, struct jsonw *json)
{
	const char *datasource = mirror->rows[first].datasource;

	jsonw_open_arr(json, "variables");
	for (size_t i = first; i < mirror->count; i++)
		if (strcmp(mirror->rows[i].datasource, datasource) == 0)
			jsonw_str(json, NULL, mirror->rows[i].variables);
	jsonw_close_arr(json);
}

void
mirror_write_datasources(
	const struct mirror *mirror, const char *of, struct buf *out)
{
	struct jsonw json;

	jsonw_init(&json, out);
	jsonw_open_arr(&json, NULL);
	for (size_t i = 0; i < mirror->count; i++) {
		if (!is_first(mirror, i) ||
			(of[0] != '\0' &&
				strstr(of, mirror->rows[i].datasource) == NULL))
			continue;
		jsonw_open_obj(&json, NULL);
		jsonw_str(&json, "id", mirror->rows[i].datasource);
		write_patterns(mirror, i, &json);
		jsonw_close_obj(&json);
	}
	jsonw_close_arr(&json);
}

bool
mirror_wants_values(const struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->count; i++)
		if (mirror->rows[i].variables[0] != '\0')
			return true;
	return false;
}

/* NULL = of any datasource. */
bool
mirror_wants_alarms(const struct mirror *mirror, const char *datasource)
{
	for (size_t i = 0; i < mirror->count; i++)
		if (mirror->rows[i].alarms &&
			(datasource == NULL ||
				strcmp(mirror->rows[i].datasource,
					datasource) == 0))
			return true;
	return false;
}

bool
mirror_wants_events(const struct mirror *mirror, const char *datasource)
{
	for (size_t i = 0; i < mirror->count; i++)
		if (mirror->rows[i].events &&
			(datasource == NULL ||
				strcmp(mirror->rows[i].datasource,
					datasource) == 0))
			return true;
	return false;
}

const char *
mirror_prefix(const struct mirror *mirror, const char *datasource,
	const char *variable)
{
	for (size_t i = 0; i < mirror->count; i++)
		if (strcmp(mirror->rows[i].datasource, datasource) == 0 &&
			(variable == NULL ||
				policy_matches(
					mirror->rows[i].variables, variable)))
			return mirror->rows[i].prefix;
	return "";
}

/* --- learning ------------------------------------------------------------ */

static const char *
text_of(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) &&
			       json_object_is_type(member, json_type_string)
		       ? json_object_get_string(member)
		       : "";
}

static int64_t
number_of(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member)
		       ? json_object_get_int64(member)
		       : 0;
}

/* The slot of an id, taken or free. */
static struct mirror_variable **
find_slot(const struct mirror *mirror, int32_t id)
{
	size_t slot = mirror_slot(mirror, id);

	while (mirror->slots[slot] != NULL && mirror->slots[slot]->id != id)
		slot = (slot + 1) & (mirror->room - 1);
	return &mirror->slots[slot];
}

/* Twice the slots, as soon as half of them are taken. */
static void
make_room(struct mirror *mirror)
{
	struct mirror_variable **old = mirror->slots;
	size_t room = mirror->room;

	if (2 * (mirror->known + 1) <= room)
		return;
	mirror->room = room == 0 ? SLOTS_FIRST : 2 * room;
	mirror->slots = calloc(mirror->room, sizeof(struct mirror_variable *));
	if (mirror->slots == NULL)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i] != NULL)
			*find_slot(mirror, old[i]->id) = old[i];
	free(old);
}

/* The hub's words for types. */
static enum value_kind
kind_of(const char *type)
{
	static const char *const names[] = {[VALUE_BOOL] = "bool",
		[VALUE_FLOAT] = "float",
		[VALUE_INT] = "int",
		[VALUE_STRING] = "string"};

	for (size_t i = VALUE_BOOL; i < ARRAY_LENGTH(names); i++)
		if (strcmp(type, names[i]) == 0)
			return (enum value_kind)i;
	return VALUE_NONE;
}

static bool
learn_one(struct mirror *mirror, struct json_object *object)
{
	int64_t id = number_of(object, "id");
	const char *name = text_of(object, "name");
	const char *datasource = text_of(object, "datasource");
	struct mirror_variable *variable;
	struct mirror_variable **slot;

	if (id < 1 || id > INT32_MAX || name[0] == '\0')
		return false;
	make_room(mirror);
	slot = find_slot(mirror, (int32_t)id);
	variable = *slot;
	if (variable == NULL) {
		variable = arena_alloc(mirror->arena, sizeof(*variable));
		*slot = variable;
		mirror->known++;
		variable->id = (int32_t)id;
		variable->datasource = arena_strdup(mirror->arena, datasource);
		variable->name = arena_strdup(mirror->arena, name);
		variable->shown = arena_printf(mirror->arena, "%s%s",
			mirror_prefix(mirror, datasource, name), name);
	}
	variable->kind = kind_of(text_of(object, "type"));
	variable->writable =
		strcmp(text_of(object, "access"), "read_write") == 0;
	return variable->kind != VALUE_NONE;
}

enum rc
mirror_learn(struct mirror *mirror, const struct buf *page, int64_t *next,
	struct fault *fault)
{
	struct json_object *object = json_tokener_parse(page->data);
	struct json_object *list = NULL;
	bool good = json_object_object_get_ex(object, "variables", &list) &&
		    json_object_is_type(list, json_type_array);

	pthread_mutex_lock(&mirror->lock);
	for (size_t i = 0; good && i < json_object_array_length(list); i++)
		good = learn_one(mirror, json_object_array_get_idx(list, i));
	pthread_mutex_unlock(&mirror->lock);
	*next = good ? number_of(object, "next") : 0;
	json_object_put(object);
	return good ? RC_OK
		    : fault_set(fault, RC_UPSTREAM,
			      "the hub's list of variables is not understood");
}

const struct mirror_variable *
mirror_find_shown(struct mirror *mirror, const char *shown)
{
	const struct mirror_variable *found = NULL;

	pthread_mutex_lock(&mirror->lock);
	for (size_t i = 0; i < mirror->room; i++) {
		const struct mirror_variable *one = mirror->slots[i];

		/* Of two with one name the older one counts. */
		if (one != NULL && strcmp(one->shown, shown) == 0 &&
			(found == NULL || one->id < found->id))
			found = one;
	}
	pthread_mutex_unlock(&mirror->lock);
	return found;
}
