/* frames: what the tests of frames share: a head to encode with, alarm changes
 * of every form, and what it is to be the same. */
#ifndef FG_TESTS_UNIT_FRAMES_H
#define FG_TESTS_UNIT_FRAMES_H

#include "lib/arena.h"
#include "model/frame.h"

#define FRAMES_T0     INT64_C(1700000000000000)
#define FRAMES_ALARMS 5

extern const struct alarm_change frames_alarms[FRAMES_ALARMS];

/* *state of a test. */
struct frames {
	struct arena *arena;
	struct buf out;
	struct fault fault;
	struct frame_head head;
};

/* For cmocka_unit_test_setup_teardown. */
int frames_setup(void **state);
int frames_teardown(void **state);

/* 60 samples of 5 variables, all alarm changes and an event into frames->out;
 * its length. */
size_t frames_encode_small(struct frames *frames, enum frame_flags flags);

/* Each fails the test unless both are the same. */
void frames_assert_alarm(
	const struct alarm_change *expected, const struct alarm_change *back);
void frames_assert_event(
	const struct frame_event *expected, const struct frame_event *back);

#endif
