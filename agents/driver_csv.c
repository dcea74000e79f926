/* driver_csv: replays the rows of a CSV file, or back-fills them. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/csv_cell.h"
#include "agents/driver.h"
#include "lib/clock.h"
#include "lib/csv.h"

/* What one poll may put, so that it fits into one frame. */
#define POLL_SAMPLES 8000
#define POLL_BYTES   ((size_t)1024 * 1024)
#define GROW_POLL_US CLOCK_SECOND_US /* how often a file's end is looked at */

struct csv_options {
	const char *file;
	const char *time_column;
	const char *name_column;
	const char *value_column;
	const char *time_format;
	const char *time_zone;
	bool decimal_comma;
	const char *speed;
	const char *times;
	const char *at_end;
};

#define OPTION(field) offsetof(struct csv_options, field)

static const struct conf_entry csv_conf[] = {
	{"csv", "file", CONF_PATH, OPTION(file), "", 0, 0,
		"file to read; its first row names the columns"},
	{"csv", "time_column", CONF_TEXT, OPTION(time_column), "time", 0, 0,
		"column of the time"},
	{"csv", "name_column", CONF_TEXT, OPTION(name_column), "", 0, 0,
		"column of the name; empty: one column per address"},
	{"csv", "value_column", CONF_TEXT, OPTION(value_column), "value", 0, 0,
		"column of the value, used with name_column"},
	{"csv", "time_format", CONF_TEXT, OPTION(time_format), "iso", 0, 0,
		"iso, epoch_s, epoch_ms or a strptime format"},
	{"csv", "time_zone", CONF_TEXT, OPTION(time_zone), "UTC", 0, 0,
		"zone of times without one, such as Europe/Vienna"},
	{"csv", "decimal_comma", CONF_BOOL, OPTION(decimal_comma), "no", 0, 0,
		"numbers are written 1,5 instead of 1.5"},
	{"csv", "speed", CONF_TEXT, OPTION(speed), "1", 0, 0,
		"replay so many times faster; 0 = back-fill at full speed"},
	{"csv", "times", CONF_TEXT, OPTION(times), "original", 0, 0,
		"stamp samples with the file's times (original) or now"},
	{"csv", "at_end", CONF_TEXT, OPTION(at_end), "wait", 0, 0,
		"wait for more rows, stop the agent, or repeat"},
	CONF_END,
};

struct replay {
	const struct csv_options *options;
	const struct input_list *list;
	struct csv csv;
	FILE *file;
	double speed;
	bool stamps_now;
	int64_t first_row; /* offset behind the header */
	size_t time_place;
	size_t name_place; /* long format only */
	size_t value_place;
	size_t *places; /* wide format: of each input */
	bool anchored;
	int64_t anchor_file_us; /* this time of the file is due ... */
	int64_t anchor_wall_us; /* ... at this time of the clock */
	int64_t polled_us;      /* the same clock, at the last poll */
	bool pending;           /* csv.fields holds a row that is not due yet */
	int64_t row_us;
	int64_t bookmark; /* offset behind the last row that was put */
};

/* --- start --------------------------------------------------------------- */

static enum rc
take_speed(struct replay *replay, struct fault *fault)
{
	const char *text = replay->options->speed;
	char *end;

	replay->speed = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(replay->speed) ||
		replay->speed < 0)
		return fault_set(fault, RC_BAD_INPUT,
			"[csv] speed = %s: must be 0 or a positive number",
			text);
	return RC_OK;
}

static enum rc
check_words(struct replay *replay, struct fault *fault)
{
	const char *times = replay->options->times;
	const char *at_end = replay->options->at_end;

	if (strcmp(times, "original") != 0 && strcmp(times, "now") != 0)
		return fault_set(fault, RC_BAD_INPUT,
			"[csv] times = %s: must be original or now", times);
	if (strcmp(at_end, "wait") != 0 && strcmp(at_end, "stop") != 0 &&
		strcmp(at_end, "repeat") != 0)
		return fault_set(fault, RC_BAD_INPUT,
			"[csv] at_end = %s: must be wait, stop or repeat",
			at_end);
	replay->stamps_now = strcmp(times, "now") == 0;
	if (strcmp(at_end, "repeat") == 0 &&
		(!replay->stamps_now || replay->speed == 0))
		return fault_set(fault, RC_BAD_INPUT,
			"[csv] at_end = repeat: needs times = now and a speed "
			"above 0");
	return RC_OK;
}

