/* datasource: one plant project. */

#include "model/datasource.h"

#include <string.h>

#include "lib/utf8.h"

enum { DATASOURCE_QUERY, DATASOURCE_FIND, DATASOURCE_CREATE };

#define COLUMNS                                                                \
	"SELECT d.id, d.uuid, d.name, d.description, s.seen_at"                \
	"     , coalesce(s.seen_at > now() - interval '" DATASOURCE_ONLINE     \
	"', false)"                                                            \
	"  FROM datasource d"                                                  \
	"  LEFT JOIN LATERAL ("                                                \
	"    SELECT max(ns.seen_at) AS seen_at"                                \
	"      FROM node_datasource nd"                                        \
	"      JOIN node n ON n.id = nd.node_id AND n.state = 'authorised'"    \
	"      JOIN node_status ns ON ns.node_id = n.id"                       \
	"     WHERE nd.datasource_id = d.id AND nd.publish) s ON true "

const struct stmt datasource_stmts[] = {
	[DATASOURCE_QUERY] = {"datasource_query", "",
		COLUMNS "ORDER BY d.name"},
	[DATASOURCE_FIND] = {"datasource_find", "u",
		COLUMNS "WHERE d.uuid = $1"},
	[DATASOURCE_CREATE] = {"datasource_create", "utt",
		"INSERT INTO datasource (uuid, name, description)"
		" VALUES ($1, $2, $3)"},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct datasource *datasource)
{
	datasource->id = rows_int(rows, row, 0);
	memcpy(datasource->uuid, rows_uuid(rows, row, 1), UUID_BYTES);
	uuid_format(datasource->uuid_text, datasource->uuid);
	datasource->name = rows_text(rows, row, 2);
	datasource->description = rows_text(rows, row, 3);
	datasource->seen_us = rows_time(rows, row, 4);
	datasource->online = rows_bool(rows, row, 5);
}

enum rc
datasource_query(struct db *db, struct arena *arena,
	struct datasource_list *list, struct fault *fault)
{
	struct datasource *items;
	struct rows *rows;
	enum rc rc;

	rc = db_query(db, arena, &datasource_stmts[DATASOURCE_QUERY], NO_PARAMS,
		&rows, fault);
	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &items[i]);
	list->items = items;
	return RC_OK;
}

enum rc
datasource_find(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], struct datasource *datasource,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(db, arena, &datasource_stmts[DATASOURCE_FIND],
		PARAMS(P_UUID(uuid)), &rows, fault);

	if (rc == RC_OK)
		from_row(rows, 0, datasource);
	return rc;
}

static size_t
count_letters(const char *text)
{
	size_t letters = 0;

	for (; *text != '\0'; text++)
		letters += ((unsigned char)*text & 0xc0) != 0x80;
	return letters;
}

static bool
is_name(const char *name)
{
	return name[0] != '\0' && utf8_valid(name, strlen(name)) &&
	       count_letters(name) <= DATASOURCE_NAME_LETTERS;
}

enum rc
datasource_create(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], const char *name,
	const char *description, struct datasource *datasource,
	struct fault *fault)
{
	enum rc rc;

	if (!is_name(name))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", "name",
			"A datasource's name has 1 to %d letters.",
			DATASOURCE_NAME_LETTERS);
	rc = db_exec(db, &datasource_stmts[DATASOURCE_CREATE],
		PARAMS(P_UUID(uuid), P_TEXT(name), P_TEXT(description)), NULL,
		fault);
	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "Conflict", "name",
			"There is a datasource with this name or UUID "
			"already.");
	if (rc != RC_OK)
		return rc;
	return datasource_find(db, arena, uuid, datasource, fault);
}
