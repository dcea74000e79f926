/* live: who gets which text, and when. */

#include "model/live.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

/* A client that keeps its last text. */
struct client {
	char text[4096];
	int texts;
	int closed;
	size_t pending;
};

static size_t
fake_pending(void *context)
{
	return ((struct client *)context)->pending;
}

static void
fake_send(void *context, struct live_text *text)
{
	struct client *client = context;

	snprintf(client->text, sizeof(client->text), "%s", text->buf.data);
	client->texts++;
	live_text_free(text);
}

static void
fake_close(void *context)
{
	((struct client *)context)->closed++;
}

static const struct live_sink sink = {fake_pending, fake_send, fake_close};
static const uint8_t secret[32] = {1};
static const uint8_t other_secret[32] = {2};
static struct caller caller = {
	.kind = CALLER_USER,
	.id = 1,
	.subject = "s",
	.name = "n",
	.scopes = "",
	.expires_us = INT64_MAX,
};

struct world {
	struct image *image;
	struct live *live;
	char id[LIVE_ID_BYTES];
};

static struct world
make_world(void)
{
	static const uint8_t uuid[16] = {0xab};
	struct variable variables[] = {
		{.id = 1,
			.datasource_id = 1,
			.name = "a",
			.kind = VALUE_FLOAT,
			.access = ACCESS_READ},
		{.id = 2,
			.datasource_id = 1,
			.name = "b",
			.kind = VALUE_INT,
			.access = ACCESS_READ},
		{.id = 3,
			.datasource_id = 1,
			.name = "c",
			.kind = VALUE_BOOL,
			.access = ACCESS_READ},
	};
	struct world world = {.image = image_new()};

	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
		variables[i].unit = variables[i].description = "";
	image_define_datasource(world.image, 1, uuid, "plant");
	image_define(world.image, variables, ARRAY_LENGTH(variables));
	world.live = live_new(world.image, &sink);
	return world;
}

static void
free_world(struct world *world)
{
	live_free(world->live);
	image_free(world->image);
}

/* Variables a and b. */
static void
make_stream(struct world *world)
{
	struct image_variable *variables[] = {
		image_variable(world->image, 1),
		image_variable(world->image, 2),
	};
	struct live_order order = {.caller = &caller,
		.choices[LIVE_VALUES] = {.variables = variables, .count = 2}};
	struct fault fault;

	memcpy(order.secret, secret, sizeof(secret));
	assert_int_equal(
		live_register(world->live, &order, world->id, &fault), RC_OK);
}

static void
put(struct world *world, int32_t id, int64_t number, int64_t time_us)
{
	struct sample sample = {.variable_id = id, .time_us = time_us};

	sample.value.kind = image_variable(world->image, id)->meta.kind;
	if (sample.value.kind == VALUE_FLOAT)
		sample.value.number = (double)number;
	else
		sample.value.integer = number;
	image_begin(world->image);
	image_put(world->image, &sample, time_us);
	image_end(world->image, 0, 0);
}

static void
test_live_starts_with_a_snapshot(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};

	(void)state;
	put(&world, 1, 5, 1500000);
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	assert_int_equal(client.texts, 1);
	assert_ptr_equal(
		strstr(client.text, "event: snapshot\nid: "), client.text);
	assert_non_null(strstr(
		client.text, "\"values\":[[0,5,1500,0],[1,null,null,0]]"));
	assert_non_null(strstr(client.text, "\"datasources\":[[\"ab00"));
	assert_non_null(strstr(client.text, "\"Offline\",null]]}\n\n"));
	free_world(&world);
}

static void
test_live_sends_only_what_changed(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	int64_t now_us = clock_steady_us();

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	put(&world, 2, 7, 2000000);
	live_tick(world.live, now_us);
	assert_int_equal(client.texts, 2);
	assert_ptr_equal(strstr(client.text, "event: values\n"), client.text);
	assert_non_null(strstr(client.text, "\"values\":[[1,7,2000,0]]}"));
	free_world(&world);
}

static void
test_live_conflates_to_ten_a_second(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	int64_t now_us = clock_steady_us();
	int64_t next_us;

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	put(&world, 1, 1, 1000000);
	live_tick(world.live, now_us);
	put(&world, 1, 2, 2000000);
	next_us = live_tick(world.live, now_us + 1000);
	assert_int_equal(client.texts, 2);
	assert_true(next_us == now_us + 100000);
	put(&world, 1, 3, 3000000);
	live_tick(world.live, next_us);
	assert_int_equal(client.texts, 3);
	assert_non_null(strstr(client.text, "\"values\":[[0,3,3000,0]]}"));
	free_world(&world);
}

