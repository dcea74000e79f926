/* driver_mqtt: values from an MQTT broker, plain, JSON or Sparkplug B. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/driver_mqtt_parts.h"
#include "agents/plant_clock.h"
#include "agents/sparkplug_payload.h"
#include "lib/clock.h"
#include "lib/log.h"

/* What one poll may take, so that it fits into one frame. */
#define POLL_MESSAGES 4000
#define POLL_BYTES    ((size_t)1024 * 1024)
#define POLL_US       (CLOCK_SECOND_US / 2) /* time-outs are looked at */
#define ROOM_WAIT_NS  1000000
#define TELL_US       CLOCK_MINUTE_US
#define KIB           1024

#define OPTION(field) offsetof(struct mqtt_options, field)

static const struct conf_entry mqtt_conf[] = {
	BROKER_CONF("mqtt", OPTION(broker)),
	{"mqtt", "topic", CONF_TEXT, OPTION(topic), "{address}", 0, 0,
		"topic of a variable, with {address} or {name} in it"},
	{"mqtt", "subscribe", CONF_LIST, OPTION(subscribe), "", 0, 0,
		"topic filters instead of one subscription for each topic"},
	{"mqtt", "qos", CONF_INT, OPTION(qos), "1", 0, 1,
		"1: the broker keeps messages until they are on our disk"},
	{"mqtt", "ring_kib", CONF_INT, OPTION(ring_kib), "1024", 64, 65536,
		"memory for messages that wait for the sampler, KiB"},
	{"mqtt", "invalid_after_s", CONF_INT, OPTION(invalid_after_s), "30", 1,
		86400, "without the broker so long variables are INVALID, s"},
	{"mqtt", "command_topic", CONF_TEXT, OPTION(command_topic),
		"{topic}/set", 0, 0, "where values are written to"},
	{"mqtt", "command_payload", CONF_TEXT, OPTION(command_payload),
		"{value}", 0, 0, "message of a write, with {value} in it"},
	{"mqtt", "feedback_topic", CONF_TEXT, OPTION(feedback_topic), "", 0, 0,
		"where the new value is confirmed; empty: the variable's own"},
	{"mqtt", "feedback_ms", CONF_INT, OPTION(feedback_ms), "5000", 50,
		600000, "longest wait for the feedback, ms"},
	{"mqtt", "sparkplug_host", CONF_TEXT, OPTION(sparkplug_host), "", 0, 0,
		"id of this primary host, whose STATE is published"},
	CONF_END,
};

/* --- the broker's thread ------------------------------------------------- */

static void
wake_sampler(struct mqtt *mqtt)
{
	if (atomic_exchange(&mqtt->idle, false))
		mqtt->setup.wake(mqtt->setup.wake_context);
}

static const char *
state_topic(const struct mqtt *mqtt, char *room, size_t bytes)
{
	snprintf(
		room, bytes, "spBv1.0/STATE/%s", mqtt->options->sparkplug_host);
	return room;
}

/* A primary host's STATE, which its nodes wait for. */
static const char *
state_text(const struct mqtt *mqtt, bool online, char *room, size_t bytes)
{
	snprintf(room, bytes, "{\"online\":%s,\"timestamp\":%" PRId64 "}",
		online ? "true" : "false", mqtt->state_us / 1000);
	return room;
}

static void
publish_state(struct mqtt *mqtt, bool online)
{
	char topic[300];
	char text[80];
	struct fault fault;
	struct broker_publication publication = {.qos = 1, .retain = true};

	if (mqtt->options->sparkplug_host[0] == '\0')
		return;
	publication.topic = state_topic(mqtt, topic, sizeof(topic));
	publication.data = state_text(mqtt, online, text, sizeof(text));
	publication.bytes = strlen(text);
	if (broker_publish(mqtt->broker, &publication, NULL, &fault) != RC_OK)
		log_warn(NULL, "STATE: %s", fault.text);
}

