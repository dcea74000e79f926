/* archive: a named set of variables with a recording rule. */

#include "model/archive.h"

#include <string.h>

#include "lib/utf8.h"

enum {
	ARCHIVE_QUERY,
	ARCHIVE_MEMBERS,
	ARCHIVE_VARIABLES,
	ARCHIVE_CREATE,
	ARCHIVE_ADD_VARIABLES,
};

const struct stmt archive_stmts[] = {
	[ARCHIVE_QUERY] = {"archive_query", "i",
		"SELECT id, identification, name, rule, calculation, cycle_s"
		"     , parent_id"
		"  FROM archive WHERE datasource_id = $1"
		" ORDER BY identification COLLATE \"C\""},
	[ARCHIVE_MEMBERS] = {"archive_members", "i",
		"SELECT " VARIABLE_COLUMNS ", m.archive_id"
		"  FROM archive a"
		"  JOIN archive_variable m ON m.archive_id = a.id"
		"  JOIN variable v ON v.id = m.variable_id"
		" WHERE a.datasource_id = $1"
		" ORDER BY m.archive_id, v.name COLLATE \"C\""},
	[ARCHIVE_VARIABLES] = {"archive_variables", "i",
		"SELECT " VARIABLE_COLUMNS "  FROM archive_variable m"
		"  JOIN variable v ON v.id = m.variable_id"
		" WHERE m.archive_id = $1 ORDER BY v.name COLLATE \"C\""},
	[ARCHIVE_CREATE] = {"archive_create", "itttiti",
		"INSERT INTO archive (datasource_id, identification, name"
		"     , rule, cycle_s, calculation, parent_id)"
		" VALUES ($1, $2, $3, $4, nullif($5, 0), $6, nullif($7, 0))"
		" RETURNING id"},
	[ARCHIVE_ADD_VARIABLES] = {"archive_add_variables", "iN",
		"INSERT INTO archive_variable (archive_id, variable_id)"
		" SELECT $1, unnest($2)"},
	STMT_END,
};

static const char *const rule_names[] = {
	[ARCHIVE_SPONTANEOUS] = "spontaneous",
	[ARCHIVE_CYCLIC] = "cyclic",
	[ARCHIVE_EVENT] = "event",
};

static const char *const calculation_names[] = {
	[ARCHIVE_SUM] = "sum",
	[ARCHIVE_AVERAGE] = "average",
	[ARCHIVE_MINIMUM] = "minimum",
	[ARCHIVE_MAXIMUM] = "maximum",
};

const char *
archive_rule_name(enum archive_rule rule)
{
	return rule_names[rule];
}

bool
archive_rule_parse(const char *name, enum archive_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rule_names); i++)
		if (strcmp(rule_names[i], name) == 0) {
			*rule = (enum archive_rule)i;
			return true;
		}
	return false;
}

const char *
archive_calculation_name(enum archive_calculation calculation)
{
	return calculation_names[calculation];
}

enum archive_calculation
archive_calculation_parse(const char *name)
{
	for (size_t i = ARCHIVE_SUM; i < ARRAY_LENGTH(calculation_names); i++)
		if (strcmp(calculation_names[i], name) == 0)
			return (enum archive_calculation)i;
	return ARCHIVE_NOT_AGGREGATED;
}

/* --- the tree ------------------------------------------------------------ */

/* Every archive of a datasource, by identification. */
struct shelf {
	size_t count;
	struct archive *items;
	struct archive *first; /* without a parent */
};

static struct archive *
shelf_find_id(const struct shelf *shelf, int64_t id)
{
	for (size_t i = 0; i < shelf->count; i++)
		if (shelf->items[i].id == id)
			return &shelf->items[i];
	return NULL;
}

static const struct archive *
shelf_find(const struct shelf *shelf, const char *identification)
{
	for (size_t i = 0; i < shelf->count; i++)
		if (strcmp(shelf->items[i].identification, identification) == 0)
			return &shelf->items[i];
	return NULL;
}

static void
from_row(const struct rows *rows, size_t row, struct archive *archive)
{
	const char *calculation = rows_text(rows, row, 4);

	archive->id = (int32_t)rows_int(rows, row, 0);
	archive->identification = rows_text(rows, row, 1);
	archive->name = rows_text(rows, row, 2);
	if (!archive_rule_parse(rows_text(rows, row, 3), &archive->rule))
		archive->rule = ARCHIVE_SPONTANEOUS;
	archive->calculation = calculation != NULL
				       ? archive_calculation_parse(calculation)
				       : ARCHIVE_NOT_AGGREGATED;
	archive->cycle_s = rows_int(rows, row, 5);
}

