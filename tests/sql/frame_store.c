/* frame_store: each frame once, whatever is sent how often, on a real server.
 * FIELDGRID_TEST_HOST is the socket folder of a scratch cluster; without it
 * the test is skipped (exit 77). */

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "model/alarm.h"
#include "model/frame_store.h"
#include "model/node.h"

static struct db_conf conf = {.port = 5432,
	.name = "fieldgrid",
	.user = "fieldgrid_hub",
	.password_file = "",
	.sslmode = "disable",
	.statement_timeout_ms = 10000};

enum {
	TEST_NODE,
	TEST_FRAMES,
	TEST_EVENTS,
	TEST_ALARMS,
	TEST_ALARM,
	TEST_VARIABLE,
	TEST_FORGET,
};

static const struct stmt test_stmts[] = {
	{"test_node", "ut",
		"INSERT INTO node (uuid, name, kind, state)"
		" VALUES ($1, $2, 'ingress', 'authorised') RETURNING id"},
	{"test_frames", "n", "SELECT count(*) FROM frame WHERE node_id = $1"},
	{"test_events", "n", "SELECT count(*) FROM event WHERE node_id = $1"},
	{"test_alarms", "n",
		"SELECT count(*) FROM event WHERE kind LIKE 'alarm.%'"
		"   AND variable_id = $1"},
	{"test_alarm", "n",
		"SELECT count(*) FROM alarm WHERE variable_id = $1"
		"   AND went_us IS NOT NULL"},
	{"test_variable", "ut",
		"WITH plant AS (INSERT INTO datasource (uuid, name)"
		" VALUES ($1, $2) RETURNING id)"
		" INSERT INTO variable (datasource_id, name, kind)"
		" SELECT id, 'v', 2 FROM plant RETURNING datasource_id, id"},
	{"test_forget", "ni",
		"DELETE FROM frame WHERE node_id = $1 AND sequence = $2"},
	STMT_END,
};

static const struct stmt *const sets[] = {
	alarm_apply_stmts, frame_store_stmts, node_stmts, test_stmts, NULL};

/* What every test starts with: a node that has sent nothing. */
struct fixture {
	struct db *db;    /* as the hub */
	struct db *owner; /* may do anything */
	struct arena *arena;
	int64_t node_id;
	struct fault fault;
};

