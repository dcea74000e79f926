/* alarm_vocabulary: the words of a plant's alarms: stored and asked for. */

#include "model/alarm_vocabulary.h"

#include <string.h>

#include "lib/jsonw.h"

enum {
	STMT_CATEGORY_TWICE,
	STMT_CATEGORIES,
	STMT_FORGET,
	STMT_CAUSE_TWICE,
	STMT_CAUSES,
	STMT_REMOVE,
};

/* What is given: $1 categories. */
#define CATEGORIES                                                             \
	"WITH sent AS ("                                                       \
	"  SELECT * FROM jsonb_to_recordset($1::jsonb) AS s (kind text"        \
	"       , number integer, name text, colour text, description text))"

/* What is given: $1 causes. */
#define CAUSES                                                                 \
	"WITH RECURSIVE sent AS ("                                             \
	"  SELECT * FROM jsonb_to_recordset($1::jsonb) AS s (path text[]"      \
	"       , description text, removed boolean))"

/* Every cause of datasource $2 with the names from the top down to it. */
#define TREE                                                                   \
	", tree AS ("                                                          \
	"  SELECT id, ARRAY[name] AS path"                                     \
	"    FROM alarm_cause"                                                 \
	"   WHERE datasource_id = $2 AND parent_id IS NULL"                    \
	"  UNION ALL"                                                          \
	"  SELECT below.id, tree.path || below.name"                           \
	"    FROM alarm_cause AS below"                                        \
	"    JOIN tree ON below.parent_id = tree.id)"

#define CHANGE_CATEGORY                                                        \
	" DO UPDATE SET name = excluded.name"                                  \
	"       , colour = excluded.colour"                                    \
	"       , description = excluded.description"                          \
	"   WHERE (old.name, old.colour, old.description) IS DISTINCT FROM"    \
	"         (excluded.name, excluded.colour, excluded.description)"      \
	"  RETURNING xmax = 0 AS made)"

#define COUNT_MADE                                                             \
	" SELECT count(*) FILTER (WHERE made)"                                 \
	"     , count(*) FILTER (WHERE NOT made)"

/* Rows that are so already are left alone. $2 is the datasource. */
const struct stmt alarm_vocabulary_stmts[] = {
	[STMT_CATEGORY_TWICE] = {"alarm_vocabulary_category_twice", "t",
		CATEGORIES " SELECT min(kind || ' ' || coalesce(number::text"
			   "         , name))"
			   "  FROM sent"
			   " GROUP BY kind, coalesce(number::text, name)"
			   " HAVING count(*) > 1 LIMIT 1"},
	[STMT_CATEGORIES] = {"alarm_vocabulary_categories", "ti",
		CATEGORIES
		", numbered AS ("
		"  INSERT INTO alarm_category AS old (datasource_id, kind"
		"       , number, name, colour, description)"
		"  SELECT $2, kind, number, name, colour, description"
		"    FROM sent WHERE kind <> 'area' ORDER BY kind, number"
		"  ON CONFLICT (datasource_id, kind, number)"
		"   WHERE kind <> 'area'" CHANGE_CATEGORY ", areas AS ("
		"  INSERT INTO alarm_category AS old (datasource_id, kind"
		"       , name, colour, description)"
		"  SELECT $2, kind, name, colour, description"
		"    FROM sent WHERE kind = 'area' ORDER BY name"
		"  ON CONFLICT (datasource_id, name)"
		"   WHERE kind = 'area'" CHANGE_CATEGORY COUNT_MADE
		"  FROM (SELECT made FROM numbered"
		"        UNION ALL SELECT made FROM areas) AS put"},
	[STMT_FORGET] = {"alarm_vocabulary_forget", "ti",
		CATEGORIES " DELETE FROM alarm_category AS old"
			   " WHERE datasource_id = $2 AND NOT EXISTS ("
			   "  SELECT FROM sent WHERE sent.kind = old.kind"
			   "   AND (sent.number = old.number"
			   "    OR (old.kind = 'area'"
			   "   AND sent.name = old.name)))"},
	[STMT_CAUSE_TWICE] = {"alarm_vocabulary_cause_twice", "t",
		CAUSES " SELECT array_to_string(path, ' / ')"
		       "  FROM sent GROUP BY path"
		       " HAVING count(*) > 1 LIMIT 1"},
	/* Those of level $3, below what is there. */
	[STMT_CAUSES] = {"alarm_vocabulary_causes", "tin",
		CAUSES TREE
		", put AS ("
		"  INSERT INTO alarm_cause AS old (datasource_id, parent_id"
		"       , level, name, description, removed)"
		"  SELECT $2, tree.id, $3, sent.path[$3], description, removed"
		"    FROM sent"
		"    LEFT JOIN tree ON tree.path = sent.path[:$3 - 1]"
		"   WHERE cardinality(sent.path) = $3"
		"   ORDER BY sent.path"
		"  ON CONFLICT (datasource_id, parent_id, name) DO UPDATE"
		"   SET description = excluded.description"
		"     , removed = excluded.removed"
		"   WHERE (old.description, old.removed) IS DISTINCT FROM"
		"         (excluded.description, excluded.removed)"
		"  RETURNING xmax = 0 AS made)" COUNT_MADE " FROM put"},
	[STMT_REMOVE] = {"alarm_vocabulary_remove", "ti",
		CAUSES TREE " UPDATE alarm_cause AS old SET removed = true"
			    "  FROM tree"
			    " WHERE old.id = tree.id AND NOT old.removed"
			    "   AND NOT EXISTS (SELECT FROM sent"
			    "     WHERE sent.path = tree.path)"},
	STMT_END,
};

