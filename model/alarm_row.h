/*
 * alarm_row: an entry of the Alarm Message List as statements select it.
 *
 * A statement selects one column of its own, such as the place in an order, and
 * ALARM_COLUMNS behind it, of rows "a" of the table alarm with ALARM_JOINS.
 */
#ifndef FG_MODEL_ALARM_ROW_H
#define FG_MODEL_ALARM_ROW_H

#include "model/alarm.h"

/* What is told of an alarm "a" of a variable "v". */
#define ALARM_COLUMNS                                                          \
	"  a.id, a.datasource_id, a.variable_id, v.name, v.unit"               \
	", v.description, v.access, a.limit_name, a.text, a.value, a.status"   \
	", a.flags, a.came_us, a.changed_us, a.changed_at, a.reactivated_us"   \
	", a.reactivations, a.went_us, a.acknowledged_us, a.shelved_until_us"  \
	", a.must_acknowledge, a.suppressed, a.out_of_service"                 \
	", a.comment_required, a.cause_required, a.class_number"               \
	", (SELECT name FROM alarm_category AS c"                              \
	"    WHERE c.datasource_id = a.datasource_id AND c.kind = 'class'"     \
	"      AND c.number = a.class_number)"                                 \
	", (SELECT colour FROM alarm_category AS c"                            \
	"    WHERE c.datasource_id = a.datasource_id AND c.kind = 'class'"     \
	"      AND c.number = a.class_number)"                                 \
	", a.group_number, (SELECT name FROM alarm_category AS c"              \
	"    WHERE c.datasource_id = a.datasource_id AND c.kind = 'group'"     \
	"      AND c.number = a.group_number)"                                 \
	", a.priority, a.areas, a.username, a.full_name, a.computer"           \
	", a.comment, a.cause, hold.*, a.xid::text::bigint "

/* What is joined is looked up for each row, by an index. These are no joins
 * that the planner could turn round: to plan many of them takes longer than to
 * read the rows of a page. */
#define ALARM_HOLDS_OF_IT                                                      \
	"  CROSS JOIN LATERAL (SELECT"                                         \
	" max(since_us) FILTER (WHERE kind = 'shelved')"                       \
	", max(until_us) FILTER (WHERE kind = 'shelved')"                      \
	", max(reason) FILTER (WHERE kind = 'shelved')"                        \
	", max(username) FILTER (WHERE kind = 'shelved')"                      \
	", max(since_us) FILTER (WHERE kind = 'suppressed')"                   \
	", max(reason) FILTER (WHERE kind = 'suppressed')"                     \
	", max(username) FILTER (WHERE kind = 'suppressed')"                   \
	", max(since_us) FILTER (WHERE kind = 'out_of_service')"               \
	", max(reason) FILTER (WHERE kind = 'out_of_service')"                 \
	", max(username) FILTER (WHERE kind = 'out_of_service')"               \
	"  FROM alarm_hold AS h WHERE h.variable_id = a.variable_id"           \
	"   AND h.limit_name = a.limit_name) AS hold"
#define ALARM_VARIABLE_OF_IT                                                   \
	" LATERAL (SELECT name, unit, description, access FROM variable"       \
	"           WHERE id = a.variable_id OFFSET 0) AS v ON true"
#define ALARM_JOINS      "  JOIN" ALARM_VARIABLE_OF_IT ALARM_HOLDS_OF_IT
#define ALARM_SIDE_JOINS "  LEFT JOIN" ALARM_VARIABLE_OF_IT ALARM_HOLDS_OF_IT

/* Null in a row that is there for the statement's own column only. */
#define ALARM_COLUMN_ID 1

/* The first "count" rows. Owns: lives in "arena"; texts are those of "rows". */
void alarm_row_take(struct arena *arena, const struct rows *rows, size_t count,
	struct alarm_list *list);

#endif