static void
on_connecting(void *context)
{
	struct mqtt *mqtt = context;
	char topic[300];
	char text[80];

	if (mqtt->options->sparkplug_host[0] == '\0')
		return;
	mqtt->state_us = plant_clock_us();
	broker_will(mqtt->broker, state_topic(mqtt, topic, sizeof(topic)),
		state_text(mqtt, false, text, sizeof(text)));
}

/* Also when the session was kept: retained messages come again, and the list
 * of variables may have changed. */
static void
on_connected(void *context, bool session_present)
{
	struct mqtt *mqtt = context;
	struct fault fault;

	(void)session_present;
	for (size_t i = 0; i < mqtt->filter_count; i += BROKER_SUBSCRIBE_MAX) {
		size_t rest = mqtt->filter_count - i;

		if (broker_subscribe(mqtt->broker, mqtt->filters + i,
			    rest < BROKER_SUBSCRIBE_MAX ? rest
							: BROKER_SUBSCRIBE_MAX,
			    (int)mqtt->options->qos, &fault) != RC_OK)
			log_error(NULL, "subscribing: %s", fault.text);
	}
	publish_state(mqtt, true);
	atomic_store(&mqtt->connected, true);
	wake_sampler(mqtt);
}

/* The rule of the full ring: what came with QoS 0 is given up and counted,
 * what came with QoS 1 waits, and with it all that is behind it. */
static void
drop(struct mqtt *mqtt, struct mqtt_route *route)
{
	atomic_fetch_add(&mqtt->count_dropped, 1);
	if (route != NULL)
		atomic_store(&route->lost, true);
	else
		atomic_store(&mqtt->lost_any, true);
}

/* False: the driver is being closed. */
static bool
wait_for_room(struct mqtt *mqtt, const struct mqtt_item *item)
{
	const struct timespec pause = {.tv_nsec = ROOM_WAIT_NS};

	while (!mqtt_ring_put(mqtt->ring, item)) {
		if (atomic_load(&mqtt->closing))
			return false;
		wake_sampler(mqtt);
		nanosleep(&pause, NULL);
	}
	return true;
}

static void
on_message(void *context, const struct broker_message *message)
{
	struct mqtt *mqtt = context;
	struct mqtt_route *route = NULL;
	struct mqtt_item item = {.arrived_us = plant_clock_us(),
		.topic = "",
		.data = message->data,
		.bytes = message->bytes,
		.retained = message->retained};

	if (sparkplug_is_topic(message->topic)) {
		item.route = MQTT_ROUTE_SPARKPLUG;
		item.topic = message->topic;
	} else {
		route = mqtt_route_find(mqtt, message->topic);
		if (route == NULL)
			return;
		item.route = (size_t)(route - mqtt->routes);
	}
	if (!mqtt_ring_put(mqtt->ring, &item)) {
		if (message->qos == 0 ||
			!mqtt_ring_fits(
				mqtt->ring, strlen(item.topic), item.bytes)) {
			drop(mqtt, route);
			return;
		}
		if (!wait_for_room(mqtt, &item)) {
			mqtt->owed_next = UINT64_MAX; /* never safe */
			return;
		}
	}
	if (message->qos == 0)
		wake_sampler(mqtt);
	else if (mqtt->owed_next != UINT64_MAX)
		mqtt->owed_next = mqtt_ring_end(mqtt->ring);
}

/* What one look at the connection brought becomes one frame: the broker is
 * not answered before its last message is on the disk anyway. */
static void
on_received(void *context)
{
	struct mqtt *mqtt = context;

	if (mqtt->owed_next == atomic_load(&mqtt->owed))
		return;
	atomic_store(&mqtt->owed, mqtt->owed_next);
	wake_sampler(mqtt);
}

static bool
is_settled(void *context)
{
	const struct mqtt *mqtt = context;

	return atomic_load(&mqtt->safe) >= atomic_load(&mqtt->owed);
}

/* --- Sparkplug ----------------------------------------------------------- */

static void
put_metric(void *context, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	struct mqtt *mqtt = context;

	mqtt->sink->put(mqtt->sink, index, time_us, status, raw);
}