static struct db *
open_db(const char *user)
{
	struct db_conf as = conf;
	struct fault fault;
	struct db *db;

	as.user = user;
	assert_int_equal(db_open(&as, "test", sets, &db, &fault), RC_OK);
	return db;
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char name[UUID_TEXT_BYTES];
	uint8_t uuid[UUID_BYTES];
	struct rows *rows;

	uuid_random(uuid);
	uuid_format(name, uuid);
	fixture->arena = arena_new();
	fixture->db = open_db("fieldgrid_hub");
	fixture->owner = open_db("fieldgrid_owner");
	assert_int_equal(
		db_find(fixture->owner, fixture->arena, &test_stmts[TEST_NODE],
			PARAMS(P_UUID(uuid), P_TEXT(name)), &rows,
			&fixture->fault),
		RC_OK);
	fixture->node_id = rows_int(rows, 0, 0);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	db_close(fixture->db);
	db_close(fixture->owner);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static int64_t
count(struct fixture *fixture, int stmt)
{
	struct rows *rows;

	assert_int_equal(
		db_find(fixture->owner, fixture->arena, &test_stmts[stmt],
			PARAMS(P_SHORT(fixture->node_id)), &rows,
			&fixture->fault),
		RC_OK);
	return rows_int(rows, 0, 0);
}

static struct frame_row
make_row(int64_t sequence, uint32_t crc)
{
	static const struct frame_event event = {
		.time_us = 5, .kind = "k", .text = "t", .value = NULL};

	return (struct frame_row){
		.datasource_id = 1,
		.head = {.sequence = sequence,
			.spool_id = UINT64_C(0xfedcba9876543210),
			.crc = crc,
			.samples = 3,
			.first_us = 1,
			.last_us = 9},
		.body = {"body", 4},
		.events = &event,
		.event_count = 1,
	};
}

static enum rc
store_rows(struct fixture *fixture, struct frame_row *rows, size_t row_count,
	int64_t *sequence)
{
	struct frame_batch batch = {
		.node_id = fixture->node_id,
		.spool_id = rows[0].head.spool_id,
		.rows = rows,
		.count = row_count,
	};

	return frame_store(
		fixture->db, fixture->arena, &batch, sequence, &fixture->fault);
}

/* Rows "from" to "to"; returns the highest committed sequence. */
static int64_t
store(struct fixture *fixture, int64_t from, int64_t to)
{
	struct frame_row rows[64];
	int64_t sequence = 0;

	for (int64_t i = from; i <= to; i++)
		rows[i - from] = make_row(i, (uint32_t)i);
	if (store_rows(fixture, rows, (size_t)(to - from + 1), &sequence) !=
		RC_OK)
		fail_msg("%s", fixture->fault.text);
	return sequence;
}

/* --- alarm changes -------------------------------------------------------- */

struct alarmed {
	int32_t datasource_id;
	int32_t variable_id;
	struct alarm_change changes[2]; /* came, went */
};

static struct alarmed
make_alarmed(struct fixture *fixture)
{
	struct alarmed alarmed;
	char name[UUID_TEXT_BYTES];
	uint8_t uuid[UUID_BYTES];
	struct rows *rows;

	uuid_random(uuid);
	uuid_format(name, uuid);
	assert_int_equal(db_find(fixture->owner, fixture->arena,
				 &test_stmts[TEST_VARIABLE],
				 PARAMS(P_UUID(uuid), P_TEXT(name)), &rows,
				 &fixture->fault),
		RC_OK);
	alarmed.datasource_id = (int32_t)rows_int(rows, 0, 0);
	alarmed.variable_id = (int32_t)rows_int(rows, 0, 1);
	for (int i = 0; i < 2; i++) {
		alarmed.changes[i] = (struct alarm_change){
			.variable_id = alarmed.variable_id,
			.limit = "high",
			.kind = i == 0 ? ALARM_CAME : ALARM_WENT,
			.time_us = 100 + i,
			.came_us = 100,
			.went_us = i == 0 ? CLOCK_NEVER : 101,
			.reactivated_us = CLOCK_NEVER,
			.value = {VALUE_FLOAT, .number = 1.5},
			.text = "hot",
		};
		memcpy(alarmed.changes[i].id, uuid, UUID_BYTES);
	}
	return alarmed;
}

/* A frame with change "index"; 2 is one with none. */
static struct frame_row
alarm_row(const struct alarmed *alarmed, int64_t sequence, int index)
{
	struct frame_row row = make_row(sequence, (uint32_t)sequence);

	row.datasource_id = alarmed->datasource_id;
	row.alarms = index < 2 ? &alarmed->changes[index] : NULL;
	row.alarm_count = index < 2;
	return row;
}

static int64_t
count_of(struct fixture *fixture, int stmt, int32_t id)
{
	struct rows *rows;

	assert_int_equal(
		db_find(fixture->owner, fixture->arena, &test_stmts[stmt],
			PARAMS(P_SHORT(id)), &rows, &fixture->fault),
		RC_OK);
	return rows_int(rows, 0, 0);
}

static void
test_frame_store_applies_alarm_changes_once(void **state)
{
	struct fixture *fixture = *state;
	struct alarmed alarmed = make_alarmed(fixture);
	struct frame_row rows[] = {alarm_row(&alarmed, 1, 0),
		alarm_row(&alarmed, 2, 2), alarm_row(&alarmed, 3, 1)};
	int64_t sequence;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			store_rows(fixture, rows, 3, &sequence), RC_OK);
		assert_int_equal(sequence, 3);
		assert_int_equal(
			count_of(fixture, TEST_ALARMS, alarmed.variable_id), 2);
		assert_int_equal(
			count_of(fixture, TEST_ALARM, alarmed.variable_id), 1);
	}
	assert_int_equal(count(fixture, TEST_FRAMES), 3);
	assert_int_equal(count(fixture, TEST_EVENTS), 3);
}

