/* node_view: nodes as administrators see them. */

#include "model/node_view.h"

#include <string.h>

#include "lib/clock.h"

enum { STMT_SLICE, STMT_FIND, STMT_RIGHTS, STMT_CERTIFICATES };

/* Places of rows, as places of a slice. */
#define CREATED_AT_PLACE      SLICE_TIME("created_at")
#define SEEN_AT_PLACE         SLICE_TIME("seen_at")
#define CERTIFICATE_END_PLACE SLICE_TIME("certificate_end")

/* What read_view expects, of the query below. */
#define COLUMNS                                                                \
	"uuid, name, kind, state, description, needs_approval, created_at"     \
	", changed_at, seen_at, address, version, spool_frames, spool_bytes"   \
	", lost_samples, spool_oldest_at, clock_offset_us, certificate_end"    \
	", client_id, token_end, waiting_key, waiting_address, waiting_at"     \
	", waiting_approved"

#define VIEW                                                                   \
	"SELECT node.*"                                                        \
	"     , status.seen_at, status.address, status.version"                \
	"     , status.spool_frames, status.spool_bytes"                       \
	"     , status.lost_samples, status.spool_oldest_at"                   \
	"     , status.clock_offset_us"                                        \
	"     , (SELECT max(held.not_after) FROM node_certificate AS held"     \
	"         WHERE held.node_id = node.id AND held.revoked_at IS NULL)"   \
	"       AS certificate_end"                                            \
	"     , (SELECT client.client_id FROM client"                          \
	"         WHERE client.node_id = node.id ORDER BY client.id LIMIT 1)"  \
	"       AS client_id"                                                  \
	"     , (SELECT token.expires_at FROM enrolment_token AS token"        \
	"         WHERE token.node_id = node.id AND token.used_at IS NULL"     \
	"           AND token.wrong < 5 AND token.expires_at > now())"         \
	"       AS token_end"                                                  \
	"     , encode(waiting.key_hash, 'hex') AS waiting_key"                \
	"     , waiting.address AS waiting_address"                            \
	"     , waiting.asked_at AS waiting_at"                                \
	"     , waiting.approved_at IS NOT NULL AS waiting_approved"           \
	"  FROM node"                                                          \
	"  LEFT JOIN node_status AS status ON status.node_id = node.id"        \
	"  LEFT JOIN enrolment_request AS waiting"                             \
	"    ON waiting.node_id = node.id"

const struct stmt node_view_stmts[] = {
	/* $6 search $7 state $8 kind $9 datasource $10 waiting */
	[STMT_SLICE] = {"node_view_slice", SLICE_TYPES "ttttt",
		"SELECT " COLUMNS ", place, id"
		"  FROM (SELECT seen.*"
		"             , CASE $1 WHEN 'name' THEN name"
		"               WHEN 'state' THEN state"
		"               WHEN 'created' THEN" CREATED_AT_PLACE
		"               WHEN 'seen' THEN" SEEN_AT_PLACE
		"               WHEN 'expires' THEN" CERTIFICATE_END_PLACE
		"               END COLLATE \"C\" AS place"
		"          FROM (" VIEW ") AS seen) AS item"
		" WHERE " SLICE_AFTER
		"   AND ($6::text IS NULL OR position(lower($6) IN lower("
		"        name || ' ' || description || ' ' || uuid::text || ' '"
		"        || coalesce(address, ''))) > 0)"
		"   AND ($7::text IS NULL OR state = $7)"
		"   AND ($8::text IS NULL OR kind = $8)"
		"   AND ($9::text IS NULL OR EXISTS"
		"       (SELECT FROM node_datasource AS allowed"
		"          JOIN datasource"
		"            ON datasource.id = allowed.datasource_id"
		"         WHERE allowed.node_id = item.id"
		"           AND datasource.uuid = $9::uuid))"
		"   AND ($10::text IS NULL OR"
		"        ($10 = 'true') = (waiting_key IS NOT NULL"
		"         AND NOT waiting_approved))" SLICE_ORDER},
	[STMT_FIND] = {"node_view_find", "n",
		"SELECT " COLUMNS " FROM (" VIEW ") AS seen WHERE id = $1"},
	[STMT_RIGHTS] = {"node_view_rights", "n",
		"SELECT datasource.uuid"
		"     , datasource.name"
		"     , allowed.publish"
		"     , allowed.subscribe"
		"  FROM node_datasource AS allowed"
		"  JOIN datasource ON datasource.id = allowed.datasource_id"
		" WHERE allowed.node_id = $1"
		" ORDER BY datasource.name LIMIT 10000"},
	[STMT_CERTIFICATES] = {"node_view_certificates", "n",
		"SELECT encode(fingerprint, 'hex')"
		"     , serial"
		"     , issued_at"
		"     , not_before"
		"     , not_after"
		"     , seen_at"
		"     , revoked_at"
		"     , coalesce(reason, CASE WHEN revoked_at IS NOT NULL"
		"                THEN 'revoked' END)"
		"  FROM node_certificate"
		" WHERE node_id = $1"
		" ORDER BY issued_at DESC, fingerprint LIMIT 100"},
	STMT_END,
};