static void
test_live_is_silent_about_other_variables(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	put(&world, 3, 1, 1000000);
	live_tick(world.live, clock_steady_us());
	assert_int_equal(client.texts, 1);
	free_world(&world);
}

static void
test_live_beats_after_a_second_of_silence(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	live_tick(world.live, clock_steady_us() + CLOCK_SECOND_US + 1000);
	assert_int_equal(client.texts, 2);
	assert_ptr_equal(strstr(client.text, "event: beat\ndata: {\"time\":"),
		client.text);
	free_world(&world);
}

static void
test_live_says_when_a_plant_comes_online(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	image_set_online(world.image, 1, 4000000, true);
	live_tick(world.live, clock_steady_us());
	assert_int_equal(client.texts, 2);
	assert_non_null(
		strstr(client.text, "\"values\":[],\"datasources\":[["));
	assert_non_null(strstr(client.text, "\"Online\",4000]]"));
	free_world(&world);
}

static void
test_live_resumes_by_last_event_id(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	struct client again = {.texts = 0};
	char event_id[LIVE_EVENT_ID_BYTES];

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	assert_int_equal(
		sscanf(client.text, "event: snapshot id: %47s", event_id), 1);
	live_leave(world.live, &client);
	put(&world, 2, 9, 9000000);
	live_tick(world.live, clock_steady_us());
	live_connect(world.live, world.id, event_id, &again);
	assert_int_equal(client.texts, 1);
	assert_ptr_equal(strstr(again.text, "event: values\n"), again.text);
	assert_non_null(strstr(again.text, "\"values\":[[1,9,9000,0]]}"));
	live_connect(world.live, world.id, "0000000000000000-1", &client);
	assert_int_equal(again.closed, 1);
	assert_ptr_equal(strstr(client.text, "event: snapshot\n"), client.text);
	free_world(&world);
}

static void
test_live_leaves_out_a_slow_reader(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	int64_t now_us = clock_steady_us();

	(void)state;
	make_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	client.pending = LIVE_PENDING_BYTES + 1;
	put(&world, 1, 1, 1000000);
	live_tick(world.live, now_us);
	put(&world, 2, 2, 2000000);
	live_tick(world.live, now_us + 200000);
	live_tick(world.live, now_us + 3000000);
	assert_int_equal(client.texts, 1);
	client.pending = 0;
	live_tick(world.live, now_us + 3100000);
	assert_int_equal(client.texts, 2);
	assert_non_null(
		strstr(client.text, "\"values\":[[0,1,1000,0],[1,2,2000,0]]}"));
	put(&world, 2, 3, 3000000);
	live_tick(world.live, now_us + 3300000);
	assert_int_equal(client.texts, 3);
	assert_non_null(strstr(client.text, "\"values\":[[1,3,3000,0]]}"));
	free_world(&world);
}

static void
test_live_builds_one_text_for_a_group(void **state)
{
	struct world world = make_world();
	struct client clients[3] = {{.texts = 0}};

	(void)state;
	for (int i = 0; i < 3; i++) {
		make_stream(&world);
		live_connect(world.live, world.id, NULL, &clients[i]);
	}
	put(&world, 1, 1, 1000000);
	live_tick(world.live, clock_steady_us());
	for (int i = 0; i < 3; i++) {
		assert_int_equal(clients[i].texts, 2);
		assert_string_equal(clients[i].text, clients[0].text);
	}
	free_world(&world);
}

