/* command_parts: what the files of command share. */
#ifndef FG_MODEL_COMMAND_PARTS_H
#define FG_MODEL_COMMAND_PARTS_H

#include "model/command.h"

/* Of "command c", as command_from_row takes them. */
#define COMMAND_COLUMNS                                                        \
	"c.id, c.number, c.datasource_id, c.variable_id"                       \
	", coalesce(c.node_id, 0), v.name, n.name, c.value, c.expected"        \
	", c.old_value, c.comment, c.expires_ms, c.state, c.code, c.message"   \
	", c.late_state, c.actor_kind, c.actor, c.subject, c.client"           \
	", c.address, c.created_at, c.changed_at, c.new_value"                 \
	", c.new_status, c.new_at, c.run"
#define COMMAND_COLUMNS_COUNT 27
/* Behind the table's name. */
#define COMMAND_NAMED                                                          \
	" c JOIN variable v ON v.id = c.variable_id"                           \
	" LEFT JOIN node n ON n.id = c.node_id "

void command_from_row(
	const struct rows *rows, size_t row, struct command *command);

#endif
