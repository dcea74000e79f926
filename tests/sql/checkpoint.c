/* checkpoint: what a hub knows again after a crash, on a real server.
 * FIELDGRID_TEST_HOST is the socket folder of a scratch cluster; without it
 * the test is skipped (exit 77). */

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"
#include "model/checkpoint.h"
#include "model/chunk.h"
#include "model/datasource.h"

static struct db_conf conf = {.port = 5432,
	.name = "fieldgrid",
	.user = "fieldgrid_owner",
	.password_file = "",
	.sslmode = "disable",
	.statement_timeout_ms = 5000};

static const struct stmt test_stmts[] = {
	/* $1 variable $2 first $3 last $4 samples $5 body */
	{"test_chunk", "niinb",
		"INSERT INTO chunk (variable_id, first_us, last_us, samples"
		"     , good, total, integral, good_us, worst, body)"
		" VALUES ($1, $2, $3, $4, $4, 0, 0, 0, 0, $5)"},
	/* November 2023, where these chunks are */
	{"test_partition", "",
		"SELECT chunk_partition_create("
		"1698796800000000, 1701388800000000)"},
	STMT_END,
};

/* A plant with a number and a text, in the database and in an image. */
struct fixture {
	struct db *owner;
	struct db *hub;
	struct arena *arena;
	struct datasource plant;
	struct variable_list variables;
	struct image *image;
	struct fault fault;
};

static struct image *
make_image(const struct fixture *fixture)
{
	struct image *image = image_new();

	image_define_datasource(image, (int32_t)fixture->plant.id,
		fixture->plant.uuid, fixture->plant.name);
	image_define(image, fixture->variables.items, fixture->variables.count);
	return image;
}

static int
set_up(void **state)
{
	static const struct stmt *const owners[] = {
		datasource_stmts, variable_stmts, test_stmts, NULL};
	static const struct stmt *const hubs[] = {checkpoint_stmts, NULL};
	static const struct variable drafts[] = {
		{.name = "number",
			.kind = VALUE_FLOAT,
			.unit = "",
			.description = ""},
		{.name = "text",
			.kind = VALUE_STRING,
			.unit = "",
			.description = ""},
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct db_conf as_hub = conf;
	char name[UUID_TEXT_BYTES];
	uint8_t uuid[UUID_BYTES];

	as_hub.user = "fieldgrid_hub";
	uuid_random(uuid);
	uuid_format(name, uuid);
	fixture->arena = arena_new();
	assert_int_equal(db_open(&conf, "test", owners, &fixture->owner,
				 &fixture->fault),
		RC_OK);
	assert_int_equal(
		db_open(&as_hub, "test", hubs, &fixture->hub, &fixture->fault),
		RC_OK);
	assert_int_equal(datasource_create(fixture->owner, fixture->arena, uuid,
				 name, "", &fixture->plant, &fixture->fault),
		RC_OK);
	assert_int_equal(
		variable_put(fixture->owner, fixture->arena, fixture->plant.id,
			drafts, ARRAY_LENGTH(drafts), &fixture->variables,
			&fixture->fault),
		RC_OK);
	fixture->image = make_image(fixture);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	image_free(fixture->image);
	db_close(fixture->owner);
	db_close(fixture->hub);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static struct sample
make_number(const struct fixture *fixture, double number, int64_t time_us)
{
	return (struct sample){
		.variable_id = fixture->variables.items[0].id,
		.time_us = time_us,
		.status = STATUS_SPONT,
		.value = {.kind = VALUE_FLOAT, .number = number},
	};
}

static struct sample
make_text(const struct fixture *fixture, const char *text, int64_t time_us)
{
	return (struct sample){
		.variable_id = fixture->variables.items[1].id,
		.time_us = time_us,
		.value = {.kind = VALUE_STRING,
			.string = {text, (uint32_t)strlen(text)}},
	};
}

static void
put(struct image *image, struct sample sample, int64_t sequence)
{
	image_begin(image);
	image_put(image, &sample, sample.time_us);
	image_end(image, 4, sequence);
}

static void
store_chunk(struct fixture *fixture, const struct sample *samples, size_t count)
{
	struct chunk_summary summary;
	struct buf body;

	buf_init(&body, 0);
	assert_int_equal(
		chunk_encode(samples, count, &body, &summary, &fixture->fault),
		RC_OK);
	if (db_exec(fixture->owner, &test_stmts[0],
		    PARAMS(P_SHORT(samples[0].variable_id),
			    P_INT(summary.first_us), P_INT(summary.last_us),
			    P_SHORT((int64_t)count),
			    P_BYTES(body.data, body.length)),
		    NULL, &fixture->fault) != RC_OK)
		fail_msg("%s", fixture->fault.text);
	buf_free(&body);
}

static const struct image_variable *
find(const struct fixture *fixture, int index)
{
	return image_variable(
		fixture->image, fixture->variables.items[index].id);
}

static void
test_checkpoint_brings_values_and_positions_back(void **state)
{
	struct fixture *fixture = *state;

	put(fixture->image, make_number(fixture, 1.5, 1000), 7);
	put(fixture->image, make_text(fixture, "on", 2000), 8);
	for (int i = 0; i < 2; i++) /* the second replaces the first */
		assert_int_equal(
			checkpoint_write(fixture->hub, fixture->plant.name,
				fixture->image, &fixture->fault),
			RC_OK);
	image_free(fixture->image);
	fixture->image = make_image(fixture);
	assert_int_equal(
		checkpoint_read(fixture->hub, fixture->arena,
			fixture->plant.name, fixture->image, &fixture->fault),
		RC_OK);
	assert_true(find(fixture, 0)->value.number == 1.5);
	assert_string_equal(find(fixture, 1)->value.string.data, "on");
	assert_true(image_position(fixture->image, 4) == 8);
}

static void
test_checkpoint_that_is_not_there_is_no_fault(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(checkpoint_read(fixture->hub, fixture->arena, "nobody",
				 fixture->image, &fixture->fault),
		RC_OK);
	assert_int_equal(find(fixture, 0)->value.kind, VALUE_NONE);
}

static void
test_checkpoint_takes_newer_values_from_chunks(void **state)
{
	struct fixture *fixture = *state;
	const int64_t base_us = INT64_C(1700000000000000);
	struct sample older[] = {make_number(fixture, 1, base_us),
		make_number(fixture, 2, base_us + 10)};
	struct sample newer[] = {make_number(fixture, 3, base_us + 20),
		make_number(fixture, 4, base_us + 30)};
	struct sample text[] = {make_text(fixture, "old", base_us)};

	assert_int_equal(db_exec(fixture->owner, &test_stmts[1], NO_PARAMS,
				 NULL, &fixture->fault),
		RC_OK);
	store_chunk(fixture, newer, 2);
	store_chunk(fixture, older, 2);
	store_chunk(fixture, text, 1);
	put(fixture->image, make_number(fixture, 9, base_us + 25), 1);
	put(fixture->image, make_text(fixture, "new", base_us + 5), 2);
	assert_int_equal(checkpoint_read_chunks(fixture->hub, fixture->arena,
				 fixture->image, &fixture->fault),
		RC_OK);
	assert_true(find(fixture, 0)->value.number == 4);
	assert_true(find(fixture, 0)->status == STATUS_SPONT);
	assert_string_equal(find(fixture, 1)->value.string.data, "new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_checkpoint_brings_values_and_positions_back,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_checkpoint_that_is_not_there_is_no_fault, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_checkpoint_takes_newer_values_from_chunks, set_up,
			tear_down),
	};

	conf.host = getenv("FIELDGRID_TEST_HOST");
	if (conf.host == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
