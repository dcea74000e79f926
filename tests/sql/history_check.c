/* history_check: what the history tells, against the oracle. */

#include "tests/unit/unit.h"

#include <math.h>

#include "model/chunk.h"
#include "tests/sql/history_check.h"

void
check(enum rc rc, const struct fixture *fixture)
{
	if (rc != RC_OK)
		fail_msg("%s", fixture->fault.text);
}

uint64_t
draw(struct fixture *fixture, uint64_t below)
{
	return series_random(&fixture->series) % below;
}

static enum rc
see(void *context, const struct sample *sample, struct fault *fault)
{
	struct seen *seen = context;
	struct value *value;

	(void)fault;
	assert_true(seen->count < seen->room);
	seen->samples[seen->count] = *sample;
	value = &seen->samples[seen->count++].value;
	if (value->kind == VALUE_STRING)
		value->string.data =
			arena_strdup(seen->arena, value->string.data);
	return RC_OK;
}

struct seen
read_history(struct fixture *fixture, const struct history_query *query)
{
	struct seen seen = {.arena = fixture->arena,
		.room = fixture->oracle.count + 2 * query->count};
	const struct history_visitor visitor = {see, &seen};

	seen.samples =
		arena_array(seen.arena, seen.room, sizeof(*seen.samples));
	check(history_read(fixture->reader, fixture->arena, query, &visitor,
		      &fixture->fault),
		fixture);
	return seen;
}

void
check_variable(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = false};
	struct seen seen = read_history(fixture, &query);
	size_t count;
	const struct sample *expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &count);

	assert_int_equal(seen.count, count);
	for (size_t i = 0; i < count; i++)
		series_assert_equal(&expected[i], &seen.samples[i]);
	if (count < 3)
		return;
	query.limit = count / 2;
	seen = read_history(fixture, &query);
	assert_int_equal(seen.count, count / 2);
	series_assert_equal(
		&expected[count / 2 - 1], &seen.samples[count / 2 - 1]);
}

static void
check_bounds(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = true};
	struct seen seen = read_history(fixture, &query);
	size_t before;
	size_t inside;
	size_t after;
	const struct sample *expected = oracle_expect(&fixture->oracle,
		fixture->arena, id, T0 - SPAN_US, from_us, &before);
	size_t at = 0;

	if (before > 0)
		series_assert_equal(&expected[before - 1], &seen.samples[at++]);
	expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &inside);
	for (size_t i = 0; i < inside; i++)
		series_assert_equal(&expected[i], &seen.samples[at++]);
	expected = oracle_expect(&fixture->oracle, fixture->arena, id, to_us,
		T0 + 2 * SPAN_US, &after);
	if (after > 0)
		series_assert_equal(&expected[0], &seen.samples[at++]);
	assert_int_equal(seen.count, at);
}

/* All variables in one call are what each is alone. */
static void
check_together(struct fixture *fixture, int64_t from_us, int64_t to_us)
{
	struct history_query query = {.variable_ids = fixture->oracle.ids,
		.count = ORACLE_VARIABLES,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = true};
	struct seen together = read_history(fixture, &query);
	struct history_envelope envelopes[ORACLE_VARIABLES];
	size_t at = 0;

	query.count = 1;
	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		struct seen alone;

		query.variable_ids = &fixture->oracle.ids[i];
		alone = read_history(fixture, &query);
		for (size_t k = 0; k < alone.count; k++)
			series_assert_equal(
				&alone.samples[k], &together.samples[at++]);
	}
	assert_int_equal(together.count, at);
	query.variable_ids = fixture->oracle.ids;
	query.count = ORACLE_VARIABLES;
	if (from_us == to_us)
		return;
	check(history_envelopes(fixture->reader, fixture->arena, &query, 20,
		      envelopes, &fixture->fault),
		fixture);
	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		const struct history_range range = {
			fixture->oracle.ids[i], from_us, to_us};
		struct history_envelope alone;

		check(history_envelope(fixture->reader, fixture->arena, &range,
			      20, &alone, &fixture->fault),
			fixture);
		assert_int_equal(alone.samples, envelopes[i].samples);
		assert_int_equal(alone.count, envelopes[i].count);
		assert_memory_equal(alone.maximum, envelopes[i].maximum,
			alone.count * sizeof(double));
	}
}

static void
check_by_time(struct fixture *fixture, int64_t from_us, int64_t to_us)
{
	const struct history_query query = {.variable_ids = fixture->oracle.ids,
		.count = ORACLE_VARIABLES,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_TIME};
	struct seen seen = read_history(fixture, &query);
	size_t sum = 0;

	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		int32_t id = fixture->oracle.ids[i];
		size_t at = 0;
		size_t count;
		const struct sample *expected = oracle_expect(&fixture->oracle,
			fixture->arena, id, from_us, to_us, &count);

		for (size_t k = 0; k < seen.count; k++)
			if (seen.samples[k].variable_id == id)
				series_assert_equal(
					&expected[at++], &seen.samples[k]);
		assert_int_equal(at, count);
		sum += count;
	}
	assert_int_equal(seen.count, sum);
	for (size_t k = 1; k < seen.count; k++)
		assert_true(
			seen.samples[k - 1].time_us <= seen.samples[k].time_us);
}