/* From the last to the first, so that each list keeps its order. */
static void
link_tree(const struct rows *rows, struct shelf *shelf)
{
	for (size_t i = shelf->count; i-- > 0;) {
		struct archive *item = &shelf->items[i];
		struct archive *parent =
			shelf_find_id(shelf, rows_int(rows, i, 6));

		item->parent = parent;
		item->next = parent != NULL ? parent->child : shelf->first;
		if (parent != NULL)
			parent->child = item;
		else
			shelf->first = item;
	}
}

static enum rc
load_shelf(struct db *db, struct arena *arena, int64_t datasource_id,
	struct shelf *shelf, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &archive_stmts[ARCHIVE_QUERY],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	shelf->first = NULL;
	shelf->count = rows_count(rows);
	shelf->items =
		arena_array(arena, shelf->count + 1, sizeof(*shelf->items));
	for (size_t i = 0; i < shelf->count; i++)
		from_row(rows, i, &shelf->items[i]);
	link_tree(rows, shelf);
	return RC_OK;
}

/* Rows come by archive: each gets its stretch of one array. */
static enum rc
load_members(struct db *db, struct arena *arena, int64_t datasource_id,
	struct shelf *shelf, struct fault *fault)
{
	struct variable *items;
	struct rows *rows;
	struct archive *archive = NULL;
	enum rc rc = db_query(db, arena, &archive_stmts[ARCHIVE_MEMBERS],
		PARAMS(P_INT(datasource_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	items = arena_array(arena, rows_count(rows) + 1, sizeof(*items));
	for (size_t i = 0; i < rows_count(rows); i++) {
		int64_t archive_id = rows_int(rows, i, 11);

		variable_from_row(rows, i, &items[i]);
		if (archive == NULL || archive->id != archive_id)
			archive = shelf_find_id(shelf, archive_id);
		if (archive == NULL)
			continue; /* made since the archives were read */
		if (archive->variables.count++ == 0)
			archive->variables.items = &items[i];
	}
	return RC_OK;
}

enum rc
archive_query(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct archive **first, struct fault *fault)
{
	struct shelf shelf;
	enum rc rc = load_shelf(db, arena, datasource_id, &shelf, fault);

	if (rc == RC_OK)
		rc = load_members(db, arena, datasource_id, &shelf, fault);
	if (rc == RC_OK)
		*first = shelf.first;
	return rc;
}

static enum rc
load_variables(struct db *db, struct arena *arena, int32_t archive_id,
	struct variable_list *list, struct fault *fault)
{
	struct variable *items;
	struct rows *rows;
	enum rc rc = db_query(db, arena, &archive_stmts[ARCHIVE_VARIABLES],
		PARAMS(P_INT(archive_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		variable_from_row(rows, i, &items[i]);
	list->items = items;
	return RC_OK;
}

enum rc
archive_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *identification, const struct archive **archive,
	struct fault *fault)
{
	const struct archive *found;
	struct archive *item;
	struct shelf shelf;
	enum rc rc = load_shelf(db, arena, datasource_id, &shelf, fault);

	if (rc != RC_OK)
		return rc;
	found = shelf_find(&shelf, identification);
	if (found == NULL)
		return fault_set(fault, RC_NOT_FOUND, "no archive");
	item = &shelf.items[found - shelf.items];
	*archive = item;
	return load_variables(db, arena, item->id, &item->variables, fault);
}

/* --- create -------------------------------------------------------------- */

static enum rc
refuse(struct fault *fault, const char *field, const char *words)
{
	return fault_tell(
		fault, RC_BAD_INPUT, "BadRequest", field, "%s", words);
}

static bool
is_identification(const char *text)
{
	size_t bytes = strlen(text);

	return bytes > 0 && bytes <= ARCHIVE_IDENTIFICATION_LETTERS &&
	       utf8_valid(text, bytes) && strchr(text, '/') == NULL;
}

static enum rc
check_draft(const struct archive_draft *draft, struct fault *fault)
{
	bool aggregated = draft->calculation != ARCHIVE_NOT_AGGREGATED;

	if (!is_identification(draft->identification))
		return refuse(fault, "identification",
			"An identification has 1 to 64 bytes and no slash.");
	if (draft->name[0] == '\0' ||
		!utf8_valid(draft->name, strlen(draft->name)))
		return refuse(fault, "name", "An archive needs a name.");
	if (draft->rule == ARCHIVE_EVENT)
		return refuse(
			fault, "rule", "The rule is spontaneous or cyclic.");
	if (aggregated != (draft->parent != NULL))
		return refuse(fault, "calculation",
			"A parent and a calculation go together.");
	if (aggregated && draft->rule != ARCHIVE_SPONTANEOUS)
		return refuse(fault, "rule",
			"An aggregated archive has a calculation, no rule.");
	if (draft->cycle_s < 0 || draft->cycle_s > ARCHIVE_CYCLE_MAX_S)
		return refuse(
			fault, "cycle", "A cycle has 1 to 31622400 seconds.");
	if (draft->cycle_s == 0 &&
		(aggregated || draft->rule == ARCHIVE_CYCLIC))
		return refuse(fault, "cycle",
			"A cyclic or aggregated archive needs a cycle.");
	if (draft->cycle_s != 0 && !aggregated &&
		draft->rule == ARCHIVE_SPONTANEOUS)
		return refuse(
			fault, "cycle", "A spontaneous archive has no cycle.");
	if (!aggregated && draft->patterns_count == 0)
		return refuse(fault, "variables",
			"Name the variables, for example \"*\".");
	return RC_OK;
}

static enum rc
find_parent(struct db *db, struct arena *arena,
	const struct archive_draft *draft, const struct archive **parent,
	struct fault *fault)
{
	const struct archive *found = NULL;
	enum rc rc;

	*parent = NULL;
	if (draft->parent == NULL)
		return RC_OK;
	rc = archive_find(
		db, arena, draft->datasource_id, draft->parent, &found, fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_NOT_FOUND, "NotFound", "parent",
			"There is no archive \"%s\".", draft->parent);
	if (rc != RC_OK || found == NULL)
		return rc;
	*parent = found;
	if (found->calculation != ARCHIVE_NOT_AGGREGATED &&
		draft->cycle_s % found->cycle_s != 0)
		return refuse(fault, "cycle",
			"The cycle must be a multiple of the parent's.");
	return RC_OK;
}

static bool
is_member(const struct variable_list *list, int32_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].id == id)
			return true;
	return false;
}

/* The variables by pattern, of the parent's when there is one. */
static enum rc
choose_variables(struct db *db, struct arena *arena,
	const struct archive_draft *draft, const struct archive *parent,
	int32_t **ids, size_t *count, struct fault *fault)
{
	static const char *const all[] = {"*"};
	struct variable_list list;
	bool given = draft->patterns_count > 0;
	enum rc rc = variable_query(db, arena, draft->datasource_id,
		given ? draft->patterns : all,
		given ? draft->patterns_count : 1, &list, fault);

	if (rc != RC_OK)
		return rc;
	*ids = arena_array(arena, list.count + 1, sizeof(**ids));
	*count = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct variable *item = &list.items[i];

		if (parent == NULL ||
			(item->kind != VALUE_STRING &&
				is_member(&parent->variables, item->id)))
			(*ids)[(*count)++] = item->id;
	}
	if (*count == 0)
		return refuse(fault, "variables",
			"No variable matches; the plant announces its "
			"variables when it connects.");
	return RC_OK;
}

static enum rc
insert(struct db *db, struct arena *arena, const struct archive_draft *draft,
	const struct archive *parent, const int32_t *ids, size_t count,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc;

	rc = db_find(db, arena, &archive_stmts[ARCHIVE_CREATE],
		PARAMS(P_INT(draft->datasource_id),
			P_TEXT(draft->identification), P_TEXT(draft->name),
			P_TEXT(archive_rule_name(draft->rule)),
			P_INT(draft->cycle_s),
			P_TEXT(archive_calculation_name(draft->calculation)),
			P_INT(parent != NULL ? parent->id : 0)),
		&rows, fault);
	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "Conflict",
			"identification", "There is an archive \"%s\" already.",
			draft->identification);
	if (rc != RC_OK)
		return rc;
	return db_exec(db, &archive_stmts[ARCHIVE_ADD_VARIABLES],
		PARAMS(P_INT(rows_int(rows, 0, 0)), P_SHORTS(ids, count)), NULL,
		fault);
}

enum rc
archive_create(struct db *db, struct arena *arena,
	const struct archive_draft *draft, size_t *variables,
	struct fault *fault)
{
	const struct archive *parent;
	int32_t *ids;
	enum rc rc = check_draft(draft, fault);

	if (rc == RC_OK)
		rc = find_parent(db, arena, draft, &parent, fault);
	if (rc == RC_OK)
		rc = choose_variables(
			db, arena, draft, parent, &ids, variables, fault);
	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = insert(db, arena, draft, parent, ids, *variables, fault);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	return db_commit(db, fault);
}
