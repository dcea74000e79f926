/*
 * outlet_mqtt: values, alarms and events to an MQTT broker, QoS 1.
 *
 * A commit waits until the broker has everything, so nothing is lost; after a
 * failure the messages since the last commit come again.
 */

#include "agents/outlet_mqtt.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/egress_conf.h"
#include "agents/egress_writes.h"
#include "agents/outlet.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Messages that the broker has not confirmed. */
#define WINDOW  1000
#define WAIT_US (10 * CLOCK_SECOND_US)
/* Longest text that is taken for a value. */
#define WRITE_MAX ((size_t)4096)

struct mqtt {
	const struct outlet_mqtt_conf *conf;
	bool bare; /* the value alone */
	struct broker *broker;
	struct buf topic;
	struct buf text;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* steady clock */
	uint64_t sent;          /* under lock, both */
	uint64_t confirmed;
	/* Set before the broker's thread runs. */
	struct egress_writes *writes; /* NULL = none are taken */
	char *filter;                 /* of their topics */
};

/* --- what the broker says ------------------------------------------------- */

static void
on_published(void *context, int id)
{
	struct mqtt *mqtt = context;

	(void)id;
	pthread_mutex_lock(&mqtt->lock);
	mqtt->confirmed++;
	pthread_cond_signal(&mqtt->changed);
	pthread_mutex_unlock(&mqtt->lock);
}

/* Until at most "most" are unconfirmed. */
static enum rc
wait_for_broker(struct mqtt *mqtt, uint64_t most, struct fault *fault)
{
	int64_t until_us = clock_steady_us() + WAIT_US;
	const struct timespec until = {
		.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};
	bool late = false;

	pthread_mutex_lock(&mqtt->lock);
	while (!late && mqtt->sent - mqtt->confirmed > most)
		late = pthread_cond_timedwait(
			       &mqtt->changed, &mqtt->lock, &until) != 0;
	late = mqtt->sent - mqtt->confirmed > most;
	pthread_mutex_unlock(&mqtt->lock);
	return late ? fault_set(fault, RC_UNAVAILABLE,
			      "the broker does not confirm what it gets")
		    : RC_OK;
}

static void
count(struct mqtt *mqtt, int step)
{
	pthread_mutex_lock(&mqtt->lock);
	mqtt->sent += (uint64_t)step;
	pthread_mutex_unlock(&mqtt->lock);
}

/* Counted before, as the broker may be quicker than the return. */
static enum rc
send(struct mqtt *mqtt, const struct broker_publication *publication,
	struct fault *fault)
{
	enum rc rc;

	count(mqtt, 1);
	rc = broker_publish(mqtt->broker, publication, NULL, fault);
	if (rc != RC_OK)
		count(mqtt, -1);
	return rc;
}

static enum rc
publish(struct mqtt *mqtt, bool retain, struct fault *fault)
{
	const struct broker_publication publication = {
		.topic = mqtt->topic.data,
		.data = mqtt->text.data,
		.bytes = mqtt->text.length,
		.qos = 1,
		.retain = retain};
	enum rc rc = wait_for_broker(mqtt, WINDOW - 1, fault);

	if (rc != RC_OK)
		return rc;
	rc = send(mqtt, &publication, fault);
	/* A topic that cannot be holds up nothing else. */
	if (rc == RC_BAD_INPUT) {
		log_warn(NULL, "%.100s: %s", mqtt->topic.data, fault->text);
		return RC_OK;
	}
	return rc;
}

/* --- topics --------------------------------------------------------------- */

static const char at_variable[] = "{variable}";
static const char at_datasource[] = "{datasource}";

/* Wildcards have no place in a topic. */
static void
add_name(struct buf *topic, const char *name)
{
	for (; *name != '\0'; name++)
		buf_char(topic, *name == '+' || *name == '#' ? '_' : *name);
}

static void
make_topic(struct buf *topic, const char *template, const char *datasource,
	const char *variable)
{
	buf_clear(topic);
	while (*template != '\0') {
		if (strncmp(template, at_variable, strlen(at_variable)) == 0) {
			add_name(topic, variable);
			template += strlen(at_variable);
		} else if (strncmp(template, at_datasource,
				   strlen(at_datasource)) == 0) {
			buf_text(topic, datasource);
			template += strlen(at_datasource);
		} else {
			buf_char(topic, *template ++);
		}
	}
}