static enum rc
check_twice(struct db *db, struct arena *arena, int which, const char *text,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_vocabulary_stmts[which],
		PARAMS(P_TEXT(text)), &rows, fault);

	if (rc == RC_NOT_FOUND)
		return RC_OK;
	return rc != RC_OK ? rc
			   : fault_tell(fault, RC_BAD_INPUT, "GivenTwice", NULL,
				     "\"%.150s\" is given twice.",
				     rows_text(rows, 0, 0));
}

static void
count_made(const struct rows *rows, struct alarm_limit_count *counts)
{
	counts->added += rows_int(rows, 0, 0);
	counts->changed += rows_int(rows, 0, 1);
}

static enum rc
put_categories(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *text, struct alarm_limit_count *counts, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = check_twice(db, arena, STMT_CATEGORY_TWICE, text, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena,
			&alarm_vocabulary_stmts[STMT_CATEGORIES],
			PARAMS(P_TEXT(text), P_INT(datasource_id)), &rows,
			fault);
	if (rc == RC_OK)
		count_made(rows, counts);
	return rc;
}

/* Level by level, so that parents are there before their children. */
static enum rc
put_causes(struct db *db, struct arena *arena, int64_t datasource_id,
	const char *text, struct alarm_limit_count *counts, struct fault *fault)
{
	enum rc rc = check_twice(db, arena, STMT_CAUSE_TWICE, text, fault);

	for (int64_t level = 1; rc == RC_OK && level <= ALARM_CAUSE_LEVELS;
		level++) {
		struct rows *rows = NULL;

		rc = db_find(db, arena, &alarm_vocabulary_stmts[STMT_CAUSES],
			PARAMS(P_TEXT(text), P_INT(datasource_id),
				P_SHORT(level)),
			&rows, fault);
		if (rc == RC_OK)
			count_made(rows, counts);
	}
	return rc == RC_OK ? alarm_cause_check_room(
				     db, arena, datasource_id, 0, fault)
			   : rc;
}

/* Those that are not given: names are forgotten, causes marked. */
static enum rc
remove_others(struct db *db, int64_t datasource_id,
	const struct alarm_vocabulary *vocabulary,
	struct alarm_limit_count *counts, struct fault *fault)
{
	int64_t forgotten = 0;
	enum rc rc = db_exec(db, &alarm_vocabulary_stmts[STMT_FORGET],
		PARAMS(P_TEXT(vocabulary->categories), P_INT(datasource_id)),
		&forgotten, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &alarm_vocabulary_stmts[STMT_REMOVE],
			PARAMS(P_TEXT(vocabulary->causes),
				P_INT(datasource_id)),
			&counts->removed, fault);
	counts->removed += forgotten;
	return rc;
}

enum rc
alarm_vocabulary_put(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_vocabulary *vocabulary, enum alarm_limit_mode mode,
	struct alarm_limit_count *counts, struct fault *fault)
{
	enum rc rc = RC_OK;

	*counts = (struct alarm_limit_count){0};
	if (mode == ALARM_LIMIT_REPLACE)
		rc = remove_others(
			db, datasource_id, vocabulary, counts, fault);
	if (rc == RC_OK)
		rc = put_categories(db, arena, datasource_id,
			vocabulary->categories, counts, fault);
	if (rc == RC_OK)
		rc = put_causes(db, arena, datasource_id, vocabulary->causes,
			counts, fault);
	return rc;
}

enum rc
alarm_vocabulary_write(struct db *db, struct arena *arena,
	int64_t datasource_id, struct jsonw *json, struct fault *fault)
{
	struct alarm_category_list list = {0, NULL};
	struct alarm_cause_list causes = {0, NULL};
	enum rc rc =
		alarm_category_query(db, arena, datasource_id, &list, fault);

	if (rc == RC_OK)
		rc = alarm_cause_query(
			db, arena, datasource_id, &causes, fault);
	if (rc != RC_OK)
		return rc;
	jsonw_open_obj(json, NULL);
	for (size_t kind = 0; kind < ALARM_CATEGORY_KINDS; kind++) {
		jsonw_open_arr(json, alarm_category_kinds[kind].many);
		for (size_t i = 0; i < list.count; i++)
			if (strcmp(list.items[i].kind,
				    alarm_category_kinds[kind].one) == 0)
				alarm_category_write(json, &list.items[i]);
		jsonw_close_arr(json);
	}
	alarm_cause_write_tree(json, "causes", &causes, ALARM_CAUSE_BY_NAME);
	jsonw_close_obj(json);
	return RC_OK;
}
