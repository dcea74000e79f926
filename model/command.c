/* command: the record of what was to be written, and what came of it. */

#include "model/command.h"

#include <string.h>

#include "lib/clock.h"
#include "model/command_parts.h"
#include "model/event.h"

/* Others' commands are left to them for so long. */
#define OTHERS_US (2 * CLOCK_SECOND_US)
/* By the database's clock, where the hub's own cannot tell. */
#define OVER_AT "created_at + (expires_ms + 1000) * interval '1 millisecond'"

enum { TARGETS, NOTE_NODE, CREATE, FINISH, NOTE_LATE, EXPIRE, FIND };

const struct stmt command_stmts[] = {
	/* $1 variables */
	[TARGETS] = {"command_targets", "N",
		"SELECT v.id, v.select_first, coalesce(n.id, 0)"
		"     , coalesce(s.run::text, '')"
		"  FROM unnest($1) WITH ORDINALITY AS want (id, place)"
		"  JOIN variable v USING (id)"
		"  LEFT JOIN variable_node d ON d.variable_id = v.id"
		"  LEFT JOIN node_datasource l ON l.node_id = d.node_id"
		"   AND l.datasource_id = v.datasource_id AND l.publish"
		"  LEFT JOIN node n ON n.id = l.node_id"
		"   AND n.state = 'authorised'"
		"  LEFT JOIN node_stream s ON s.node_id = n.id"
		" ORDER BY place, d.declared_at DESC, n.id"},
	/* $1 node $2 variables */
	[NOTE_NODE] = {"command_note_node", "nN",
		"INSERT INTO variable_node (variable_id, node_id)"
		" SELECT id, $1 FROM unnest($2) AS id ORDER BY id"
		" ON CONFLICT (variable_id, node_id) DO UPDATE"
		"   SET declared_at = now()"},
	/* $1 ids $2 datasources $3 variables $4 nodes $5 values $6 expected
	 * $7 comments $8 states $9 codes $10 messages $11 old values; $12 hub
	 * $13 boot $14 expiry $15 ms; $16 who, five texts, and the request; $22
	 * run */
	[CREATE] = {"command_create", "TNNNTTTTTTTtuinttttttt",
		"INSERT INTO command (id, datasource_id, variable_id, node_id"
		"     , value, expected, comment, state, code, message"
		"     , old_value, hub"
		"     , boot, expires_us, expires_ms, actor_kind, actor"
		"     , subject, client, address, request, run)"
		" SELECT id::uuid, datasource_id, variable_id"
		"     , nullif(node_id, 0), value, expected, comment, state"
		"     , code, message, old_value, $12, $13, $14, $15, $16, $17"
		"     , $18, $19, $20, $21, $22::uuid"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		"    AS put (id, datasource_id, variable_id, node_id, value"
		"     , expected, comment, state, code, message, old_value)"},
	/* $1 id $2 node $3 state $4 code $5 message $6 old value $7 boot
	 * $8 now, less the grace $9 new value $10 its status $11 its time */
	[FINISH] = {"command_finish", "unttttuitiz",
		"UPDATE command"
		"   SET state = $3, code = $4, message = $5"
		"     , old_value = coalesce($6, old_value), changed_at = "
		"clock_timestamp()"
		"     , new_value = $9, new_status = $10, new_at = $11"
		" WHERE id = $1 AND node_id = $2 AND state = 'sent'"
		"   AND CASE WHEN boot = $7 THEN expires_us > $8"
		"       ELSE " OVER_AT " > clock_timestamp() END"},
	/* $1 id $2 node $3 state */
	[NOTE_LATE] = {"command_note_late", "unt",
		"UPDATE command SET late_state = $3"
		" WHERE id = $1 AND node_id = $2 AND state = 'expired'"
		"   AND late_state IS NULL"},
	/* $1 run $2 boot $3 now, less the grace $4 and for others' */
	[EXPIRE] = {"command_expire", "tuii",
		"WITH over AS ("
		" UPDATE command"
		"    SET state = 'expired', code = 'NoConfirmation'"
		"      , message = 'No confirmation came in time; the value "
		"may "
		"have been written all the same.'"
		"      , changed_at = clock_timestamp()"
		"  WHERE state = 'sent' AND CASE WHEN boot = $2"
		"    THEN expires_us <= CASE WHEN run = $1::uuid"
		"                            THEN $3::bigint ELSE $4 END"
		"    ELSE " OVER_AT " <= clock_timestamp()"
		"                        - interval '5 seconds' END"
		"  RETURNING *)"
		"SELECT " COMMAND_COLUMNS " FROM over" COMMAND_NAMED
		"ORDER BY c.number"},
	[FIND] = {"command_find", "u",
		"SELECT " COMMAND_COLUMNS " FROM command" COMMAND_NAMED
		"WHERE c.id = $1"},
	STMT_END,
};