static void
ask_for_birth(void *context, const char *group, const char *node)
{
	struct mqtt *mqtt = context;
	uint8_t payload[SPARKPLUG_REBIRTH_BYTES];
	char topic[600];
	struct fault fault;
	struct broker_publication publication = {.topic = topic,
		.data = payload,
		.bytes = sparkplug_rebirth_write(
			payload, sizeof(payload), plant_clock_us())};

	snprintf(topic, sizeof(topic), "spBv1.0/%s/NCMD/%s", group, node);
	if (broker_is_connected(mqtt->broker) &&
		broker_publish(mqtt->broker, &publication, NULL, &fault) !=
			RC_OK)
		log_warn(NULL, "asking for a birth: %s", fault.text);
}

/* --- opening ------------------------------------------------------------- */

static enum rc
check_options(const struct mqtt_options *options, struct fault *fault)
{
	const char *topic = options->topic;

	if (strstr(topic, "{address}") == NULL &&
		strstr(topic, "{name}") == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"[mqtt] topic = %.80s: needs {address} or {name}",
			topic);
	if (strstr(options->command_payload, "{value}") == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"[mqtt] command_payload = %.80s: needs {value}",
			options->command_payload);
	if (strlen(options->sparkplug_host) > 200 ||
		strpbrk(options->sparkplug_host, "/+#") != NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"[mqtt] sparkplug_host = %.80s: must be a name "
			"without / + #",
			options->sparkplug_host);
	return RC_OK;
}

static enum rc
open_broker(struct mqtt *mqtt, struct fault *fault)
{
	struct broker_options *options =
		arena_alloc(mqtt->arena, sizeof(*options));
	struct broker_calls calls = {.context = mqtt,
		.connecting = on_connecting,
		.connected = on_connected,
		.message = on_message,
		.received = on_received,
		.settled = is_settled};
	struct fault why = {0};
	enum rc rc;

	*options = mqtt->options->broker;
	options->keeps_session = mqtt->options->qos > 0;
	rc = broker_open(options, &calls, &mqtt->broker, &why);
	return rc == RC_OK ? rc : fault_set(fault, rc, "[mqtt] %s", why.text);
}

static enum rc
mqtt_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	struct mqtt *mqtt = arena_alloc(setup->arena, sizeof(*mqtt));
	struct sparkplug_calls calls = {
		.context = mqtt, .put = put_metric, .ask = ask_for_birth};
	enum rc rc;

	mqtt->options = setup->options;
	mqtt->list = setup->list;
	mqtt->setup = *setup;
	mqtt->arena = setup->arena;
	mqtt->scratch = arena_new();
	mqtt->away_us = CLOCK_NEVER;
	mqtt->sparkplug = sparkplug_new(setup->arena, &calls);
	mqtt->ring = mqtt_ring_new((size_t)mqtt->options->ring_kib * KIB);
	*state = mqtt;
	rc = check_options(mqtt->options, fault);
	if (rc == RC_OK)
		rc = mqtt_routes_make(mqtt, fault);
	return rc == RC_OK ? open_broker(mqtt, fault) : rc;
}

static void
mqtt_close(void *state)
{
	struct mqtt *mqtt = state;

	if (mqtt->started && broker_is_connected(mqtt->broker))
		publish_state(mqtt, false);
	/* Whatever is not on the disk now stays with the broker. */
	atomic_store(&mqtt->closing, true);
	broker_close(mqtt->broker);
	mqtt_routes_free(mqtt);
	mqtt_pending_free(mqtt);
	mqtt_ring_free(mqtt->ring);
	sparkplug_free(mqtt->sparkplug);
	arena_free(mqtt->scratch);
}

/* --- polling ------------------------------------------------------------- */

static void
take_item(struct mqtt *mqtt, const struct mqtt_item *item)
{
	struct fault fault = {0};

	if (item->route != MQTT_ROUTE_SPARKPLUG)
		mqtt_take(mqtt, &mqtt->routes[item->route], item);
	else if (!sparkplug_take(mqtt->sparkplug, item->topic, item->data,
			 item->bytes, item->arrived_us, &fault) &&
		 fault.rc != RC_OK)
		log_warn(NULL, "%s", fault.text);
}