/* --- writes --------------------------------------------------------------- */

/* Told by the thread of the writes. */
static void
tell_result(void *context, const struct egress_written *written)
{
	struct mqtt *mqtt = context;
	struct broker_publication publication = {.qos = 1};
	struct fault ignored;
	struct jsonw json;
	struct buf topic;
	struct buf text;

	buf_init(&topic, 0);
	buf_init(&text, 0);
	make_topic(&topic, mqtt->conf->results, "", written->shown);
	jsonw_init(&json, &text);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "variable", written->shown);
	jsonw_bool(&json, "confirmed", written->rc == RC_OK);
	jsonw_str(&json, "code", written->code);
	jsonw_str(&json, "text", written->text);
	jsonw_close_obj(&json);
	publication.topic = topic.data;
	publication.data = text.data;
	publication.bytes = text.length;
	if (send(mqtt, &publication, &ignored) != RC_OK)
		log_info(NULL, "%s", ignored.text);
	buf_free(&text);
	buf_free(&topic);
}

/* A number or a truth is sent as it is written; the hub reads it by the type
 * of the variable. */
static void
on_message(void *context, const struct broker_message *message)
{
	struct mqtt *mqtt = context;
	size_t prefix = strlen(mqtt->conf->commands) - strlen(at_variable);
	const char *shown = message->topic + prefix;
	struct jsonw json;
	struct buf value;

	/* One that was kept for us may be as old as the world. */
	if (message->retained || strlen(message->topic) <= prefix ||
		message->bytes > WRITE_MAX) {
		log_warn(NULL,
			"%.100s: a write that is retained or too long "
			"is not taken",
			message->topic);
		return;
	}
	buf_init(&value, 0);
	jsonw_init(&json, &value);
	jsonw_strn(&json, NULL, message->data, message->bytes);
	if (!egress_writes_put(
		    mqtt->writes, shown, value.data, tell_result, mqtt))
		log_warn(NULL, "%.100s: too many writes wait", shown);
	buf_free(&value);
}

static void
on_connected(void *context, bool session_present)
{
	struct mqtt *mqtt = context;
	struct fault fault;

	(void)session_present;
	if (mqtt->writes != NULL && broker_subscribe(mqtt->broker,
					    (const char *const[]){mqtt->filter},
					    1, 0, &fault) != RC_OK)
		log_error(NULL, "%s", fault.text);
}

/* "fieldgrid/set/{variable}" is the filter "fieldgrid/set/#". */
static enum rc
make_filter(struct mqtt *mqtt, struct fault *fault)
{
	const char *template = mqtt->conf->commands;
	size_t length = strlen(template);
	size_t tail = strlen(at_variable);

	if (length <= tail ||
		strcmp(template + length - tail, at_variable) != 0 ||
		template[length - tail - 1] != '/' ||
		!broker_topic_valid(template) ||
		!broker_topic_valid(mqtt->conf->results))
		return fault_set(fault, RC_BAD_INPUT,
			"[mqtt] commands = %.100s: must be a topic with "
			"/{variable} at its end",
			template);
	mqtt->filter = strdup(template);
	if (mqtt->filter == NULL)
		abort();
	strcpy(mqtt->filter + length - tail, "#");
	return RC_OK;
}

/* --- the outlet ----------------------------------------------------------- */

static enum rc
mqtt_value(void *state, const struct mirror_variable *variable,
	const struct sample *sample, struct fault *fault)
{
	struct mqtt *mqtt = state;

	make_topic(&mqtt->topic, mqtt->conf->topic, variable->datasource,
		variable->shown);
	buf_clear(&mqtt->text);
	if (mqtt->bare)
		outlet_bare_value(&mqtt->text, &sample->value);
	else
		outlet_json_value(&mqtt->text, variable, sample);
	return publish(mqtt, mqtt->conf->retain, fault);
}