/* The C library takes an unknown zone for UTC without a word. */
static enum rc
set_zone(const char *zone, struct fault *fault)
{
	char path[256];

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
	if (strcmp(zone, "UTC") != 0 &&
		(zone[0] == '\0' || strstr(zone, "..") != NULL ||
			access(path, R_OK) != 0))
		return fault_set(fault, RC_BAD_INPUT,
			"[csv] time_zone = %s: there is no such zone in "
			"/usr/share/zoneinfo",
			zone);
	setenv("TZ", zone, 1);
	tzset();
	return RC_OK;
}

static enum rc
find_column(struct replay *replay, const char *name, size_t *place,
	struct fault *fault)
{
	for (*place = 0; *place < replay->csv.count; (*place)++)
		if (strcmp(replay->csv.fields[*place].text, name) == 0)
			return RC_OK;
	return fault_set(fault, RC_BAD_INPUT,
		"%s:1:1: there is no column \"%.80s\"", replay->csv.path, name);
}

static enum rc
find_input_columns(struct replay *replay, struct fault *fault)
{
	for (size_t i = 0; i < replay->list->count; i++) {
		const struct input *input = &replay->list->items[i];

		if (find_column(replay, input->address, &replay->places[i],
			    fault) != RC_OK)
			return input_fault(replay->list, input, fault,
				"%.100s has no column \"%.80s\"",
				replay->csv.path, input->address);
	}
	return RC_OK;
}

static enum rc
take_header(struct replay *replay, struct fault *fault)
{
	const struct csv_options *options = replay->options;
	enum rc rc = csv_row(&replay->csv, fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(fault, RC_BAD_INPUT,
			"%s:1:1: the file is empty", replay->csv.path);
	if (rc == RC_OK)
		rc = find_column(replay, options->time_column,
			&replay->time_place, fault);
	if (rc != RC_OK)
		return rc;
	replay->first_row = replay->bookmark = replay->csv.offset;
	if (options->name_column[0] == '\0')
		return find_input_columns(replay, fault);
	rc = find_column(
		replay, options->name_column, &replay->name_place, fault);
	if (rc == RC_OK)
		rc = find_column(replay, options->value_column,
			&replay->value_place, fault);
	return rc;
}

static enum rc
replay_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	struct replay *replay = arena_alloc(setup->arena, sizeof(*replay));
	const char *path;
	enum rc rc;

	replay->options = setup->options;
	replay->list = setup->list;
	path = replay->options->file;
	replay->places = arena_array(
		setup->arena, setup->list->count, sizeof(*replay->places));
	*state = replay;
	if (path[0] == '\0')
		return fault_set(fault, RC_BAD_INPUT,
			"key \"file\" is missing in section [csv]");
	rc = take_speed(replay, fault);
	if (rc == RC_OK)
		rc = check_words(replay, fault);
	if (rc == RC_OK)
		rc = set_zone(replay->options->time_zone, fault);
	if (rc != RC_OK)
		return rc;
	replay->file = fopen(path, "re");
	if (replay->file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	csv_open(&replay->csv, replay->file, path);
	rc = take_header(replay, fault);
	if (rc == RC_OK && setup->bookmark > replay->first_row) {
		rc = csv_seek(&replay->csv, setup->bookmark, fault);
		replay->bookmark = setup->bookmark;
	}
	return rc;
}

/* --- rows ---------------------------------------------------------------- */

static enum rc
put_cell(const struct replay *replay, struct sink *sink, size_t index,
	size_t place, int64_t stamp_us, struct fault *fault)
{
	const struct input *input = &replay->list->items[index];
	struct value value;

	if (place >= replay->csv.count ||
		(replay->csv.fields[place].length == 0 &&
			input->kind != VALUE_STRING))
		return RC_OK; /* an empty cell is no sample */
	if (!csv_cell_value(replay->csv.fields[place].text, input,
		    replay->options->decimal_comma, &value))
		return csv_fault(&replay->csv, place, fault,
			"\"%.60s\" is no %s", replay->csv.fields[place].text,
			input_type(input));
	if (sink != NULL)
		sink->put(sink, index, stamp_us, 0, &value);
	return RC_OK;
}

/* A NULL sink only checks the cells. */
static enum rc
put_cells(const struct replay *replay, struct sink *sink, int64_t stamp_us,
	struct fault *fault)
{
	bool is_long = replay->options->name_column[0] != '\0';
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < replay->list->count; i++) {
		if (!is_long)
			rc = put_cell(replay, sink, i, replay->places[i],
				stamp_us, fault);
		else if (replay->name_place < replay->csv.count &&
			 strcmp(replay->csv.fields[replay->name_place].text,
				 replay->list->items[i].address) == 0)
			rc = put_cell(replay, sink, i, replay->value_place,
				stamp_us, fault);
	}
	return rc;
}

