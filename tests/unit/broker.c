/* broker: options are checked before anything is connected. */

#include "agents/broker.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct fault fault;

static enum rc
try_open(const struct broker_options *options)
{
	static const struct broker_calls calls = {.context = NULL};
	struct broker *broker;
	enum rc rc = broker_open(options, &calls, &broker, &fault);

	if (rc == RC_OK)
		broker_close(broker);
	return rc;
}

static struct broker_options
good_options(void)
{
	return (struct broker_options){.url = "mqtt://localhost",
		.client_id = "unit",
		.ca = "",
		.certificate = "",
		.key = "",
		.user = "",
		.password = "",
		.keepalive_s = 30};
}

static void
test_broker_takes_addresses(void **state)
{
	static const char *const urls[] = {"mqtt://localhost",
		"mqtt://10.0.0.1:1884", "mqtts://broker.example",
		"mqtts://broker.example:1", "mqtt://[::1]:1883"};
	struct broker_options options = good_options();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
		options.url = urls[i];
		assert_int_equal(try_open(&options), RC_OK);
	}
}

static void
test_broker_refuses_addresses(void **state)
{
	static const char *const urls[] = {"", "localhost", "http://x",
		"mqtt://", "mqtt://:1", "mqtt://h:", "mqtt://h:0",
		"mqtt://h:65536", "mqtt://h:12x", "mqtt://h/path"};
	struct broker_options options = good_options();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
		options.url = urls[i];
		assert_int_equal(try_open(&options), RC_BAD_INPUT);
		assert_non_null(strstr(fault.text, "mqtts://HOST"));
	}
}

static void
refuse(const struct broker_options *options, enum rc rc, const char *words)
{
	assert_int_equal(try_open(options), rc);
	if (strstr(fault.text, words) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fault.text, words);
}

static void
test_broker_says_what_is_wrong(void **state)
{
	struct broker_options options = good_options();

	(void)state;
	options.client_id = "";
	refuse(&options, RC_BAD_INPUT, "client_id is empty");
	options = good_options();
	options.password = "/dev/null";
	refuse(&options, RC_BAD_INPUT, "without user");
	options.user = "u";
	refuse(&options, RC_IO, "/dev/null");
	options = good_options();
	options.ca = "/etc/hostname";
	refuse(&options, RC_BAD_INPUT, "need mqtts://");
	options.url = "mqtts://h";
	options.ca = "/nowhere/ca.pem";
	refuse(&options, RC_IO, "/nowhere/ca.pem");
	options.ca = "";
	options.certificate = "/etc/hostname";
	refuse(&options, RC_BAD_INPUT, "belong together");
}

static void
test_broker_knows_topics_from_filters(void **state)
{
	(void)state;
	assert_true(broker_topic_valid("a/b c/ä"));
	assert_false(broker_topic_valid(""));
	assert_false(broker_topic_valid("a/+/b"));
	assert_false(broker_topic_valid("a/#"));
	assert_true(broker_filter_valid("a/+/b/#"));
	assert_false(broker_filter_valid("a/b+"));
	assert_false(broker_filter_valid("a/#/b"));
	assert_false(broker_filter_valid(""));
}

static void
test_broker_publishes_only_when_connected(void **state)
{
	static const struct broker_calls calls = {.context = NULL};
	struct broker_options options = good_options();
	struct broker_publication publication = {
		.topic = "a", .data = "1", .bytes = 1};
	struct broker *broker;

	(void)state;
	options.url = "mqtt://127.0.0.1:9"; /* nobody is there */
	assert_int_equal(broker_open(&options, &calls, &broker, &fault), RC_OK);
	assert_int_equal(broker_start(broker, &fault), RC_OK);
	assert_int_equal(broker_publish(broker, &publication, NULL, &fault),
		RC_UNAVAILABLE);
	assert_false(broker_is_connected(broker));
	broker_close(broker);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broker_takes_addresses),
		cmocka_unit_test(test_broker_refuses_addresses),
		cmocka_unit_test(test_broker_says_what_is_wrong),
		cmocka_unit_test(test_broker_knows_topics_from_filters),
		cmocka_unit_test(test_broker_publishes_only_when_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