static enum rc
mqtt_record(
	void *state, const struct outlet_record *record, struct fault *fault)
{
	struct mqtt *mqtt = state;
	const char *template = record->list == OUTLET_ALARM
				       ? mqtt->conf->alarms
				       : mqtt->conf->events;

	if (template[0] == '\0')
		return RC_OK;
	make_topic(&mqtt->topic, template, record->datasource, "");
	buf_clear(&mqtt->text);
	outlet_json_record(&mqtt->text, record);
	return publish(mqtt, false, fault);
}

static enum rc
mqtt_commit(void *state, struct buf *position, struct fault *fault)
{
	(void)position;
	return wait_for_broker(state, 0, fault);
}

/* What is on its way cannot be called back. */
static enum rc
mqtt_undo(void *state, const char *position, struct fault *fault)
{
	(void)position;
	return wait_for_broker(state, WINDOW / 2, fault);
}

static void
mqtt_close(void *state)
{
	struct mqtt *mqtt = state;

	if (mqtt == NULL)
		return;
	broker_close(mqtt->broker);
	buf_free(&mqtt->topic);
	buf_free(&mqtt->text);
	pthread_cond_destroy(&mqtt->changed);
	pthread_mutex_destroy(&mqtt->lock);
	free(mqtt->filter);
	free(mqtt);
}

static struct mqtt *
make(const struct outlet_mqtt_conf *conf)
{
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
	pthread_condattr_t steady;

	if (mqtt == NULL)
		abort();
	mqtt->conf = conf;
	mqtt->bare = strcmp(conf->payload, "value") == 0;
	buf_init(&mqtt->topic, 0);
	buf_init(&mqtt->text, 0);
	pthread_mutex_init(&mqtt->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&mqtt->changed, &steady);
	pthread_condattr_destroy(&steady);
	return mqtt;
}

static enum rc
check_template(const char *key, const char *text, struct fault *fault)
{
	return text[0] == '\0' || broker_topic_valid(text)
		       ? RC_OK
		       : fault_set(fault, RC_BAD_INPUT,
				 "[mqtt] %s = %.100s: is no topic", key, text);
}

static enum rc
check_conf(const struct outlet_mqtt_conf *conf, struct fault *fault)
{
	enum rc rc = broker_topic_valid(conf->topic)
			     ? RC_OK
			     : fault_set(fault, RC_BAD_INPUT,
				       "[mqtt] topic = %.100s: is no topic",
				       conf->topic);

	if (rc == RC_OK)
		rc = check_template("alarms", conf->alarms, fault);
	if (rc == RC_OK)
		rc = check_template("events", conf->events, fault);
	if (rc == RC_OK && strcmp(conf->payload, "json") != 0 &&
		strcmp(conf->payload, "value") != 0)
		return fault_set(fault, RC_BAD_INPUT,
			"[mqtt] payload = %.60s: must be json or value",
			conf->payload);
	return rc;
}

static enum rc
mqtt_open(const struct egress_conf *conf, const char *position,
	struct egress_writes *writes, void **state, struct fault *fault)
{
	struct mqtt *mqtt = make(&conf->mqtt);
	const struct broker_calls calls = {.context = mqtt,
		.connected = on_connected,
		.message = on_message,
		.published = on_published};
	enum rc rc = check_conf(mqtt->conf, fault);

	(void)position;
	mqtt->writes = writes;
	if (rc == RC_OK)
		rc = make_filter(mqtt, fault);
	if (rc == RC_OK)
		rc = broker_open(
			&conf->mqtt.broker, &calls, &mqtt->broker, fault);
	if (rc == RC_OK)
		rc = broker_start(mqtt->broker, fault);
	if (rc == RC_OK)
		*state = mqtt;
	else
		mqtt_close(mqtt);
	return rc;
}

extern const struct outlet outlet_mqtt;
const struct outlet outlet_mqtt = {
	.name = "mqtt",
	.can_write = true,
	.open = mqtt_open,
	.close = mqtt_close,
	.value = mqtt_value,
	.record = mqtt_record,
	.commit = mqtt_commit,
	.undo = mqtt_undo,
};