/* A frame that comes late into a gap brings its changes as well. */
static void
test_frame_store_applies_late_alarm_changes(void **state)
{
	struct fixture *fixture = *state;
	struct alarmed alarmed = make_alarmed(fixture);
	struct frame_row went = alarm_row(&alarmed, 3, 1);
	struct frame_row came = alarm_row(&alarmed, 1, 0);
	int64_t sequence;

	assert_int_equal(store_rows(fixture, &went, 1, &sequence), RC_OK);
	assert_int_equal(store_rows(fixture, &came, 1, &sequence), RC_OK);
	assert_int_equal(sequence, 3);
	assert_int_equal(count_of(fixture, TEST_ALARM, alarmed.variable_id), 1);
	assert_int_equal(count(fixture, TEST_FRAMES), 2);
}

/* Either all of a batch is there or nothing. */
static void
test_frame_store_keeps_nothing_when_an_alarm_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct alarmed alarmed = make_alarmed(fixture);
	struct frame_row rows[] = {
		alarm_row(&alarmed, 1, 2), alarm_row(&alarmed, 2, 0)};
	int64_t sequence;

	alarmed.changes[0].variable_id = 0;
	assert_int_not_equal(store_rows(fixture, rows, 2, &sequence), RC_OK);
	assert_int_equal(count(fixture, TEST_FRAMES), 0);
	assert_int_equal(count(fixture, TEST_EVENTS), 0);
	alarmed.changes[0].variable_id = alarmed.variable_id;
	assert_int_equal(store_rows(fixture, rows, 2, &sequence), RC_OK);
	assert_int_equal(count(fixture, TEST_FRAMES), 2);
}

static void
test_frame_store_keeps_the_position(void **state)
{
	struct fixture *fixture = *state;
	struct node_position position;

	assert_int_equal(store(fixture, 1, 3), 3);
	assert_int_equal(store(fixture, 4, 4), 4);
	assert_int_equal(node_position_find(fixture->db, fixture->arena,
				 fixture->node_id, &position, &fixture->fault),
		RC_OK);
	assert_true(position.sequence == 4);
	assert_true(position.spool_id == UINT64_C(0xfedcba9876543210));
	assert_int_equal(count(fixture, TEST_FRAMES), 4);
	assert_int_equal(count(fixture, TEST_EVENTS), 4);
}

static void
test_frame_store_ignores_duplicates(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(store(fixture, 1, 5), 5);
	assert_int_equal(store(fixture, 1, 5), 5);
	assert_int_equal(store(fixture, 2, 2), 5);
	assert_int_equal(store(fixture, 4, 8), 8);
	assert_int_equal(count(fixture, TEST_FRAMES), 8);
	assert_int_equal(count(fixture, TEST_EVENTS), 8);
}

static void
test_frame_store_ignores_what_is_packed(void **state)
{
	struct fixture *fixture = *state;

	store(fixture, 1, 5);
	assert_int_equal(db_exec(fixture->owner, &test_stmts[TEST_FORGET],
				 PARAMS(P_SHORT(fixture->node_id), P_INT(3)),
				 NULL, &fixture->fault),
		RC_OK);
	assert_int_equal(store(fixture, 3, 3), 5);
	assert_int_equal(count(fixture, TEST_FRAMES), 4);
}

