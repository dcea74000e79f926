/* variable: a named process value of a datasource. */

#include "model/variable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

enum {
	VARIABLE_QUERY,
	VARIABLE_QUERY_ALL,
	VARIABLE_QUERY_NAMES,
	VARIABLE_FIND,
	VARIABLE_PUT,
};

#define SELECT "SELECT " VARIABLE_COLUMNS "FROM variable v "

const struct stmt variable_stmts[] = {
	[VARIABLE_QUERY] = {"variable_query", "iT",
		SELECT "WHERE v.datasource_id = $1 AND name LIKE ANY ($2)"
		       " ORDER BY name COLLATE \"C\""},
	[VARIABLE_QUERY_ALL] = {"variable_query_all", "", SELECT "ORDER BY id"},
	[VARIABLE_QUERY_NAMES] = {"variable_query_names", "iT",
		SELECT "JOIN unnest($2) WITH ORDINALITY AS want (name, place)"
		       " USING (name)"
		       " WHERE v.datasource_id = $1 ORDER BY place"},
	[VARIABLE_FIND] = {"variable_find", "it",
		SELECT "WHERE v.datasource_id = $1 AND name = $2"},
	/* $1 datasource, then a column each; minimum and maximum NaN = none.
	 * A row of another kind is neither inserted nor updated: it is missing
	 * in the answer. */
	[VARIABLE_PUT] = {"variable_put", "iTNTNDDNNT",
		"INSERT INTO variable AS v (datasource_id, name, kind, unit"
		"     , decimals, minimum, maximum, stepped, access"
		"     , description)"
		" SELECT $1, name, kind, unit, decimals"
		"     , nullif(minimum, 'NaN'), nullif(maximum, 'NaN')"
		"     , stepped <> 0, access, description"
		"  FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)"
		"    AS put (name, kind, unit, decimals, minimum, maximum"
		"     , stepped, access, description)"
		" ORDER BY name" /* one order of locks: no deadlocks */
		" ON CONFLICT (datasource_id, name) DO UPDATE"
		"   SET unit = excluded.unit, decimals = excluded.decimals"
		"     , minimum = excluded.minimum"
		"     , maximum = excluded.maximum"
		"     , stepped = excluded.stepped, access = excluded.access"
		"     , description = excluded.description"
		" WHERE v.kind = excluded.kind"
		" RETURNING v.id, v.name"},
	STMT_END,
};

static const char *const kind_names[] = {
	[VALUE_BOOL] = "bool",
	[VALUE_FLOAT] = "float",
	[VALUE_INT] = "int",
	[VALUE_STRING] = "string",
};

static const char *const access_names[] = {
	[ACCESS_NONE] = "none",
	[ACCESS_READ] = "read",
	[ACCESS_READ_WRITE] = "read_write",
};

const char *
variable_kind_name(enum value_kind kind)
{
	return (size_t)kind < ARRAY_LENGTH(kind_names) ? kind_names[kind]
						       : NULL;
}

enum value_kind
variable_kind_parse(const char *name)
{
	for (size_t i = VALUE_BOOL; i < ARRAY_LENGTH(kind_names); i++)
		if (strcmp(kind_names[i], name) == 0)
			return (enum value_kind)i;
	return VALUE_NONE;
}

const char *
variable_access_name(enum variable_access access)
{
	return (size_t)access < ARRAY_LENGTH(access_names)
		       ? access_names[access]
		       : NULL;
}

bool
variable_access_parse(const char *name, enum variable_access *access)
{
	for (size_t i = 0; i < ARRAY_LENGTH(access_names); i++)
		if (strcmp(access_names[i], name) == 0) {
			*access = (enum variable_access)i;
			return true;
		}
	return false;
}

void
variable_from_row(
	const struct rows *rows, size_t row, struct variable *variable)
{
	variable->id = (int32_t)rows_int(rows, row, 0);
	variable->datasource_id = (int32_t)rows_int(rows, row, 1);
	variable->name = rows_text(rows, row, 2);
	variable->kind = (enum value_kind)rows_int(rows, row, 3);
	variable->unit = rows_text(rows, row, 4);
	variable->decimals = (int)rows_int(rows, row, 5);
	variable->minimum = rows_num(rows, row, 6);
	variable->maximum = rows_num(rows, row, 7);
	variable->stepped = rows_bool(rows, row, 8);
	variable->access = (enum variable_access)rows_int(rows, row, 9);
	variable->description = rows_text(rows, row, 10);
}