static void
check_at(struct fixture *fixture, int64_t time_us)
{
	const int32_t *ids = fixture->oracle.ids;
	const int32_t mixed[] = {
		ids[2], ids[0], ids[2], 999999, ids[3], ids[1]};
	struct sample found[ARRAY_LENGTH(mixed)];

	check(history_at(fixture->reader, fixture->arena, mixed,
		      ARRAY_LENGTH(mixed), time_us, found, &fixture->fault),
		fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(mixed); i++) {
		size_t count;
		const struct sample *expected =
			oracle_expect(&fixture->oracle, fixture->arena,
				mixed[i], T0 - SPAN_US, time_us + 1, &count);

		assert_int_equal(found[i].variable_id, mixed[i]);
		if (count == 0)
			assert_int_equal(found[i].value.kind, VALUE_NONE);
		else
			assert_true(found[i].time_us ==
				    expected[count - 1].time_us);
	}
}

static void
assert_same_number(double expected, double actual)
{
	if (isnan(expected))
		assert_true(isnan(actual));
	else
		assert_true(
			fabs(expected - actual) <= 1e-9 * (1 + fabs(expected)));
}

/* Naively: every sample into its bucket. */
static void
check_envelope(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	size_t points = 1 + draw(fixture, 60);
	struct history_envelope envelope;
	size_t count;
	const struct sample *expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &count);
	size_t at = 0;

	check(history_envelope(fixture->reader, fixture->arena, &range, points,
		      &envelope, &fixture->fault),
		fixture);
	assert_true(envelope.count <= points);
	assert_true(envelope.samples >= (int64_t)count);
	for (size_t i = 0; i < envelope.count; i++) {
		double minimum = NAN;
		double maximum = NAN;
		double last = NAN;
		uint64_t status = 0;
		int64_t end_us = envelope.time_us[i] + envelope.bucket_us;

		assert_true(at < count &&
			    expected[at].time_us >= envelope.time_us[i]);
		for (; at < count && expected[at].time_us < end_us; at++) {
			double number = value_number(&expected[at].value);

			last = chunk_good(expected[at].status, number) ? number
								       : NAN;
			minimum = fmin(minimum, last);
			maximum = fmax(maximum, last);
			status |= expected[at].status;
		}
		assert_same_number(minimum, envelope.minimum[i]);
		assert_same_number(maximum, envelope.maximum[i]);
		assert_true(status == envelope.status[i]);
		/* Which of several at the same time is last, only arrival
		 * says; the naive list and the drawing may differ there. */
		if (at < 2 ||
			expected[at - 1].time_us != expected[at - 2].time_us)
			assert_same_number(last, envelope.last[i]);
	}
	assert_int_equal(at, count);
}

/* Naively: each microsecond of a cycle asked for its value, by segments. */
static void
check_aggregate(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	int64_t cycle_us =
		1 + (to_us - from_us) / (int64_t)(1 + draw(fixture, 30));
	struct history_cycles sum;
	struct history_cycles average;
	struct history_cycles maximum;
	size_t count;
	const struct sample *all = oracle_expect(&fixture->oracle,
		fixture->arena, id, T0 - SPAN_US, to_us, &count);

	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_SUM, &sum, &fixture->fault),
		fixture);
	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_AVERAGE, &average, &fixture->fault),
		fixture);
	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_MAXIMUM, &maximum, &fixture->fault),
		fixture);
	for (size_t c = 0; c < sum.count; c++) {
		int64_t begin = sum.time_us[c];
		int64_t end =
			begin + cycle_us < to_us ? begin + cycle_us : to_us;
		double total = 0;
		double integral = 0;
		double most = NAN;
		int64_t good = 0;
		int64_t good_us = 0;

		for (size_t i = 0; i < count; i++) {
			double number = value_number(&all[i].value);
			int64_t until =
				i + 1 < count ? all[i + 1].time_us : to_us;
			int64_t a =
				all[i].time_us > begin ? all[i].time_us : begin;
			int64_t b = until < end ? until : end;
			bool within =
				all[i].time_us >= begin && all[i].time_us < end;

			if (!chunk_good(all[i].status, number))
				continue;
			if (within) {
				good++;
				total += number;
			}
			if (within || a < b)
				most = fmax(most, number);
			if (a < b) {
				good_us += b - a;
				integral += number * (double)(b - a);
			}
		}
		assert_same_number(good > 0 ? total : NAN, sum.value[c]);
		assert_same_number(most, maximum.value[c]);
		assert_true(good_us == average.good_us[c]);
		if (good_us > 0)
			assert_same_number(
				integral / (double)good_us, average.value[c]);
	}
}

void
check_all(struct fixture *fixture)
{
	for (int round = 0; round < 6; round++) {
		int64_t from_us = T0 +
				  (int64_t)draw(fixture, (uint64_t)SPAN_US) -
				  CLOCK_DAY_US;
		int64_t to_us =
			from_us + (int64_t)draw(fixture, (uint64_t)SPAN_US);

		if (round == 0) {
			from_us = T0 - CLOCK_DAY_US;
			to_us = T0 + SPAN_US;
		}
		for (int i = 0; i < ORACLE_VARIABLES; i++)
			check_variable(fixture, fixture->oracle.ids[i], from_us,
				to_us);
		check_by_time(fixture, from_us, to_us);
		check_together(fixture, from_us, to_us);
		check_bounds(fixture, fixture->oracle.ids[round % 4], from_us,
			to_us);
		check_at(fixture, from_us);
		if (to_us == from_us)
			continue;
		for (int i = 0; i < ORACLE_VARIABLES; i++)
			check_envelope(fixture, fixture->oracle.ids[i], from_us,
				to_us);
		check_aggregate(
			fixture, fixture->oracle.ids[1], from_us, to_us);
		arena_reset(fixture->arena);
	}
}
