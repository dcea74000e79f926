/* alarm_row: an entry of the Alarm Message List as statements select it. */

#include "model/alarm_row.h"

#include <string.h>

#include "lib/clock.h"

/* Where ALARM_COLUMNS has what. */
enum {
	ID = ALARM_COLUMN_ID,
	DATASOURCE,
	VARIABLE,
	VARIABLE_NAME,
	UNIT,
	DESCRIPTION,
	ACCESS,
	LIMIT,
	TEXT,
	VALUE,
	STATUS,
	FLAGS,
	CAME,
	CHANGED,
	MODIFIED,
	REACTIVATED,
	REACTIVATIONS,
	WENT,
	ACKNOWLEDGED,
	SHELVED_UNTIL,
	MUST_ACKNOWLEDGE,
	SUPPRESSED,
	OUT_OF_SERVICE,
	COMMENT_REQUIRED,
	CAUSE_REQUIRED,
	CLASS,
	CLASS_NAME,
	CLASS_COLOUR,
	GROUP,
	GROUP_NAME,
	PRIORITY,
	AREAS,
	USERNAME,
	FULL_NAME,
	COMPUTER,
	COMMENT,
	CAUSE,
	SHELF,
	HUSH = SHELF + 4,
	OUT = HUSH + 3,
	XID = OUT + 3,
};

static int64_t
time_at(const struct rows *rows, size_t row, int column)
{
	return rows_null(rows, row, column) ? CLOCK_NEVER
					    : rows_int(rows, row, column);
}

static struct alarm_facts
facts_at(const struct rows *rows, size_t row)
{
	return (struct alarm_facts){
		.went_us = time_at(rows, row, WENT),
		.acknowledged_us = time_at(rows, row, ACKNOWLEDGED),
		.shelved_until_us = time_at(rows, row, SHELVED_UNTIL),
		.must_acknowledge = rows_bool(rows, row, MUST_ACKNOWLEDGE),
		.suppressed =
			rows_bool(rows, row, SUPPRESSED) ||
			(rows_int(rows, row, FLAGS) & ALARM_SUPPRESSED) != 0,
		.out_of_service = rows_bool(rows, row, OUT_OF_SERVICE),
	};
}

/* A hold has its times first; only shelving has an end. */
static struct alarm_hold
hold_at(const struct rows *rows, size_t row, int column)
{
	int ends = column == SHELF;

	return (struct alarm_hold){
		.since_us = time_at(rows, row, column),
		.until_us = ends ? time_at(rows, row, column + 1) : CLOCK_NEVER,
		.reason = rows_text(rows, row, column + ends + 1),
		.username = rows_text(rows, row, column + ends + 2),
	};
}

static void
from_row(struct arena *arena, const struct rows *rows, size_t row,
	struct alarm *alarm)
{
	*alarm = (struct alarm){
		.datasource_id = rows_int(rows, row, DATASOURCE),
		.variable_id = (int32_t)rows_int(rows, row, VARIABLE),
		.variable = rows_text(rows, row, VARIABLE_NAME),
		.unit = rows_text(rows, row, UNIT),
		.description = rows_text(rows, row, DESCRIPTION),
		.access = (enum variable_access)rows_int(rows, row, ACCESS),
		.limit = rows_text(rows, row, LIMIT),
		.text = rows_text(rows, row, TEXT),
		.value = rows_text(rows, row, VALUE),
		.status = (uint64_t)rows_int(rows, row, STATUS),
		.flags = (uint32_t)rows_int(rows, row, FLAGS),
		.came_us = rows_int(rows, row, CAME),
		.changed_us = rows_int(rows, row, CHANGED),
		.modified_us = rows_time(rows, row, MODIFIED),
		.reactivated_us = time_at(rows, row, REACTIVATED),
		.reactivations = rows_int(rows, row, REACTIVATIONS),
		.facts = facts_at(rows, row),
		.comment_required = rows_bool(rows, row, COMMENT_REQUIRED),
		.cause_required = rows_bool(rows, row, CAUSE_REQUIRED),
		.class_number = rows_int(rows, row, CLASS),
		.class_name = rows_text(rows, row, CLASS_NAME),
		.class_colour = rows_text(rows, row, CLASS_COLOUR),
		.group_number = rows_int(rows, row, GROUP),
		.group_name = rows_text(rows, row, GROUP_NAME),
		.priority = rows_int(rows, row, PRIORITY),
		.areas = rows_texts(rows, arena, row, AREAS),
		.username = rows_text(rows, row, USERNAME),
		.full_name = rows_text(rows, row, FULL_NAME),
		.computer = rows_text(rows, row, COMPUTER),
		.comment = rows_text(rows, row, COMMENT),
		.cause = rows_texts(rows, arena, row, CAUSE),
		.shelved = hold_at(rows, row, SHELF),
		.suppressed = hold_at(rows, row, HUSH),
		.out_of_service = hold_at(rows, row, OUT),
		.xid = rows_int(rows, row, XID),
	};
	memcpy(alarm->id, rows_uuid(rows, row, ID), UUID_BYTES);
}

void
alarm_row_take(struct arena *arena, const struct rows *rows, size_t count,
	struct alarm_list *list)
{
	list->count = count;
	list->items = arena_array(arena, count + 1, sizeof(*list->items));
	for (size_t i = 0; i < count; i++)
		from_row(arena, rows, i, &list->items[i]);
}
