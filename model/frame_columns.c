/* frame_columns: a batch of frames and their events, column by column. */

#include "model/frame_columns.h"

static size_t
count_events(const struct frame_batch *batch)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		count += batch->rows[i].event_count;
	return count;
}

#define COLUMN(member, rows)                                                   \
	columns->member = arena_array(arena, rows, sizeof(*columns->member))

void
frame_columns_make(struct arena *arena, const struct frame_batch *batch,
	struct frame_columns *columns)
{
	size_t events = count_events(batch);

	COLUMN(datasources, batch->count);
	COLUMN(sequences, batch->count);
	COLUMN(firsts, batch->count);
	COLUMN(lasts, batch->count);
	COLUMN(samples, batch->count);
	COLUMN(crcs, batch->count);
	COLUMN(bodies, batch->count);
	COLUMN(gap_lows, batch->count);
	COLUMN(gap_highs, batch->count);
	COLUMN(event_datasources, events);
	COLUMN(event_variables, events);
	COLUMN(event_sequences, events);
	COLUMN(event_times, events);
	COLUMN(event_ordinals, events);
	COLUMN(event_kinds, events);
	COLUMN(event_texts, events);
	COLUMN(event_values, events);
	COLUMN(event_old_values, events);
	COLUMN(event_usernames, events);
	COLUMN(event_computers, events);
	COLUMN(event_comments, events);
	columns->count = columns->gap_count = columns->event_count = 0;
}

static void
add_events(struct frame_columns *columns, const struct frame_row *row)
{
	for (size_t i = 0; i < row->event_count; i++) {
		const struct frame_event *event = &row->events[i];
		size_t at = columns->event_count++;

		columns->event_datasources[at] = row->datasource_id;
		columns->event_variables[at] = event->variable_id;
		columns->event_sequences[at] = row->head.sequence;
		columns->event_times[at] = event->time_us;
		columns->event_ordinals[at] = (int32_t)i;
		columns->event_kinds[at] = event->kind;
		columns->event_texts[at] = event->text;
		columns->event_values[at] = event->value;
		columns->event_old_values[at] = event->old_value;
		columns->event_usernames[at] = event->username;
		columns->event_computers[at] = event->computer;
		columns->event_comments[at] = event->comment;
	}
}

void
frame_columns_add(struct frame_columns *columns, const struct frame_row *row)
{
	size_t at = columns->count++;

	columns->datasources[at] = row->datasource_id;
	columns->sequences[at] = row->head.sequence;
	columns->firsts[at] = row->head.first_us;
	columns->lasts[at] = row->head.last_us;
	columns->samples[at] = (int32_t)row->head.samples;
	columns->crcs[at] = row->head.crc;
	columns->bodies[at] = row->body;
	if (at > 0 && columns->sequences[at - 1] + 1 < row->head.sequence) {
		size_t gap = columns->gap_count++;

		columns->gap_lows[gap] = columns->sequences[at - 1] + 1;
		columns->gap_highs[gap] = row->head.sequence;
	}
	add_events(columns, row);
}
