/* event_write: events of the services themselves. */

#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/utf8.h"
#include "model/caller.h"
#include "model/event.h"
#include "model/event_kind.h"

#define NAME_BYTES 256
#define TEXT_BYTES 4096

enum { EVENT_WRITE };

const struct stmt event_write_stmts[] = {
	/* $1 datasources $2 variables $3 times $4 kinds $5 texts $6 values
	 * $7 old values $8 users $9 computers $10 comments $11 classes
	 * $12 groups $13 what they are about */
	[EVENT_WRITE] = {"event_write", "NNITTTTTTTNNB",
		"INSERT INTO event (datasource_id, variable_id, time_us, kind"
		"     , text, value, old_value, username, full_name, computer"
		"     , comment, class_number, group_number, about)"
		" SELECT nullif(e.datasource_id, 0), nullif(e.variable_id, 0)"
		"     , e.time_us, e.kind, e.text, e.value, e.old_value"
		"     , e.username"
		"     , (SELECT nullif(a.full_name, '') FROM account a"
		"         WHERE a.name = e.username)"
		"     , e.computer, e.comment, nullif(e.class_number, 0)"
		"     , nullif(e.group_number, 0), encode(e.about, 'hex')::uuid"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
		"            , $12, $13)"
		"    AS e (datasource_id, variable_id, time_us, kind, text"
		"        , value, old_value, username, computer, comment"
		"        , class_number, group_number, about)"},
	STMT_END,
};

/* The columns, for unnest. */
struct columns {
	int32_t *datasources;
	int32_t *variables;
	int64_t *times;
	const char **kinds;
	const char **texts;
	const char **values;
	const char **old_values;
	const char **usernames;
	const char **computers;
	const char **comments;
	int32_t *classes;
	int32_t *groups;
	struct bytes *abouts;
};

#define COLUMN(member)                                                         \
	columns->member = arena_array(arena, count, sizeof(*columns->member))

static void
make_columns(struct arena *arena, size_t count, struct columns *columns)
{
	COLUMN(datasources);
	COLUMN(variables);
	COLUMN(times);
	COLUMN(kinds);
	COLUMN(texts);
	COLUMN(values);
	COLUMN(old_values);
	COLUMN(usernames);
	COLUMN(computers);
	COLUMN(comments);
	COLUMN(classes);
	COLUMN(groups);
	COLUMN(abouts);
}

/* Names and words come from outside: what is not text becomes '?', and what
 * is too long is cut. */
static const char *
clean(struct arena *arena, const char *text, size_t most)
{
	char *out;
	size_t used = 0;

	if (text == NULL)
		return NULL;
	out = arena_alloc(arena, most + 1);
	while (*text != '\0') {
		size_t length = utf8_sequence(text, strlen(text));

		if (used + (length > 0 ? length : 1) > most)
			break;
		if (length == 0) {
			out[used++] = '?';
			text++;
		} else {
			memcpy(out + used, text, length);
			used += length;
			text += length;
		}
	}
	out[used] = '\0';
	return out;
}

static void
add(struct arena *arena, struct columns *columns, size_t at,
	const struct event_new *event)
{
	columns->datasources[at] = (int32_t)event->datasource_id;
	columns->variables[at] = event->variable_id;
	columns->times[at] =
		event->time_us == CLOCK_NEVER ? clock_now_us() : event->time_us;
	columns->kinds[at] = event->kind;
	columns->texts[at] = clean(arena, event->text, TEXT_BYTES);
	columns->values[at] = clean(arena, event->value, TEXT_BYTES);
	columns->old_values[at] = clean(arena, event->old_value, TEXT_BYTES);
	columns->usernames[at] = clean(arena, event->username, NAME_BYTES);
	columns->computers[at] = clean(arena, event->computer, NAME_BYTES);
	columns->comments[at] = clean(arena, event->comment, TEXT_BYTES);
	columns->classes[at] = event->class_number;
	columns->groups[at] = event->group_number;
	columns->abouts[at] = (struct bytes){event->about, UUID_BYTES};
}

enum rc
event_write(struct db *db, struct arena *arena, const struct event_new *events,
	size_t count, struct fault *fault)
{
	struct columns c;

	if (count == 0)
		return RC_OK;
	make_columns(arena, count, &c);
	for (size_t i = 0; i < count; i++) {
		if (!event_kind_is_known(events[i].kind))
			return fault_set(fault, RC_BUG,
				"model/event_kind.c does not have %s",
				events[i].kind);
		add(arena, &c, i, &events[i]);
	}
	return db_exec(db, &event_write_stmts[EVENT_WRITE],
		PARAMS(P_SHORTS(c.datasources, count),
			P_SHORTS(c.variables, count), P_INTS(c.times, count),
			P_TEXTS(c.kinds, count), P_TEXTS(c.texts, count),
			P_TEXTS(c.values, count), P_TEXTS(c.old_values, count),
			P_TEXTS(c.usernames, count),
			P_TEXTS(c.computers, count), P_TEXTS(c.comments, count),
			P_SHORTS(c.classes, count), P_SHORTS(c.groups, count),
			P_BLOBS(c.abouts, count)),
		NULL, fault);
}

void
event_of_caller(const struct req *req, struct event_new *event)
{
	event->username =
		req->caller->kind == CALLER_NOBODY ? NULL : req->caller->name;
	event->computer = req->address;
}