/* The whole row or nothing of it, so that it can be read again. */
static enum rc
put_row(struct replay *replay, struct sink *sink, int64_t stamp_us,
	struct fault *fault)
{
	enum rc rc = put_cells(replay, NULL, stamp_us, fault);

	if (rc == RC_OK)
		rc = put_cells(replay, sink, stamp_us, fault);
	if (rc != RC_OK)
		return rc;
	replay->pending = false;
	replay->bookmark = replay->csv.offset;
	return RC_OK;
}

/* A file that others still write to may end in half a row. */
static bool
is_half_written(const struct replay *replay)
{
	return !replay->csv.ended_by_newline &&
	       strcmp(replay->options->at_end, "wait") == 0;
}

static enum rc
fetch_row(struct replay *replay, struct fault *fault)
{
	const char *text;
	enum rc rc = csv_row(&replay->csv, fault);

	if (rc != RC_OK)
		return rc;
	if (is_half_written(replay)) {
		rc = csv_seek(&replay->csv, replay->bookmark, fault);
		return rc != RC_OK ? rc : RC_NOT_FOUND;
	}
	if (replay->time_place >= replay->csv.count)
		return csv_fault(&replay->csv, 0, fault, "the row has no time");
	text = replay->csv.fields[replay->time_place].text;
	if (!csv_cell_time(text, replay->options->time_format, &replay->row_us))
		return csv_fault(&replay->csv, replay->time_place, fault,
			"\"%.60s\" is not a time in the format %s", text,
			replay->options->time_format);
	replay->pending = true;
	return RC_OK;
}

/* When the clock must show what for the pending row. */
static int64_t
row_due(struct replay *replay, int64_t now_us)
{
	if (replay->speed == 0)
		return now_us;
	if (!replay->anchored) {
		replay->anchored = true;
		replay->anchor_file_us = replay->row_us;
		replay->anchor_wall_us = now_us;
	}
	return replay->anchor_wall_us +
	       (int64_t)((double)(replay->row_us - replay->anchor_file_us) /
			 replay->speed);
}

static enum rc
reach_end(struct replay *replay, int64_t now_us, int64_t *next_us,
	struct fault *fault)
{
	*next_us = now_us + GROW_POLL_US;
	if (strcmp(replay->options->at_end, "stop") == 0)
		*next_us = DRIVER_FINISHED;
	if (strcmp(replay->options->at_end, "repeat") != 0)
		return RC_OK;
	replay->anchored = false;
	replay->bookmark = replay->first_row;
	return csv_seek(&replay->csv, replay->first_row, fault);
}

static enum rc
replay_poll(void *state, int64_t now_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct replay *replay = state;
	size_t bytes = 0;
	size_t cells = 0;

	if (now_us < replay->polled_us) /* the clock was set back */
		replay->anchor_wall_us -= replay->polled_us - now_us;
	replay->polled_us = now_us;
	*next_us = now_us; /* at once, when the limits end the loop */
	while (cells < POLL_SAMPLES && bytes < POLL_BYTES) {
		enum rc rc = RC_OK;
		int64_t due_us;

		if (!replay->pending)
			rc = fetch_row(replay, fault);
		if (rc == RC_NOT_FOUND)
			return reach_end(replay, now_us, next_us, fault);
		if (rc != RC_OK)
			return rc;
		due_us = row_due(replay, now_us);
		if (due_us > now_us) {
			*next_us = due_us;
			return RC_OK;
		}
		cells += replay->csv.count;
		bytes += replay->csv.text.length;
		rc = put_row(replay, sink,
			replay->stamps_now ? due_us : replay->row_us, fault);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static int64_t
replay_bookmark(const void *state)
{
	const struct replay *replay = state;

	return replay->bookmark;
}

static void
replay_close(void *state)
{
	struct replay *replay = state;

	if (replay->file == NULL)
		return;
	csv_close(&replay->csv);
	fclose(replay->file);
}

const struct driver driver_csv = {
	.name = "csv",
	.conf = csv_conf,
	.conf_bytes = sizeof(struct csv_options),
	.replays = true,
	.open = replay_open,
	.poll = replay_poll,
	.bookmark = replay_bookmark,
	.close = replay_close,
};