static enum rc
query(struct db *db, struct arena *arena, const struct stmt *stmt,
	struct params params, struct variable_list *list, struct fault *fault)
{
	struct variable *items;
	struct rows *rows;
	enum rc rc = db_query(db, arena, stmt, params, &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		variable_from_row(rows, i, &items[i]);
	list->items = items;
	return RC_OK;
}

/* A pattern of "*" and "?" in the words of LIKE. */
static const char *
like_pattern(struct arena *arena, const char *pattern)
{
	char *like = arena_alloc(arena, 2 * strlen(pattern) + 1);
	size_t used = 0;

	for (; *pattern != '\0'; pattern++) {
		if (strchr("%_\\", *pattern) != NULL)
			like[used++] = '\\';
		like[used++] = (char)(*pattern == '*'   ? '%'
				      : *pattern == '?' ? '_'
							: *pattern);
	}
	return like;
}

const char **
variable_like_patterns(
	struct arena *arena, const char *const *patterns, size_t count)
{
	const char **likes = arena_array(arena, count + 1, sizeof(*likes));

	for (size_t i = 0; i < count; i++)
		likes[i] = like_pattern(arena, patterns[i]);
	return likes;
}

enum rc
variable_query(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *const *patterns, size_t count, struct variable_list *list,
	struct fault *fault)
{
	const char **likes = variable_like_patterns(arena, patterns, count);

	return query(db, arena, &variable_stmts[VARIABLE_QUERY],
		PARAMS(P_INT(datasource_id), P_TEXTS(likes, count)), list,
		fault);
}

enum rc
variable_query_all(struct db *db, struct arena *arena,
	struct variable_list *list, struct fault *fault)
{
	return query(db, arena, &variable_stmts[VARIABLE_QUERY_ALL], NO_PARAMS,
		list, fault);
}

enum rc
variable_query_names(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *const *names, size_t count, struct variable_list *list,
	struct fault *fault)
{
	return query(db, arena, &variable_stmts[VARIABLE_QUERY_NAMES],
		PARAMS(P_INT(datasource_id), P_TEXTS(names, count)), list,
		fault);
}

enum rc
variable_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *name, struct variable *variable, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(db, arena, &variable_stmts[VARIABLE_FIND],
		PARAMS(P_INT(datasource_id), P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		variable_from_row(rows, 0, variable);
	return rc;
}

/* --- put ----------------------------------------------------------------- */

/* The items as the columns that VARIABLE_PUT takes. */
struct columns {
	const char **names;
	int32_t *kinds;
	const char **units;
	int32_t *decimals;
	double *minima;
	double *maxima;
	int32_t *stepped;
	int32_t *accesses;
	const char **descriptions;
};

static void
columns_make(struct arena *arena, const struct variable *items, size_t count,
	struct columns *columns)
{
	columns->names = arena_array(arena, count, sizeof(char *));
	columns->kinds = arena_array(arena, count, sizeof(int32_t));
	columns->units = arena_array(arena, count, sizeof(char *));
	columns->decimals = arena_array(arena, count, sizeof(int32_t));
	columns->minima = arena_array(arena, count, sizeof(double));
	columns->maxima = arena_array(arena, count, sizeof(double));
	columns->stepped = arena_array(arena, count, sizeof(int32_t));
	columns->accesses = arena_array(arena, count, sizeof(int32_t));
	columns->descriptions = arena_array(arena, count, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		const struct variable *item = &items[i];

		columns->names[i] = item->name;
		columns->kinds[i] = (int32_t)item->kind;
		columns->units[i] = item->unit != NULL ? item->unit : "";
		columns->decimals[i] = item->decimals;
		columns->minima[i] = item->minimum;
		columns->maxima[i] = item->maximum;
		columns->stepped[i] = item->stepped;
		columns->accesses[i] = (int32_t)item->access;
		columns->descriptions[i] =
			item->description != NULL ? item->description : "";
	}
}

static enum rc
check_item(const struct variable *item, struct fault *fault)
{
	size_t bytes = strlen(item->name);

	if (bytes == 0 || bytes > VARIABLE_NAME_BYTES_MAX ||
		!utf8_valid(item->name, bytes))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", item->name,
			"A variable's name has 1 to %d bytes of UTF-8.",
			VARIABLE_NAME_BYTES_MAX);
	if (strpbrk(item->name, "*?") != NULL)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", item->name,
			"A variable's name has no \"*\" and no \"?\".");
	if (variable_kind_name(item->kind) == NULL)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", item->name,
			"\"%s\": the type is unknown.", item->name);
	if (item->decimals < 0 || item->decimals > VARIABLE_DECIMALS_MAX)
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", item->name,
			"\"%s\": decimals are from 0 to %d.", item->name,
			VARIABLE_DECIMALS_MAX);
	return RC_OK;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static enum rc