/* --- reading ---------------------------------------------------------------
 */

void
command_from_row(const struct rows *rows, size_t row, struct command *command)
{
	memcpy(command->id, rows_uuid(rows, row, 0), UUID_BYTES);
	command->number = rows_int(rows, row, 1);
	command->datasource_id = (int32_t)rows_int(rows, row, 2);
	command->variable_id = (int32_t)rows_int(rows, row, 3);
	command->node_id = (int32_t)rows_int(rows, row, 4);
	command->variable = rows_text(rows, row, 5);
	command->node = rows_text(rows, row, 6);
	command->value = rows_text(rows, row, 7);
	command->expected = rows_text(rows, row, 8);
	command->old_value = rows_text(rows, row, 9);
	command->comment = rows_text(rows, row, 10);
	command->expires_ms = rows_int(rows, row, 11);
	command->state = rows_text(rows, row, 12);
	command->code = rows_text(rows, row, 13);
	command->message = rows_text(rows, row, 14);
	command->late_state = rows_text(rows, row, 15);
	command->actor_kind = rows_text(rows, row, 16);
	command->actor = rows_text(rows, row, 17);
	command->subject = rows_text(rows, row, 18);
	command->client = rows_text(rows, row, 19);
	command->address = rows_text(rows, row, 20);
	command->created_us = rows_time(rows, row, 21);
	command->changed_us = rows_time(rows, row, 22);
	command->new_value = rows_text(rows, row, 23);
	command->new_status = (uint64_t)rows_int(rows, row, 24);
	command->new_us = rows_time(rows, row, 25);
	memcpy(command->run, rows_uuid(rows, row, 26), UUID_BYTES);
}

static void
take_rows(
	struct arena *arena, const struct rows *rows, struct command_list *list)
{
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		command_from_row(rows, i, &list->items[i]);
}

enum rc
command_find(struct db *db, struct arena *arena, const uint8_t id[UUID_BYTES],
	struct command *command, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &command_stmts[FIND],
		PARAMS(P_UUID(id)), &rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, rc, "CommandNotFound", NULL,
			"There is no such command.");
	if (rc == RC_OK)
		command_from_row(rows, 0, command);
	return rc;
}

/* --- where a variable is written -------------------------------------------
 */

/* One row for each pair; a variable that no node may publish has one with
 * node 0. */
static void
take_targets(struct arena *arena, const struct rows *rows,
	struct command_target *targets, size_t count)
{
	int32_t *nodes = arena_array(arena, rows_count(rows), sizeof(*nodes));
	const char **runs = arena_array(arena, rows_count(rows), sizeof(*runs));
	size_t row = 0;
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct command_target *target = &targets[i];

		target->node_ids = nodes + used;
		target->runs = runs + used;
		for (; row < rows_count(rows) &&
			rows_int(rows, row, 0) == target->variable_id;
			row++) {
			target->select_first = rows_bool(rows, row, 1);
			if (rows_int(rows, row, 2) == 0)
				continue;
			runs[used] = rows_text(rows, row, 3);
			nodes[used++] = (int32_t)rows_int(rows, row, 2);
			target->count++;
		}
	}
}

