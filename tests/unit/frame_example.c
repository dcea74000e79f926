/* frame_example: the bytes in doc/FRAME.md are what the code makes and reads.
 */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "tests/unit/series.h"

/* The bytes of a block in the page; words follow after three blanks. */
static void
read_example(const char *block, struct buf *bytes)
{
	const char *folder = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	char path[4096];
	char line[256];
	bool inside = false;
	FILE *page;

	snprintf(path, sizeof(path), "%s/doc/FRAME.md", folder);
	page = fopen(path, "r");
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL) {
		unsigned byte;
		int used;

		if (strncmp(line, "```", 3) == 0)
			inside = strcmp(line, block) == 0;
		for (char *at = line; inside && strncmp(at, "   ", 3) != 0 &&
				      sscanf(at, "%2x%n", &byte, &used) == 1;
			at += used)
			buf_char(bytes, (char)byte);
	}
	fclose(page);
	assert_int_not_equal(bytes->length, 0);
}

static const struct sample example_samples[] = {
	{1, FRAMES_T0, STATUS_SPONT, {VALUE_FLOAT, .number = 21.5}},
	{2, FRAMES_T0, STATUS_SPONT, {VALUE_BOOL, .boolean = true}},
	{1, FRAMES_T0 + 1000000, STATUS_SPONT, {VALUE_FLOAT, .number = 21.75}},
	{2, FRAMES_T0 + 1000000, STATUS_SPONT | STATUS_INVALID,
		{VALUE_BOOL, .boolean = false}},
	{5, FRAMES_T0 + 250000, 0, {VALUE_INT, .integer = -3}},
};

static void
test_frame_worked_example_has_these_bytes(void **state)
{
	struct frames *fixture = *state;
	const struct frame_event event = {FRAMES_T0 + 400000, 1, "value.set",
		"set point", "22", "21.5", "ann", NULL, NULL};
	const struct frame_content content = {
		example_samples, 5, frames_alarms, 1, &event, 1};
	struct buf expected;

	buf_init(&expected, 0);
	read_example("```hex\n", &expected);
	assert_int_equal(frame_encode(&fixture->head, &content, FRAME_PLAIN,
				 &fixture->out, &fixture->fault),
		RC_OK);
	assert_int_equal(fixture->out.length, expected.length);
	assert_memory_equal(fixture->out.data, expected.data, expected.length);
	buf_free(&expected);
}

/* The same samples in the order of their variables. */
static void
assert_example(const struct sample *back)
{
	static const int places[] = {0, 2, 1, 3, 4};

	for (int i = 0; i < 5; i++)
		series_assert_equal(&example_samples[places[i]], &back[i]);
}

static void
test_frame_version_1_is_still_read(void **state)
{
	struct frames *fixture = *state;
	const struct frame_event event = {.time_us = FRAMES_T0 + 400000,
		.variable_id = 1,
		.kind = "limit",
		.text = "hot",
		.value = "22"};
	struct frame_content back;
	struct frame_head head;
	struct buf old;

	buf_init(&old, 0);
	read_example("```hex version 1\n", &old);
	assert_int_equal(frame_decode(old.data, old.length, fixture->arena,
				 &head, &back, &fixture->fault),
		RC_OK);
	assert_int_equal(head.version, 1);
	assert_int_equal(head.sequence, 42);
	assert_int_equal(back.alarm_count, 0);
	assert_int_equal(back.sample_count, 5);
	assert_int_equal(back.event_count, 1);
	assert_example(back.samples);
	frames_assert_event(&event, &back.events[0]);
	buf_free(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_frame_worked_example_has_these_bytes, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_version_1_is_still_read, frames_setup,
			frames_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