static void
test_live_ends_and_forgets(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	struct fault fault;

	(void)state;
	make_stream(&world);
	assert_int_equal(live_check(world.live, world.id, other_secret, &fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(
		live_check(world.live, "x", secret, &fault), RC_NOT_FOUND);
	assert_int_equal(
		live_check(world.live, world.id, secret, &fault), RC_OK);
	live_connect(world.live, world.id, NULL, &client);
	live_end(world.live, &caller, LIVE_LOGGED_OUT);
	live_tick(world.live, clock_steady_us());
	assert_string_equal(client.text,
		"event: end\ndata: {\"reason\":\"logged_out\"}\n\n");
	assert_int_equal(client.closed, 1);
	assert_int_equal(
		live_check(world.live, world.id, secret, &fault), RC_NOT_FOUND);
	make_stream(&world);
	live_tick(world.live, clock_steady_us() + 59 * CLOCK_SECOND_US);
	assert_int_equal(
		live_check(world.live, world.id, secret, &fault), RC_OK);
	live_tick(world.live, clock_steady_us() + 61 * CLOCK_SECOND_US);
	assert_int_equal(
		live_check(world.live, world.id, secret, &fault), RC_NOT_FOUND);
	free_world(&world);
}

/* --- news ----------------------------------------------------------------- */

/* A stream of alarms of variable 2, and of all events of the datasource. */
static void
make_news_stream(struct world *world)
{
	struct image_variable *variable = image_variable(world->image, 2);
	struct image_datasource *datasource = variable->datasource;
	struct live_order order = {.caller = &caller,
		.choices[LIVE_ALARMS] = {.variables = &variable, .count = 1},
		.choices[LIVE_EVENTS] = {
			.whole = &datasource, .whole_count = 1}};
	struct fault fault;

	memcpy(order.secret, secret, sizeof(secret));
	assert_int_equal(
		live_register(world->live, &order, world->id, &fault), RC_OK);
}

static void
tell(struct world *world, enum live_subject subject, int64_t datasource_id,
	int32_t variable_id, const char *json)
{
	const struct live_news news = {
		subject, datasource_id, variable_id, json};

	live_news_add(world->live, &news, 1);
}

static void
read_event_id(const struct client *client, char id[LIVE_EVENT_ID_BYTES])
{
	assert_int_equal(sscanf(client->text, "event: %*s id: %71s", id), 1);
}

static void
test_live_tells_news_of_what_was_chosen(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	int64_t datasource = image_variable(world.image, 2)->datasource->id;

	(void)state;
	assert_false(live_news_wanted(world.live));
	make_news_stream(&world);
	assert_true(live_news_wanted(world.live));
	live_connect(world.live, world.id, NULL, &client);
	assert_null(strstr(client.text, "alarms"));
	tell(&world, LIVE_ALARMS, datasource, 1, "1");
	tell(&world, LIVE_ALARMS, datasource, 2, "2");
	tell(&world, LIVE_EVENTS, datasource, 2, "3");
	tell(&world, LIVE_EVENTS, datasource, 0, "4");
	tell(&world, LIVE_EVENTS, 0, 0, "5");
	tell(&world, LIVE_EVENTS, datasource + 1, 0, "6");
	live_tick(world.live, clock_steady_us());
	assert_int_equal(client.texts, 2);
	assert_non_null(strstr(
		client.text, "\"values\":[],\"alarms\":[2],\"events\":[4,5]}"));
	live_tick(world.live, clock_steady_us() + CLOCK_SECOND_US / 2);
	assert_int_equal(client.texts, 2);
	free_world(&world);
}

static void
test_live_resumes_news_by_last_event_id(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	struct client again = {.texts = 0};
	struct client other = {.texts = 0};
	char event_id[LIVE_EVENT_ID_BYTES];

	(void)state;
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	tell(&world, LIVE_ALARMS, 1, 2, "7");
	live_tick(world.live, clock_steady_us());
	read_event_id(&client, event_id);
	live_leave(world.live, &client);
	tell(&world, LIVE_ALARMS, 1, 2, "8");
	live_connect(world.live, world.id, event_id, &again);
	assert_non_null(strstr(again.text, "event: values\n"));
	assert_non_null(strstr(again.text, "\"alarms\":[8]"));
	live_leave(world.live, &again);
	live_news_lost(world.live);
	live_connect(world.live, world.id, event_id, &other);
	assert_non_null(strstr(other.text, "event: snapshot\n"));
	free_world(&world);
}

/* One that joins is not told twice what the group has still to be told. */
static void
test_live_tells_news_once_to_who_joins(void **state)
{
	struct world world = make_world();
	struct client first = {.texts = 0};
	struct client second = {.texts = 0};

	(void)state;
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &first);
	tell(&world, LIVE_ALARMS, 1, 2, "1");
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &second);
	assert_non_null(strstr(first.text, "\"alarms\":[1]"));
	assert_non_null(strstr(second.text, "event: snapshot\n"));
	tell(&world, LIVE_ALARMS, 1, 2, "2");
	live_tick(world.live, clock_steady_us() + CLOCK_SECOND_US / 2);
	assert_non_null(strstr(first.text, "\"alarms\":[2]"));
	assert_non_null(strstr(second.text, "\"alarms\":[2]"));
	assert_int_equal(second.texts, 2);
	free_world(&world);
}

