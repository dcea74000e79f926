/* catalog: which datasources and variables there are. */

#include "model/catalog.h"

enum {
	DATASOURCES,
	DATASOURCE_ONE,
	VARIABLES,
	VARIABLES_ONE,
	DECLARE,
	IDS,
};

#define VARIABLE_COLUMNS                                                       \
	"SELECT v.id"                                                          \
	"     , v.datasource_id"                                               \
	"     , v.name"                                                        \
	"     , v.unit"                                                        \
	"     , v.description"                                                 \
	"     , v.kind"                                                        \
	"     , v.access"                                                      \
	"     , v.decimals"                                                    \
	"     , v.stepped"                                                     \
	"     , v.minimum"                                                     \
	"     , v.maximum"                                                     \
	"  FROM variable v"

const struct stmt catalog_stmts[] = {
	[DATASOURCES] = {"catalog_datasources", "",
		"SELECT id, uuid, name FROM datasource"},
	[DATASOURCE_ONE] = {"catalog_datasource_one", "u", /* $1 uuid */
		"SELECT id, uuid, name FROM datasource WHERE uuid = $1"},
	[VARIABLES] = {"catalog_variables", "", VARIABLE_COLUMNS},
	[VARIABLES_ONE] = {"catalog_variables_one", "u", /* $1 uuid */
		VARIABLE_COLUMNS "  JOIN datasource d ON d.id = v.datasource_id"
				 " WHERE d.uuid = $1"},
	/* $1 datasource $2 names $3 kinds $4 units $5 decimals $6 minimums
	 * $7 maximums $8 stepped $9 accesses $10 descriptions. Rows that are
	 * as declared are not written again; a kind never changes. */
	[DECLARE] = {"catalog_declare", "nTNTNDDNNT",
		"INSERT INTO variable AS v (datasource_id, name, kind, unit"
		"     , decimals, minimum, maximum, stepped, access"
		"     , description)"
		" SELECT $1, n.name, n.kind, n.unit, n.decimals"
		"     , nullif(n.minimum, 'NaN'), nullif(n.maximum, 'NaN')"
		"     , n.stepped <> 0, n.access, n.description"
		"  FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)"
		"    AS n (name, kind, unit, decimals, minimum, maximum"
		"     , stepped, access, description)"
		" ORDER BY n.name"
		" ON CONFLICT (datasource_id, name) DO UPDATE"
		"   SET unit = excluded.unit"
		"     , decimals = excluded.decimals"
		"     , minimum = excluded.minimum"
		"     , maximum = excluded.maximum"
		"     , stepped = excluded.stepped"
		"     , access = excluded.access"
		"     , description = excluded.description"
		" WHERE v.kind = excluded.kind"
		"   AND (v.unit, v.decimals, v.minimum, v.maximum, v.stepped"
		"     , v.access, v.description)"
		"   IS DISTINCT FROM (excluded.unit, excluded.decimals"
		"     , excluded.minimum, excluded.maximum, excluded.stepped"
		"     , excluded.access, excluded.description)"},
	[IDS] = {"catalog_ids", "nT", /* $1 datasource $2 names */
		"SELECT v.id"
		"     , v.kind"
		"  FROM unnest($2) WITH ORDINALITY AS n (name, ordinal)"
		"  JOIN variable v"
		"    ON v.datasource_id = $1 AND v.name = n.name"
		" ORDER BY n.ordinal"},
	STMT_END,
};

static void
define_datasources(struct image *image, const struct rows *rows)
{
	for (size_t i = 0; i < rows_count(rows); i++)
		image_define_datasource(image, (int32_t)rows_int(rows, i, 0),
			rows_uuid(rows, i, 1), rows_text(rows, i, 2));
}

static void
read_meta(const struct rows *rows, size_t row, struct image_meta *meta)
{
	meta->id = (int32_t)rows_int(rows, row, 0);
	meta->datasource_id = (int32_t)rows_int(rows, row, 1);
	meta->name = rows_text(rows, row, 2);
	meta->unit = rows_text(rows, row, 3);
	meta->description = rows_text(rows, row, 4);
	meta->kind = (enum value_kind)rows_int(rows, row, 5);
	meta->access = (enum image_access)rows_int(rows, row, 6);
	meta->decimals = (int)rows_int(rows, row, 7);
	meta->stepped = rows_bool(rows, row, 8);
	meta->minimum = rows_num(rows, row, 9);
	meta->maximum = rows_num(rows, row, 10);
}

