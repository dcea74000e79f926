/* alarm_engine_words: the small words of the tests of the alarm engine: one
 * engine with a limit of variable 1, and samples that are put into it. */
#ifndef FG_TESTS_UNIT_ALARM_ENGINE_WORDS_H
#define FG_TESTS_UNIT_ALARM_ENGINE_WORDS_H

#include "model/alarm_engine.h"

#define MS     INT64_C(1000)
#define NOON   INT64_C(1700000000000000)
#define STEADY INT64_C(5000000)

/* Made anew for each test. */
extern struct arena *arena;
extern struct alarm_engine *engine;

int engine_set_up(void **state);
int engine_tear_down(void **state);

#define ENGINE_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, engine_set_up, engine_tear_down)

/* The parts of the program; each returns how many tests failed. */
int engine_limits(void);
int engine_states(void);
int engine_oracle(void);

struct alarm_limit a_limit(enum alarm_condition condition);
struct alarm_limit above(double value);
void set_kind(const struct alarm_limit *limit, enum value_kind kind);
void set(const struct alarm_limit *limit);
void put_value(int32_t id, int64_t at_ms, struct value value, uint64_t status);
/* Of variable 1, so many ms behind noon. */
void put(int64_t at_ms, double number);
void put_bad(int64_t at_ms, double number);
void put_bool(int32_t id, int64_t at_ms, bool truth);
void put_text(int64_t at_ms, const char *text);
void tick(int64_t at_ms);
/* "came@0 went@500": what was told since the last look. */
const char *told(void);
/* The only change there is; good until the next call. */
const struct alarm_change *only_change(void);
/* "v7" is variable 7, as alarm_engine_load asks. */
int32_t engine_find_variable(const void *context, const char *name);
/* Another engine with the state of this one, but for the first "skip" changes.
 */
void restart(
	const struct alarm_limit *limit, enum value_kind kind, size_t skip);

#endif
