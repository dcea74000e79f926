/* screen: process pictures in the database. */

#include "model/screen.h"

#include <string.h>

enum {
	SCREEN_QUERY,
	SCREEN_FIND,
	SCREEN_PUT,
	SCREEN_DELETE,
};

const struct stmt screen_stmts[] = {
	[SCREEN_QUERY] = {"screen_query", "",
		"SELECT datasource_id::int8"
		"     , name"
		"     , title"
		"  FROM screen"
		" ORDER BY datasource_id, name"},
	[SCREEN_FIND] = {"screen_find", "it", /* $1 datasource $2 name */
		"SELECT datasource_id::int8"
		"     , name"
		"     , title"
		"     , svg"
		"  FROM screen"
		" WHERE datasource_id = $1 AND name = $2"},
	/* $1 datasource $2 name $3 title $4 svg */
	[SCREEN_PUT] = {"screen_put", "ittt",
		"INSERT INTO screen (datasource_id, name, title, svg)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (datasource_id, name) DO UPDATE"
		"   SET title = excluded.title"
		"     , svg = excluded.svg"
		"     , changed_at = now()"},
	[SCREEN_DELETE] = {"screen_delete", "it",
		"DELETE FROM screen WHERE datasource_id = $1 AND name = $2"},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct screen *screen)
{
	screen->datasource_id = rows_int(rows, row, 0);
	screen->name = rows_text(rows, row, 1);
	screen->title = rows_text(rows, row, 2);
}

enum rc
screen_query(struct db *db, struct arena *arena, struct screen_list *list,
	struct fault *fault)
{
	struct screen *items;
	struct rows *rows;
	enum rc rc = db_query(db, arena, &screen_stmts[SCREEN_QUERY], NO_PARAMS,
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &items[i]);
	list->items = items;
	return RC_OK;
}

enum rc
screen_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *name, struct screen *screen, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(db, arena, &screen_stmts[SCREEN_FIND],
		PARAMS(P_INT(datasource_id), P_TEXT(name)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	from_row(rows, 0, screen);
	screen->svg = rows_text(rows, 0, 3);
	return RC_OK;
}

static bool
name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= 63 && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

enum rc
screen_put(struct db *db, const struct screen *screen, struct fault *fault)
{
	if (!name_is_valid(screen->name))
		return fault_tell(fault, RC_BAD_INPUT, "BadName", "name",
			"A screen's name has 1 to 63 of a-z, 0-9 and -, and "
			"does not begin with -.");
	if (screen->title[0] == '\0' ||
		strlen(screen->title) > SCREEN_TITLE_BYTES)
		return fault_tell(fault, RC_BAD_INPUT, "BadTitle", "title",
			"A screen's title has 1 to %d bytes.",
			SCREEN_TITLE_BYTES);
	return db_exec(db, &screen_stmts[SCREEN_PUT],
		PARAMS(P_INT(screen->datasource_id), P_TEXT(screen->name),
			P_TEXT(screen->title), P_TEXT(screen->svg)),
		NULL, fault);
}

enum rc
screen_delete(struct db *db, int64_t datasource_id, const char *name,
	struct fault *fault)
{
	int64_t affected = 0;
	enum rc rc = db_exec(db, &screen_stmts[SCREEN_DELETE],
		PARAMS(P_INT(datasource_id), P_TEXT(name)), &affected, fault);

	if (rc == RC_OK && affected == 0)
		return fault_tell(fault, RC_NOT_FOUND, "NotFound", "name",
			"There is no screen \"%s\".", name);
	return rc;
}