check_items(struct arena *arena, const struct variable *items, size_t count,
	struct fault *fault)
{
	const char **names = arena_array(arena, count + 1, sizeof(*names));

	for (size_t i = 0; i < count; i++) {
		enum rc rc = check_item(&items[i], fault);

		if (rc != RC_OK)
			return rc;
		names[i] = items[i].name;
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return fault_tell(fault, RC_BAD_INPUT, "BadRequest",
				names[i], "\"%s\" is given twice.", names[i]);
	return RC_OK;
}

static int
compare_variables(const void *left, const void *right)
{
	const struct variable *const *one = left;
	const struct variable *const *two = right;

	return strcmp((*one)->name, (*two)->name);
}

/* Give the returned ids to the items; the answer comes in any order. */
static enum rc
take_ids(struct arena *arena, const struct rows *rows, struct variable *stored,
	size_t count, struct fault *fault)
{
	struct variable **sorted = arena_array(arena, count, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = &stored[i];
	qsort(sorted, count, sizeof(*sorted), compare_variables);
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct variable key = {.name = rows_text(rows, i, 1)};
		struct variable *wanted = &key;
		struct variable **found = bsearch(&wanted, sorted, count,
			sizeof(*sorted), compare_variables);

		if (found != NULL)
			(*found)->id = (int32_t)rows_int(rows, i, 0);
	}
	for (size_t i = 0; i < count; i++)
		if (stored[i].id == 0)
			return fault_tell(fault, RC_CONFLICT, "WrongType",
				stored[i].name,
				"\"%s\" exists with another type.",
				stored[i].name);
	return RC_OK;
}

static enum rc
put_all(struct db *db, struct arena *arena, int64_t datasource_id,
	struct variable *stored, size_t count, struct fault *fault)
{
	struct columns columns;
	struct rows *rows;
	enum rc rc;

	columns_make(arena, stored, count, &columns);
	rc = db_query(db, arena, &variable_stmts[VARIABLE_PUT],
		PARAMS(P_INT(datasource_id), P_TEXTS(columns.names, count),
			P_SHORTS(columns.kinds, count),
			P_TEXTS(columns.units, count),
			P_SHORTS(columns.decimals, count),
			P_NUMS(columns.minima, count),
			P_NUMS(columns.maxima, count),
			P_SHORTS(columns.stepped, count),
			P_SHORTS(columns.accesses, count),
			P_TEXTS(columns.descriptions, count)),
		&rows, fault);
	if (rc != RC_OK)
		return rc;
	return take_ids(arena, rows, stored, count, fault);
}

enum rc
variable_put(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct variable *items, size_t count,
	struct variable_list *stored, struct fault *fault)
{
	struct variable *copy;
	enum rc rc;

	if (count > VARIABLE_BATCH_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", "variables",
			"At most %d variables at once.", VARIABLE_BATCH_MAX);
	rc = check_items(arena, items, count, fault);
	if (rc != RC_OK)
		return rc;
	copy = arena_array(arena, count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		copy[i] = items[i];
		copy[i].id = 0;
		copy[i].datasource_id = (int32_t)datasource_id;
	}
	rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = put_all(db, arena, datasource_id, copy, count, fault);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	*stored = (struct variable_list){count, copy};
	return db_commit(db, fault);
}