static void
test_frame_store_refuses_other_content(void **state)
{
	struct fixture *fixture = *state;
	struct frame_row rows[2] = {make_row(2, 99), make_row(6, 6)};
	int64_t sequence;

	store(fixture, 1, 5);
	assert_int_equal(store_rows(fixture, rows, 2, &sequence), RC_CONFLICT);
	assert_string_equal(fixture->fault.code, "SequenceConflict");
	rows[0] = make_row(2, 2);
	rows[0].head.spool_id = rows[1].head.spool_id = 7;
	assert_int_equal(store_rows(fixture, rows, 2, &sequence), RC_CONFLICT);
	assert_int_equal(count(fixture, TEST_FRAMES), 5);
	assert_int_equal(store_rows(fixture, rows + 1, 1, &sequence), RC_OK);
	assert_int_equal(count(fixture, TEST_FRAMES), 6);
}

static void
test_frame_store_fills_gaps(void **state)
{
	struct fixture *fixture = *state;
	struct frame_row rows[3] = {
		make_row(1, 1), make_row(4, 4), make_row(9, 9)};
	int64_t sequence;

	assert_int_equal(store_rows(fixture, rows, 3, &sequence), RC_OK);
	assert_int_equal(store(fixture, 12, 12), 12);
	assert_int_equal(store(fixture, 2, 3), 12);
	assert_int_equal(store(fixture, 10, 14), 14);
	assert_int_equal(store(fixture, 10, 14), 14);
	assert_int_equal(count(fixture, TEST_FRAMES), 10);
	assert_int_equal(store(fixture, 5, 8), 14);
	assert_int_equal(count(fixture, TEST_FRAMES), 14);
	assert_int_equal(count(fixture, TEST_EVENTS), 14);
}

static void
test_frame_store_replays_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct frame_stored *frames;
	size_t frame_count;

	store(fixture, 1, 20);
	assert_int_equal(
		frame_replay(fixture->db, fixture->arena, fixture->node_id, 2,
			&frames, &frame_count, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_count, 16);
	for (size_t i = 0; i < frame_count; i++)
		assert_true(frames[i].sequence == (int64_t)i + 3);
	assert_int_equal(frames[0].body.length, 4);
	assert_int_equal(
		frame_replay(fixture->db, fixture->arena, fixture->node_id, 20,
			&frames, &frame_count, &fixture->fault),
		RC_OK);
	assert_int_equal(frame_count, 0);
}

#define SENDERS 4
#define SENT    40

/* Several connections send the same frames, in different orders. */
struct sender {
	pthread_t thread;
	struct fixture fixture;
	int number;
	bool good;
};

static void *
send_all(void *context)
{
	struct sender *sender = context;

	sender->good = true;
	for (int i = 0; i < SENT; i++) {
		int at = (i * 7 + sender->number * 13) % SENT + 1;
		struct frame_row row = make_row(at, (uint32_t)at);
		int64_t sequence;

		if (store_rows(&sender->fixture, &row, 1, &sequence) != RC_OK ||
			sequence < at)
			sender->good = false;
	}
	return NULL;
}

static void
test_frame_store_is_safe_with_many_senders(void **state)
{
	struct fixture *fixture = *state;
	struct sender senders[SENDERS];

	for (int i = 0; i < SENDERS; i++) {
		senders[i].fixture = *fixture;
		senders[i].fixture.db = open_db("fieldgrid_hub");
		senders[i].fixture.arena = arena_new();
		senders[i].number = i;
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
					 send_all, &senders[i]),
			0);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_true(senders[i].good);
		db_close(senders[i].fixture.db);
		arena_free(senders[i].fixture.arena);
	}
	assert_int_equal(count(fixture, TEST_FRAMES), SENT);
	assert_int_equal(count(fixture, TEST_EVENTS), SENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_frame_store_keeps_the_position, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_ignores_duplicates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_ignores_what_is_packed, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_refuses_other_content, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_fills_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_replays_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_applies_alarm_changes_once, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_applies_late_alarm_changes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_keeps_nothing_when_an_alarm_is_refused,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_frame_store_is_safe_with_many_senders, set_up,
			tear_down),
	};

	conf.host = getenv("FIELDGRID_TEST_HOST");
	if (conf.host == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