static int64_t
count_or_unknown(const struct rows *rows, size_t row, int column)
{
	return rows_null(rows, row, column) ? -1 : rows_int(rows, row, column);
}

static void
read_view(const struct rows *rows, size_t row, struct node_view *node)
{
	*node = (struct node_view){
		.name = rows_text(rows, row, 1),
		.kind = rows_text(rows, row, 2),
		.state = rows_text(rows, row, 3),
		.description = rows_text(rows, row, 4),
		.needs_approval = rows_bool(rows, row, 5),
		.created_us = rows_time(rows, row, 6),
		.changed_us = rows_time(rows, row, 7),
		.seen_us = rows_time(rows, row, 8),
		.address = rows_text(rows, row, 9),
		.version = rows_text(rows, row, 10),
		.spool_frames = count_or_unknown(rows, row, 11),
		.spool_bytes = count_or_unknown(rows, row, 12),
		.lost_samples = count_or_unknown(rows, row, 13),
		.spool_oldest_us = rows_time(rows, row, 14),
		.has_clock = !rows_null(rows, row, 15),
		.clock_offset_us = rows_int(rows, row, 15),
		.certificate_end_us = rows_time(rows, row, 16),
		.client_id = rows_text(rows, row, 17),
		.token_end_us = rows_time(rows, row, 18),
		.waiting_key = rows_text(rows, row, 19),
		.waiting_address = rows_text(rows, row, 20),
		.waiting_us = rows_time(rows, row, 21),
		.waiting_approved = rows_bool(rows, row, 22),
	};
	memcpy(node->uuid, rows_uuid(rows, row, 0), UUID_BYTES);
}

enum rc
node_view_slice(struct db *db, struct arena *arena,
	const struct node_view_filter *filter, struct slice *slice,
	struct node_view_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &node_view_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search),
			P_TEXT(filter->state), P_TEXT(filter->kind),
			P_TEXT(filter->datasource), P_TEXT(filter->waiting)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, 23);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		read_view(rows, row, &list->items[row]);
	return RC_OK;
}

enum rc
node_view_find(struct db *db, struct arena *arena, int64_t node_id,
	struct node_view *node, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &node_view_stmts[STMT_FIND],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc == RC_OK)
		read_view(rows, 0, node);
	return rc;
}

enum rc
node_view_rights(struct db *db, struct arena *arena, int64_t node_id,
	struct node_view_rights *rights, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &node_view_stmts[STMT_RIGHTS],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	rights->count = rows_count(rows);
	rights->items =
		arena_array(arena, rights->count + 1, sizeof(*rights->items));
	for (size_t row = 0; row < rights->count; row++) {
		struct node_view_right *right = &rights->items[row];

		memcpy(right->datasource, rows_uuid(rows, row, 0), UUID_BYTES);
		right->name = rows_text(rows, row, 1);
		right->publish = rows_bool(rows, row, 2);
		right->subscribe = rows_bool(rows, row, 3);
	}
	return RC_OK;
}

enum rc
node_view_certificates(struct db *db, struct arena *arena, int64_t node_id,
	struct node_view_certificates *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &node_view_stmts[STMT_CERTIFICATES],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		list->items[row] = (struct node_view_certificate){
			.fingerprint = rows_text(rows, row, 0),
			.serial = rows_text(rows, row, 1),
			.issued_us = rows_time(rows, row, 2),
			.not_before_us = rows_time(rows, row, 3),
			.not_after_us = rows_time(rows, row, 4),
			.seen_us = rows_time(rows, row, 5),
			.revoked_us = rows_time(rows, row, 6),
			.reason = rows_text(rows, row, 7),
		};
	return RC_OK;
}