/* False: the limits of one poll are reached. */
static bool
take_messages(struct mqtt *mqtt)
{
	struct mqtt_item item;
	size_t bytes = 0;

	for (size_t i = 0; mqtt_ring_peek(mqtt->ring, &item); i++) {
		if (i == POLL_MESSAGES || bytes > POLL_BYTES)
			return false;
		bytes += item.bytes;
		take_item(mqtt, &item);
		mqtt_ring_next(mqtt->ring);
	}
	return true;
}

static void
invalidate_all(struct mqtt *mqtt, int64_t now_us)
{
	for (size_t i = 0; i < mqtt->list->count; i++)
		mqtt->sink->put(mqtt->sink, i, now_us, STATUS_INVALID, NULL);
	notices_add(mqtt->setup.notices, "broker_lost",
		"no connection to the broker for %" PRId64
		" s: the variables are invalid",
		mqtt->options->invalid_after_s);
}

static void
watch_link(struct mqtt *mqtt, int64_t now_us, int64_t steady_us)
{
	if (atomic_exchange(&mqtt->connected, false) ||
		atomic_exchange(&mqtt->lost_any, false))
		sparkplug_doubt(mqtt->sparkplug);
	if (broker_is_connected(mqtt->broker)) {
		if (mqtt->told_invalid)
			notices_add(mqtt->setup.notices, "broker_back",
				"connected to the broker again");
		mqtt->told_invalid = false;
		mqtt->away_us = CLOCK_NEVER;
		sparkplug_tick(mqtt->sparkplug, now_us, steady_us);
		return;
	}
	if (mqtt->away_us == CLOCK_NEVER)
		mqtt->away_us = steady_us;
	if (!mqtt->told_invalid &&
		steady_us - mqtt->away_us >
			mqtt->options->invalid_after_s * CLOCK_SECOND_US) {
		mqtt->told_invalid = true;
		invalidate_all(mqtt, now_us);
	}
}

static void
tell_dropped(struct mqtt *mqtt, int64_t steady_us)
{
	uint64_t count = atomic_load(&mqtt->count_dropped);

	if (count == mqtt->told_dropped ||
		(mqtt->told_us != 0 && steady_us - mqtt->told_us < TELL_US))
		return;
	notices_add(mqtt->setup.notices, "messages_dropped",
		"%" PRIu64 " messages of QoS 0 found no room to wait in",
		count - mqtt->told_dropped);
	mqtt->told_dropped = count;
	mqtt->told_us = steady_us;
}

static enum rc
mqtt_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct mqtt *mqtt = state;
	int64_t steady_us = clock_steady_us();
	bool all;

	if (!mqtt->started) {
		enum rc rc = broker_start(mqtt->broker, fault);

		if (rc != RC_OK)
			return rc;
		mqtt->started = true;
	}
	mqtt->sink = sink;
	/* First, so that what comes from now on wakes us again. */
	atomic_store(&mqtt->idle, true);
	all = take_messages(mqtt);
	watch_link(mqtt, due_us, steady_us);
	mqtt_give_up(mqtt, steady_us);
	tell_dropped(mqtt, steady_us);
	sink->urgent = atomic_load(&mqtt->safe) < atomic_load(&mqtt->owed);
	*next_us = all ? due_us + POLL_US : due_us;
	return RC_OK;
}

static void
mqtt_stored(void *state)
{
	struct mqtt *mqtt = state;
	uint64_t owed = atomic_load(&mqtt->owed);
	bool waits = atomic_load(&mqtt->safe) < owed;

	atomic_store(&mqtt->safe, mqtt_ring_taken(mqtt->ring));
	if (waits && atomic_load(&mqtt->safe) >= owed)
		broker_wake(mqtt->broker);
}

const struct driver driver_mqtt = {
	.name = "mqtt",
	.conf = mqtt_conf,
	.conf_bytes = sizeof(struct mqtt_options),
	.open = mqtt_open,
	.poll = mqtt_poll,
	.write = mqtt_write,
	.stored = mqtt_stored,
	.close = mqtt_close,
};
