/* alarm_fixture: what the tests of the Alarm Message List share. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "model/alarm_act.h"
#include "model/alarm_hold.h"
#include "model/event.h"
#include "tests/sql/alarm_fixture.h"

const struct stmt alarm_test_stmts[] = {
	/* every combination that the state depends on, as C shall see it */
	[ALARM_TEST_STATES] = {"test_states", "",
		"SELECT a.went_us, a.acknowledged_us, a.shelved_until_us"
		"     , a.must_acknowledge, a.suppressed, a.flags"
		"     , a.out_of_service, alarm_state(a, 1000)"
		"  FROM (VALUES (NULL::bigint), (5)) AS w (went)"
		"     , (VALUES (NULL::bigint), (6)) AS k (acknowledged)"
		"     , (VALUES (NULL::bigint), (999), (1000), (1001)) AS s "
		"(til)"
		"     , (VALUES (true), (false)) AS m (must)"
		"     , (VALUES (true), (false)) AS u (suppressed)"
		"     , (VALUES (true), (false)) AS o (out)"
		"     , generate_series(0, 7) AS f (flags)"
		"     , LATERAL (SELECT (jsonb_populate_record(NULL::alarm"
		"         , jsonb_build_object('went_us', went"
		"           , 'acknowledged_us', acknowledged"
		"           , 'shelved_until_us', til"
		"           , 'must_acknowledge', must"
		"           , 'suppressed', suppressed, 'flags', f.flags"
		"           , 'out_of_service', out))).*) AS a"},
	[ALARM_TEST_EVENTS] = {"test_events", "i",
		"SELECT kind FROM event WHERE datasource_id = $1 ORDER BY id"},
	[ALARM_TEST_KEEP] = {"test_acknowledge", "ui",
		"UPDATE alarm SET acknowledged_us = $2 WHERE id = $1"},
	[ALARM_TEST_WAITERS] = {"test_waiters", "",
		"SELECT count(*) FROM pg_locks"
		" WHERE locktype = 'advisory' AND NOT granted"},
	[ALARM_TEST_EASE] = {"test_ease", "i",
		"UPDATE alarm SET must_acknowledge = false"
		" WHERE datasource_id = $1"},
	STMT_END,
};

const struct stmt *const alarm_sets[] = {alarm_stmts, alarm_apply_stmts,
	alarm_act_stmts, alarm_hold_stmts, event_write_stmts, datasource_stmts,
	variable_stmts, alarm_test_stmts, NULL};

int
alarm_set_up(void **state)
{
	static const struct variable drafts[] = {
		{.name = "level", .kind = VALUE_FLOAT, .access = ACCESS_READ},
		{.name = "hidden", .kind = VALUE_FLOAT, .access = ACCESS_NONE},
	};

	*state = fixture_new(alarm_sets, drafts, ARRAY_LENGTH(drafts));
	return 0;
}

struct alarm_change
make_change(const struct fixture *fixture, uint8_t number,
	enum alarm_change_kind kind, int64_t came, int64_t went,
	uint32_t reactivations)
{
	int64_t last = went > came ? went : came;
	struct alarm_change made = {
		.variable_id = fixture->variables.items[0].id,
		.limit = "high",
		.kind = kind,
		.time_us = START + last,
		.came_us = START + came,
		.went_us = went != 0 ? START + went : CLOCK_NEVER,
		.reactivated_us =
			reactivations > 0 ? START + last : CLOCK_NEVER,
		.reactivations = reactivations,
		.value = {.kind = VALUE_FLOAT, .number = 99.5},
		.text = "too high",
	};

	memcpy(made.id, fixture->plant.uuid, UUID_BYTES);
	made.id[UUID_BYTES - 1] = number;
	return made;
}

enum rc
apply_changes(struct fixture *fixture, const struct alarm_change *changes,
	size_t count)
{
	return alarm_apply(fixture->db, fixture->arena, fixture->plant.id,
		changes, count, &fixture->fault);
}

struct alarm_filter
all_alarms(const struct fixture *fixture)
{
	return (struct alarm_filter){
		.datasource_id = fixture->plant.id,
		.from_us = 0,
		.to_us = INT64_MAX,
		.now_us = START,
		.limit = 1000,
	};
}

struct alarm_list
find_alarms(struct fixture *fixture, const struct alarm_filter *filter)
{
	struct alarm_page page;

	assert_int_equal(alarm_query(fixture->db, fixture->arena, filter, &page,
				 &fixture->fault),
		RC_OK);
	return page.list;
}

struct alarm
only_alarm(struct fixture *fixture)
{
	struct alarm_filter filter = all_alarms(fixture);
	struct alarm_list list = find_alarms(fixture, &filter);

	assert_int_equal(list.count, 1);
	return list.items[0];
}

void
expect_events(struct fixture *fixture, const char *const *kinds, size_t count)
{
	struct rows *rows;

	assert_int_equal(db_query(fixture->db, fixture->arena,
				 &alarm_test_stmts[ALARM_TEST_EVENTS],
				 PARAMS(P_INT(fixture->plant.id)), &rows,
				 &fixture->fault),
		RC_OK);
	assert_int_equal(rows_count(rows), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(rows_text(rows, i, 0), kinds[i]);
}
