/* alarm_fixture: what the tests of the Alarm Message List share. */
#ifndef FG_TESTS_SQL_ALARM_FIXTURE_H
#define FG_TESTS_SQL_ALARM_FIXTURE_H

#include "model/alarm.h"
#include "tests/sql/fixture.h"

#define START INT64_C(1770000000000000)

/* Every statement that the tests need, and their own. */
extern const struct stmt *const alarm_sets[];
extern const struct stmt alarm_test_stmts[];

enum {
	ALARM_TEST_STATES,  /* all that the state depends on, and the state */
	ALARM_TEST_EVENTS,  /* $1 datasource: their kinds */
	ALARM_TEST_KEEP,    /* acknowledge $1 at $2 */
	ALARM_TEST_WAITERS, /* how many wait for a turn */
	ALARM_TEST_EASE,    /* nobody need acknowledge those of $1 */
};

int alarm_set_up(void **state);

#define ALARM_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, alarm_set_up, fixture_free)

/* The parts of the program; each returns how many tests failed. */
int alarm_merging(void);
int alarm_lists(void);
int alarm_acting(void);

/* The alarm "number" came at START + came; the other times are offsets, too,
 * 0 = not. */
struct alarm_change make_change(const struct fixture *fixture, uint8_t number,
	enum alarm_change_kind kind, int64_t came, int64_t went,
	uint32_t reactivations);
enum rc apply_changes(struct fixture *fixture,
	const struct alarm_change *changes, size_t count);

struct alarm_filter all_alarms(const struct fixture *fixture);
struct alarm_list find_alarms(
	struct fixture *fixture, const struct alarm_filter *filter);
struct alarm only_alarm(struct fixture *fixture);

/* These, in this order, are the events of the plant. */
void expect_events(
	struct fixture *fixture, const char *const *kinds, size_t count);

#endif