enum rc
command_targets(struct db *db, struct arena *arena, const int32_t *variable_ids,
	size_t count, struct command_target *targets, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &command_stmts[TARGETS],
		PARAMS(P_SHORTS(variable_ids, count)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		targets[i] =
			(struct command_target){.variable_id = variable_ids[i]};
	take_targets(arena, rows, targets, count);
	return RC_OK;
}

enum rc
command_note_node(struct db *db, int64_t node_id, const int32_t *variable_ids,
	size_t count, struct fault *fault)
{
	return db_exec(db, &command_stmts[NOTE_NODE],
		PARAMS(P_SHORT(node_id), P_SHORTS(variable_ids, count)), NULL,
		fault);
}

/* --- events ----------------------------------------------------------------
 */

static struct event_new
step_of(const struct command *command, const char *kind)
{
	return (struct event_new){.datasource_id = command->datasource_id,
		.variable_id = command->variable_id,
		.time_us = CLOCK_NEVER,
		.kind = kind,
		.text = command->message,
		.value = command->value,
		.old_value = command->old_value,
		.username = command->actor,
		.computer = command->node != NULL ? command->node
						  : command->address,
		.comment = command->comment,
		.about = command->id};
}

/* "confirmed" -> "command.confirmed" */
static const char *
step_kind(struct arena *arena, const struct command *command)
{
	return arena_printf(arena, "command.%s", command->state);
}

/* --- life ------------------------------------------------------------------
 */

/* The items as the columns that CREATE takes. */
struct columns {
	const char **ids;
	int32_t *datasources;
	int32_t *variables;
	int32_t *nodes;
	const char **values;
	const char **expected;
	const char **comments;
	const char **states;
	const char **codes;
	const char **messages;
	const char **old_values;
};

#define COLUMN(member)                                                         \
	columns->member = arena_array(arena, count, sizeof(*columns->member))

static void
make_columns(struct arena *arena, const struct command *items, size_t count,
	struct columns *columns)
{
	COLUMN(ids);
	COLUMN(datasources);
	COLUMN(variables);
	COLUMN(nodes);
	COLUMN(values);
	COLUMN(expected);
	COLUMN(comments);
	COLUMN(states);
	COLUMN(codes);
	COLUMN(messages);
	COLUMN(old_values);
	for (size_t i = 0; i < count; i++) {
		char id[UUID_TEXT_BYTES];

		uuid_format(id, items[i].id);
		columns->ids[i] = arena_strdup(arena, id);
		columns->datasources[i] = items[i].datasource_id;
		columns->variables[i] = items[i].variable_id;
		columns->nodes[i] = items[i].node_id;
		columns->values[i] = items[i].value;
		columns->expected[i] = items[i].expected;
		columns->comments[i] = items[i].comment;
		columns->states[i] = items[i].state;
		columns->codes[i] = items[i].code;
		columns->messages[i] = items[i].message;
		columns->old_values[i] = items[i].old_value;
	}
}

/* Two events for each: that it was asked for, and what became of that. */
static enum rc
tell_created(struct db *db, struct arena *arena,
	const struct audit_actor *actor, const struct command *items,
	size_t count, struct fault *fault)
{
	struct event_new *events =
		arena_array(arena, 2 * count, sizeof(*events));

	for (size_t i = 0; i < count; i++) {
		struct event_new *asked = &events[2 * i];
		struct event_new *next = asked + 1;

		*asked = step_of(&items[i], "command.requested");
		asked->text = "";
		asked->username = actor->name;
		asked->computer = actor->address;
		*next = step_of(&items[i], step_kind(arena, &items[i]));
		next->username = actor->name;
		next->computer = actor->address;
	}
	return event_write(db, arena, events, 2 * count, fault);
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

enum rc
command_create(struct db *db, struct arena *arena,
	const struct audit_actor *actor, const struct command_clock *clock,
	const struct command *items, size_t count, struct fault *fault)
{
	struct columns columns;
	enum rc rc;

	make_columns(arena, items, count, &columns);
	rc = db_exec(db, &command_stmts[CREATE],
		PARAMS(P_TEXTS(columns.ids, count),
			P_SHORTS(columns.datasources, count),
			P_SHORTS(columns.variables, count),
			P_SHORTS(columns.nodes, count),
			P_TEXTS(columns.values, count),
			P_TEXTS(columns.expected, count),
			P_TEXTS(columns.comments, count),
			P_TEXTS(columns.states, count),
			P_TEXTS(columns.codes, count),
			P_TEXTS(columns.messages, count),
			P_TEXTS(columns.old_values, count), P_TEXT(clock->hub),
			P_UUID(clock->boot),
			P_INT(clock->now_us + items[0].expires_ms * 1000),
			P_SHORT(items[0].expires_ms),
			P_TEXT(or_empty(actor->kind)),
			P_TEXT(or_empty(actor->name)),
			P_TEXT(or_empty(actor->subject)),
			P_TEXT(or_empty(actor->client)),
			P_TEXT(or_empty(actor->address)),
			P_TEXT(or_empty(actor->request)), P_TEXT(clock->run)),
		NULL, fault);
	return rc == RC_OK ? tell_created(db, arena, actor, items, count, fault)
			   : rc;
}

/* Why a result was not taken. What is another node's does not exist. */
static enum rc
refuse_result(struct db *db, const struct command_result *result,
	const struct command *command, struct fault *fault)
{
	enum rc rc;

	if (command->node_id != result->node_id)
		return fault_tell(fault, RC_NOT_FOUND, "CommandNotFound", NULL,
			"There is no such command.");
	rc = db_exec(db, &command_stmts[NOTE_LATE],
		PARAMS(P_UUID(result->id), P_SHORT(result->node_id),
			P_TEXT(result->state)),
		NULL, fault);
	if (rc != RC_OK)
		return rc;
	return fault_tell(fault, RC_CONFLICT, "CommandOver", NULL,
		"The command is %s already.",
		strcmp(command->state, COMMAND_SENT) == 0 ? COMMAND_EXPIRED
							  : command->state);
}

enum rc
command_finish(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct command_result *result,
	struct command *command, struct fault *fault)
{
	struct event_new event;
	int64_t changed = 0;
	enum rc rc = db_exec(db, &command_stmts[FINISH],
		PARAMS(P_UUID(result->id), P_SHORT(result->node_id),
			P_TEXT(result->state), P_TEXT(result->code),
			P_TEXT(result->message), P_TEXT(result->old_value),
			P_UUID(clock->boot),
			P_INT(clock->now_us - COMMAND_GRACE_US),
			P_TEXT(result->new_value),
			result->new_value != NULL
				? P_INT((int64_t)result->new_status)
				: P_NULL('i'),
			P_TIME(result->new_us)),
		&changed, fault);

	if (rc == RC_OK)
		rc = command_find(db, arena, result->id, command, fault);
	if (rc != RC_OK)
		return rc;
	if (changed == 0)
		return refuse_result(db, result, command, fault);
	event = step_of(command, step_kind(arena, command));
	return event_write(db, arena, &event, 1, fault);
}

enum rc
command_expire(struct db *db, struct arena *arena,
	const struct command_clock *clock, struct command_list *expired,
	struct fault *fault)
{
	struct event_new *events;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &command_stmts[EXPIRE],
		PARAMS(P_TEXT(clock->run), P_UUID(clock->boot),
			P_INT(clock->now_us - COMMAND_GRACE_US),
			P_INT(clock->now_us - COMMAND_GRACE_US - OTHERS_US)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	take_rows(arena, rows, expired);
	if (expired->count == 0)
		return RC_OK;
	events = arena_array(arena, expired->count, sizeof(*events));
	for (size_t i = 0; i < expired->count; i++)
		events[i] = step_of(&expired->items[i], "command.expired");
	return event_write(db, arena, events, expired->count, fault);
}
