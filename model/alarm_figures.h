/*
 * alarm_figures: what the alarms of a stretch of time say of the alarm system:
 * rate and floods, who comes most, what stands for long, what chatters, and
 * how the priorities are split.
 */
#ifndef FG_MODEL_ALARM_FIGURES_H
#define FG_MODEL_ALARM_FIGURES_H

#include "lib/db.h"
#include "lib/field.h"
#include "model/alarm_rate.h"

#define ALARM_FIGURES_TOP     10
#define ALARM_FIGURES_SPAN_US (366 * CLOCK_DAY_US) /* at most */
#define ALARM_STANDING_US     CLOCK_DAY_US
#define ALARM_CHATTER_TIMES   3 /* within … */
#define ALARM_CHATTER_US      CLOCK_MINUTE_US

/* A limit and a number of alarms of it. */
struct alarm_figure {
	const char *variable;
	const char *limit;
	int64_t count;
	int64_t came_us; /* the first of them */
};

struct alarm_figure_list {
	size_t count;
	struct alarm_figure *items;
};

struct alarm_figures {
	struct alarm_rate rate;
	int64_t priorities[5];        /* by 1 to 4; 0 is unused */
	struct alarm_figure_list top; /* the most frequent first */
	struct alarm_figure_list chattering;
	int64_t standing_count;            /* active now, for more than a day */
	struct alarm_figure_list standing; /* the oldest of them */
};

extern const struct stmt alarm_figures_stmts[];

/*
 * Of the alarms that came from "from_us" to "to_us", both inclusive, of these
 * variables (NULL items = all that the outside may see).
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc alarm_figures(struct db *db, struct arena *arena,
	int64_t datasource_id, int64_t from_us, int64_t to_us, int64_t now_us,
	const struct ints *variables, struct alarm_figures *figures,
	struct fault *fault);

#endif