static void
test_live_keeps_news_for_a_slow_reader(void **state)
{
	struct world world = make_world();
	struct client slow = {.texts = 0};
	struct client quick = {.texts = 0};
	int64_t now_us = clock_steady_us();

	(void)state;
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &slow);
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &quick);
	slow.pending = LIVE_PENDING_BYTES + 1;
	for (int i = 1; i <= 3; i++) {
		tell(&world, LIVE_ALARMS, 1, 2, i == 1 ? "1" : "23");
		live_tick(world.live, now_us + i * CLOCK_SECOND_US / 5);
	}
	assert_int_equal(quick.texts, 4);
	assert_int_equal(slow.texts, 1);
	slow.pending = 0;
	live_tick(world.live, now_us + 4 * CLOCK_SECOND_US / 5);
	assert_int_equal(slow.texts, 2);
	assert_non_null(strstr(slow.text, "\"alarms\":[1,23,23]"));
	free_world(&world);
}

/* The oldest go first, and who had not read them begins anew. */
static void
test_live_forgets_the_oldest_news(void **state)
{
	struct world world = make_world();
	struct client client = {.texts = 0};
	int64_t now_us = clock_steady_us();

	(void)state;
	make_news_stream(&world);
	live_connect(world.live, world.id, NULL, &client);
	for (int i = 0; i < LIVE_NEWS_MAX; i++)
		tell(&world, LIVE_ALARMS, 1, 1, "1");
	live_tick(world.live, now_us);
	assert_int_equal(client.texts, 1);
	tell(&world, LIVE_ALARMS, 1, 2, "2");
	live_tick(world.live, now_us + CLOCK_SECOND_US / 5);
	assert_non_null(strstr(client.text, "\"alarms\":[2]"));
	client.pending = LIVE_PENDING_BYTES + 1;
	for (int i = 0; i <= LIVE_NEWS_MAX; i++)
		tell(&world, LIVE_ALARMS, 1, 2, "3");
	client.pending = 0;
	live_tick(world.live, now_us + 2 * CLOCK_SECOND_US / 5);
	assert_non_null(strstr(client.text, "event: snapshot\n"));
	free_world(&world);
}

static void
test_live_limits_the_streams_of_a_caller(void **state)
{
	static struct client clients[LIVE_PER_CALLER_MAX];
	struct world world = make_world();
	struct image_variable *variable = image_variable(world.image, 1);
	struct live_order order = {.caller = &caller,
		.choices[LIVE_VALUES] = {.variables = &variable, .count = 1}};
	struct fault fault;
	char id[LIVE_ID_BYTES];

	(void)state;
	/* Those that nobody connects to make room. */
	for (int i = 0; i < 2 * LIVE_PER_CALLER_MAX; i++)
		make_stream(&world);
	for (int i = 0; i < LIVE_PER_CALLER_MAX; i++) {
		make_stream(&world);
		live_connect(world.live, world.id, NULL, &clients[i]);
	}
	assert_int_equal(
		live_register(world.live, &order, id, &fault), RC_TOO_MANY);
	live_leave(world.live, &clients[5]);
	assert_int_equal(live_register(world.live, &order, id, &fault), RC_OK);
	free_world(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_starts_with_a_snapshot),
		cmocka_unit_test(test_live_sends_only_what_changed),
		cmocka_unit_test(test_live_conflates_to_ten_a_second),
		cmocka_unit_test(test_live_is_silent_about_other_variables),
		cmocka_unit_test(test_live_beats_after_a_second_of_silence),
		cmocka_unit_test(test_live_says_when_a_plant_comes_online),
		cmocka_unit_test(test_live_resumes_by_last_event_id),
		cmocka_unit_test(test_live_leaves_out_a_slow_reader),
		cmocka_unit_test(test_live_builds_one_text_for_a_group),
		cmocka_unit_test(test_live_ends_and_forgets),
		cmocka_unit_test(test_live_tells_news_of_what_was_chosen),
		cmocka_unit_test(test_live_resumes_news_by_last_event_id),
		cmocka_unit_test(test_live_tells_news_once_to_who_joins),
		cmocka_unit_test(test_live_keeps_news_for_a_slow_reader),
		cmocka_unit_test(test_live_forgets_the_oldest_news),
		cmocka_unit_test(test_live_limits_the_streams_of_a_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
