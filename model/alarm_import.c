/* alarm_import: alarm histories of other systems into the list. */

#include "model/alarm_import.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

#define BATCH 500 /* each one is joined with itself */

enum { STMT_VARIABLES, STMT_CLASSES, STMT_ADD };

const struct stmt alarm_import_stmts[] = {
	[STMT_VARIABLES] = {"alarm_import_variables", "iT",
		"INSERT INTO variable (datasource_id, name, kind, stepped)"
		" SELECT DISTINCT $1::integer, name, 1, true"
		"  FROM unnest($2) AS name"
		" ON CONFLICT (datasource_id, name) DO NOTHING"},
	/* $1 datasource $2 names */
	[STMT_CLASSES] = {"alarm_import_classes", "iT",
		"INSERT INTO alarm_category (datasource_id, kind, number, name)"
		" SELECT $1, 'class', (SELECT coalesce(max(number), 0)"
		"          FROM alarm_category WHERE datasource_id = $1"
		"           AND kind = 'class')"
		"     + row_number() OVER (ORDER BY wanted.name), wanted.name"
		"  FROM (SELECT DISTINCT name FROM unnest($2) AS name"
		"         WHERE name <> '' AND name !~ '^[0-9]{1,5}$') AS "
		"wanted"
		" WHERE NOT EXISTS (SELECT FROM alarm_category AS old"
		"         WHERE old.datasource_id = $1 AND old.kind = 'class'"
		"           AND old.name = wanted.name)"},
	/* $1 datasource $2 ids $3 variables $4 limits $5 texts $6 classes
	 * $7 came $8 went $9 priority */
	[STMT_ADD] = {"alarm_import_add", "iBTTTTIIn",
		"WITH put AS MATERIALIZED ("
		"  SELECT encode(raw, 'hex')::uuid AS id, v.id AS variable_id"
		"       , limit_name, text, came_us"
		"       , nullif(went, -9223372036854775808) AS went_us"
		"       , CASE WHEN class ~ '^[0-9]{1,5}$' THEN class::integer"
		"              ELSE coalesce((SELECT min(number)"
		"                  FROM alarm_category"
		"                 WHERE datasource_id = $1 AND kind = 'class'"
		"                   AND name = class), 0) END AS number"
		"    FROM unnest($2, $3, $4, $5, $6, $7, $8)"
		"      AS sent (raw, variable, limit_name, text, class, came_us"
		"         , went)"
		"    JOIN variable AS v ON v.datasource_id = $1"
		"     AND v.name = sent.variable)"
		", made AS ("
		"  INSERT INTO alarm (id, datasource_id, variable_id, came_us"
		"       , went_us, changed_us, limit_name, text, class_number"
		"       , priority, must_acknowledge)"
		"  SELECT id, $1, variable_id, came_us, went_us"
		"       , coalesce(went_us, came_us), limit_name, text, number"
		"       , $9, false"
		"    FROM put"
		"  ON CONFLICT (id) DO NOTHING"
		"  RETURNING id)"
		", noted AS ("
		"  INSERT INTO event (datasource_id, variable_id, time_us, kind"
		"       , text, class_number, about)"
		"  SELECT $1, variable_id, step.time_us, step.kind, text, "
		"number"
		"       , put.id"
		"    FROM put JOIN made USING (id)"
		"       , LATERAL (VALUES (came_us, 'alarm.came')"
		"           , (went_us, 'alarm.went')) AS step (time_us, kind)"
		"   WHERE step.time_us IS NOT NULL"
		"   ORDER BY step.time_us)"
		" SELECT count(*) FROM made"},
	STMT_END,
};

/* The columns of a batch, for unnest. */
struct columns {
	struct bytes *ids;
	const char **variables;
	const char **limits;
	const char **texts;
	const char **classes;
	int64_t *came;
	int64_t *went;
};

#define COLUMN(member)                                                         \
	columns->member = arena_array(arena, count, sizeof(*columns->member))

static void
make_columns(struct arena *arena, size_t count, struct columns *columns)
{
	COLUMN(ids);
	COLUMN(variables);
	COLUMN(limits);
	COLUMN(texts);
	COLUMN(classes);
	COLUMN(came);
	COLUMN(went);
}

/* A UUID of version 8 that follows from what the entry says. */
static void
make_id(const struct alarm_old *item, int64_t datasource_id,
	uint8_t id[UUID_BYTES])
{
	crypto_generichash_state state;
	const int64_t numbers[] = {datasource_id, item->came_us, item->went_us};

	crypto_generichash_init(&state, NULL, 0, UUID_BYTES);
	crypto_generichash_update(
		&state, (const uint8_t *)numbers, sizeof(numbers));
	crypto_generichash_update(&state, (const uint8_t *)item->variable,
		strlen(item->variable) + 1);
	crypto_generichash_update(
		&state, (const uint8_t *)item->limit, strlen(item->limit) + 1);
	crypto_generichash_update(
		&state, (const uint8_t *)item->text, strlen(item->text));
	crypto_generichash_final(&state, id, UUID_BYTES);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x80);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

static enum rc
add(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct columns *c, size_t first, size_t count, int64_t priority,
	int64_t *added, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &alarm_import_stmts[STMT_ADD],
		PARAMS(P_INT(datasource_id), P_BLOBS(c->ids + first, count),
			P_TEXTS(c->variables + first, count),
			P_TEXTS(c->limits + first, count),
			P_TEXTS(c->texts + first, count),
			P_TEXTS(c->classes + first, count),
			P_INTS(c->came + first, count),
			P_INTS(c->went + first, count), P_SHORT(priority)),
		&rows, fault);

	if (rc == RC_OK)
		*added += rows_int(rows, 0, 0);
	return rc;
}

static enum rc
fill(struct arena *arena, int64_t datasource_id, const struct alarm_old *items,
	size_t count, struct columns *columns, struct fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *id = arena_alloc(arena, UUID_BYTES);

		if (strlen(items[i].variable) > 256 ||
			strlen(items[i].limit) > 64 ||
			items[i].variable[0] == '\0' ||
			items[i].limit[0] == '\0')
			return fault_set(fault, RC_BAD_INPUT,
				"\"%.80s\" \"%.80s\": a variable has 1 to 256 "
				"bytes, a limit 1 to 64",
				items[i].variable, items[i].limit);
		make_id(&items[i], datasource_id, id);
		columns->ids[i] = (struct bytes){id, UUID_BYTES};
		columns->variables[i] = items[i].variable;
		columns->limits[i] = items[i].limit;
		columns->texts[i] = items[i].text;
		columns->classes[i] = items[i].class_name;
		columns->came[i] = items[i].came_us;
		columns->went[i] = items[i].went_us;
	}
	return RC_OK;
}

enum rc
alarm_import(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_old *items, size_t count, int64_t priority,
	struct alarm_import_count *counts, struct fault *fault)
{
	struct columns columns;
	enum rc rc;

	*counts = (struct alarm_import_count){0};
	make_columns(arena, count, &columns);
	rc = fill(arena, datasource_id, items, count, &columns, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &alarm_import_stmts[STMT_VARIABLES],
			PARAMS(P_INT(datasource_id),
				P_TEXTS(columns.variables, count)),
			&counts->variables, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &alarm_import_stmts[STMT_CLASSES],
			PARAMS(P_INT(datasource_id),
				P_TEXTS(columns.classes, count)),
			NULL, fault);
	for (size_t i = 0; rc == RC_OK && i < count; i += BATCH)
		rc = add(db, arena, datasource_id, &columns, i,
			count - i < BATCH ? count - i : BATCH, priority,
			&counts->added, fault);
	return rc;
}
