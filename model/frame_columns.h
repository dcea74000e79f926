/* frame_columns: a batch of frames and their events, column by column, as
 * unnest takes them. */
#ifndef FG_MODEL_FRAME_COLUMNS_H
#define FG_MODEL_FRAME_COLUMNS_H

#include "model/frame_store.h"

struct frame_columns {
	int32_t *datasources;
	int64_t *sequences;
	int64_t *firsts;
	int64_t *lasts;
	int32_t *samples;
	int64_t *crcs;
	struct bytes *bodies;
	size_t count;
	int64_t *gap_lows;
	int64_t *gap_highs;
	size_t gap_count;
	int32_t *event_datasources;
	int32_t *event_variables;
	int64_t *event_sequences;
	int64_t *event_times;
	int32_t *event_ordinals;
	const char **event_kinds;
	const char **event_texts;
	const char **event_values;
	const char **event_old_values;
	const char **event_usernames;
	const char **event_computers;
	const char **event_comments;
	size_t event_count;
};

/* Empty, with room for all of the batch. Lives in "arena". */
void frame_columns_make(struct arena *arena, const struct frame_batch *batch,
	struct frame_columns *columns);

/* The frame, the gap between it and the one added before, and its events. */
void frame_columns_add(
	struct frame_columns *columns, const struct frame_row *row);

#endif