static void
define_variables(
	struct image *image, struct arena *arena, const struct rows *rows)
{
	size_t count = rows_count(rows);
	struct image_meta *metas = arena_array(arena, count, sizeof(*metas));

	for (size_t i = 0; i < count; i++)
		read_meta(rows, i, &metas[i]);
	image_define(image, metas, count);
}

enum rc
catalog_read(struct db *db, struct arena *arena, struct image *image,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &catalog_stmts[DATASOURCES], NO_PARAMS,
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	define_datasources(image, rows);
	rc = db_query(
		db, arena, &catalog_stmts[VARIABLES], NO_PARAMS, &rows, fault);
	if (rc == RC_OK)
		define_variables(image, arena, rows);
	return rc;
}

enum rc
catalog_read_one(struct db *db, struct arena *arena, struct image *image,
	const uint8_t uuid[16], struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &catalog_stmts[DATASOURCE_ONE],
		PARAMS(P_UUID(uuid)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	define_datasources(image, rows);
	rc = db_query(db, arena, &catalog_stmts[VARIABLES_ONE],
		PARAMS(P_UUID(uuid)), &rows, fault);
	if (rc == RC_OK)
		define_variables(image, arena, rows);
	return rc;
}

#define COLUMN(name, type) type *name = arena_array(arena, count, sizeof(*name))

static enum rc
write_variables(struct db *db, struct arena *arena,
	const struct image_meta *metas, size_t count, const char *const *names,
	struct fault *fault)
{
	COLUMN(kinds, int32_t);
	COLUMN(units, const char *);
	COLUMN(decimals, int32_t);
	COLUMN(minimums, double);
	COLUMN(maximums, double);
	COLUMN(stepped, int32_t);
	COLUMN(accesses, int32_t);
	COLUMN(descriptions, const char *);

	for (size_t i = 0; i < count; i++) {
		kinds[i] = (int32_t)metas[i].kind;
		units[i] = metas[i].unit;
		decimals[i] = metas[i].decimals;
		minimums[i] = metas[i].minimum;
		maximums[i] = metas[i].maximum;
		stepped[i] = metas[i].stepped;
		accesses[i] = (int32_t)metas[i].access;
		descriptions[i] = metas[i].description;
	}
	return db_exec(db, &catalog_stmts[DECLARE],
		PARAMS(P_SHORT(metas[0].datasource_id), P_TEXTS(names, count),
			P_SHORTS(kinds, count), P_TEXTS(units, count),
			P_SHORTS(decimals, count), P_NUMS(minimums, count),
			P_NUMS(maximums, count), P_SHORTS(stepped, count),
			P_SHORTS(accesses, count),
			P_TEXTS(descriptions, count)),
		NULL, fault);
}

static enum rc
read_ids(struct db *db, struct arena *arena, struct image_meta *metas,
	size_t count, const char *const *names, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &catalog_stmts[IDS],
		PARAMS(P_SHORT(metas[0].datasource_id), P_TEXTS(names, count)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) != count)
		return fault_set(fault, RC_RETRY, "a variable vanished");
	for (size_t i = 0; i < count; i++) {
		metas[i].id = (int32_t)rows_int(rows, i, 0);
		if (rows_int(rows, i, 1) != (int64_t)metas[i].kind)
			return fault_tell(fault, RC_CONFLICT, "TypeChanged",
				"variables",
				"\"%.150s\" exists with another type; a new "
				"type needs a new name.",
				metas[i].name);
	}
	return RC_OK;
}

enum rc
catalog_declare(struct db *db, struct arena *arena, struct image_meta *metas,
	size_t count, struct fault *fault)
{
	COLUMN(names, const char *);
	enum rc rc;

	if (count == 0)
		return RC_OK;
	for (size_t i = 0; i < count; i++)
		names[i] = metas[i].name;
	rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc == RC_OK)
		rc = write_variables(db, arena, metas, count, names, fault);
	if (rc == RC_OK)
		rc = read_ids(db, arena, metas, count, names, fault);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}
