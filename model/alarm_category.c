/* alarm_category: the names of alarm classes, groups and areas. */

#include "model/alarm_category.h"

#include <stdio.h>
#include <string.h>

#include "lib/jsonw.h"

enum {
	STMT_SLICE,
	STMT_QUERY,
	STMT_FIND,
	STMT_PUT,
	STMT_PUT_AREA,
	STMT_DELETE
};

#define COLUMNS "kind, coalesce(number, 0), name, colour, description"

/* $1 datasource $2 kind $3 number, of an area 0 $4 name, of an area only */
#define KEYED                                                                  \
	" WHERE datasource_id = $1 AND kind = $2"                              \
	"   AND (kind = 'area' OR number = $3)"                                \
	"   AND (kind <> 'area' OR name = $4)"

const struct stmt alarm_category_stmts[] = {
	/* $6 datasource $7 kind $8 search */
	[STMT_SLICE] = {"alarm_category_slice", SLICE_TYPES "itt",
		"SELECT item.* FROM ("
		"  SELECT " COLUMNS ", CASE $1"
		"           WHEN 'number' THEN"
		"             to_char(coalesce(number, 0), 'FM0000000000')"
		"           WHEN 'name' THEN lower(name)"
		"         END COLLATE \"C\", id"
		"    FROM alarm_category"
		"   WHERE datasource_id = $6 AND kind = $7"
		"     AND ($8::text IS NULL OR strpos(lower(name || ' '"
		"         || description), lower($8)) > 0))"
		"  AS item (kind, number, name, colour, description, place, id)"
		" WHERE " SLICE_AFTER SLICE_ORDER},
	[STMT_QUERY] = {"alarm_category_query", "i", /* $1 datasource */
		"SELECT " COLUMNS " FROM alarm_category"
		" WHERE datasource_id = $1"
		" ORDER BY kind, number, name COLLATE \"C\""},
	[STMT_FIND] = {"alarm_category_find", "itnt",
		"SELECT " COLUMNS " FROM alarm_category" KEYED},
	/* $1 datasource $2 kind $3 number $4 name $5 colour $6 description */
	[STMT_PUT] = {"alarm_category_put", "itnttt",
		"INSERT INTO alarm_category"
		" (datasource_id, kind, number, name, colour, description)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
		" ON CONFLICT (datasource_id, kind, number)"
		"  WHERE kind <> 'area' DO UPDATE"
		"   SET name = $4, colour = $5, description = $6"},
	[STMT_PUT_AREA] = {"alarm_category_put_area", "itttt",
		"INSERT INTO alarm_category"
		" (datasource_id, kind, name, colour, description)"
		" VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT (datasource_id, name) WHERE kind = 'area'"
		" DO UPDATE SET colour = $4, description = $5"},
	[STMT_DELETE] = {"alarm_category_delete", "itnt",
		"DELETE FROM alarm_category" KEYED},
	STMT_END,
};

const struct alarm_category_kind alarm_category_kinds[ALARM_CATEGORY_KINDS] = {
	{"class", "classes"},
	{"group", "groups"},
	{"area", "areas"},
};

static void
from_row(const struct rows *rows, size_t row, struct alarm_category *category)
{
	*category = (struct alarm_category){
		.kind = rows_text(rows, row, 0),
		.number = rows_int(rows, row, 1),
		.name = rows_text(rows, row, 2),
		.colour = rows_text(rows, row, 3),
		.description = rows_text(rows, row, 4),
	};
}

bool
alarm_category_is_area(const struct alarm_category *category)
{
	return strcmp(category->kind, "area") == 0;
}

enum rc
alarm_category_slice(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *kind, const char *search, struct slice *slice,
	struct alarm_category_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_category_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_INT(datasource_id), P_TEXT(kind),
			P_TEXT(search)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, 5);
	list->items = arena_array(arena, list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &list->items[i]);
	return RC_OK;
}

enum rc
alarm_category_query(struct db *db, struct arena *arena, int64_t datasource_id,
	struct alarm_category_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_category_stmts[STMT_QUERY],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &list->items[i]);
	return RC_OK;
}

enum rc
alarm_category_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_category *key, struct alarm_category *found,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_category_stmts[STMT_FIND],
		PARAMS(P_INT(datasource_id), P_TEXT(key->kind),
			P_SHORT(key->number), P_TEXT(key->name)),
		&rows, fault);

	if (rc == RC_OK)
		from_row(rows, 0, found);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(fault, rc, "NotFound", NULL,
			"There is no such alarm %s.", key->kind);
	return rc;
}

static bool
is_colour(const char *text)
{
	return text[0] == '\0' ||
	       (text[0] == '#' && strlen(text) == 7 &&
		       strspn(text + 1, "0123456789abcdef") == 6);
}

enum rc
alarm_category_check(const struct alarm_category *category, const char *path,
	struct fault *fault)
{
	const bool nested = path[0] != '\0';
	char field[sizeof(fault->field)];
	enum rc rc = naming_check_name(category->name, path, fault);

	if (rc != RC_OK || is_colour(category->colour))
		return rc;
	snprintf(
		field, sizeof(field), "%.50s%scolour", path, nested ? "." : "");
	return fault_tell(fault, RC_BAD_INPUT, "BadColour", field,
		"%s%sA colour is written as #rrggbb in lower case.", path,
		nested ? ": " : "");
}

enum rc
alarm_category_put(struct db *db, int64_t datasource_id,
	const struct alarm_category *category, struct fault *fault)
{
	enum rc rc = alarm_category_check(category, "", fault);

	if (rc != RC_OK)
		return rc;
	if (alarm_category_is_area(category))
		return db_exec(db, &alarm_category_stmts[STMT_PUT_AREA],
			PARAMS(P_INT(datasource_id), P_TEXT(category->kind),
				P_TEXT(category->name),
				P_TEXT(category->colour),
				P_TEXT(category->description)),
			NULL, fault);
	return db_exec(db, &alarm_category_stmts[STMT_PUT],
		PARAMS(P_INT(datasource_id), P_TEXT(category->kind),
			P_SHORT(category->number), P_TEXT(category->name),
			P_TEXT(category->colour),
			P_TEXT(category->description)),
		NULL, fault);
}

enum rc
alarm_category_delete(struct db *db, int64_t datasource_id,
	const struct alarm_category *category, struct fault *fault)
{
	return db_exec(db, &alarm_category_stmts[STMT_DELETE],
		PARAMS(P_INT(datasource_id), P_TEXT(category->kind),
			P_SHORT(category->number), P_TEXT(category->name)),
		NULL, fault);
}

void
alarm_category_write(struct jsonw *json, const struct alarm_category *category)
{
	jsonw_open_obj(json, NULL);
	if (!alarm_category_is_area(category))
		jsonw_int(json, "number", category->number);
	jsonw_str(json, "name", category->name);
	jsonw_str(json, "colour", category->colour);
	jsonw_str(json, "description", category->description);
	jsonw_close_obj(json);
}

const char *
alarm_category_text(struct arena *arena, const struct alarm_category *category)
{
	struct jsonw *json = jsonw_in(arena);

	alarm_category_write(json, category);
	return json->out->data;
}
