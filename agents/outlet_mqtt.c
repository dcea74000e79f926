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
#include "agents/outlet.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Messages that the broker has not confirmed. */
#define WINDOW    1000
#define WAIT_US   (10 * CLOCK_SECOND_US)
#define TOPIC_MAX 1024

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
		late = pthread_cond_timedwait(&mqtt->changed, &mqtt->lock,
			       &until) != 0;
	late = mqtt->sent - mqtt->confirmed > most;
	pthread_mutex_unlock(&mqtt->lock);
	return late ? fault_set(fault, RC_UNAVAILABLE,
			      "the broker does not confirm what it gets")
		    : RC_OK;
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
	pthread_mutex_lock(&mqtt->lock);
	mqtt->sent++;
	pthread_mutex_unlock(&mqtt->lock);
	rc = broker_publish(mqtt->broker, &publication, NULL, fault);
	if (rc != RC_OK) {
		pthread_mutex_lock(&mqtt->lock);
		mqtt->sent--;
		pthread_mutex_unlock(&mqtt->lock);
	}
	/* A topic that cannot be holds up nothing else. */
	if (rc == RC_BAD_INPUT) {
		log_warn(NULL, "%.100s: %s", mqtt->topic.data, fault->text);
		return RC_OK;
	}
	return rc;
}

/* --- topics --------------------------------------------------------------- */

/* Wildcards have no place in a topic. */
static void
add_name(struct buf *topic, const char *name)
{
	for (; *name != '\0'; name++)
		buf_char(topic, *name == '+' || *name == '#' ? '_' : *name);
}

static void
make_topic(struct mqtt *mqtt, const char *template, const char *datasource,
	const char *variable)
{
	static const char at_variable[] = "{variable}";
	static const char at_datasource[] = "{datasource}";

	buf_clear(&mqtt->topic);
	while (*template != '\0') {
		if (strncmp(template, at_variable, strlen(at_variable)) == 0) {
			add_name(&mqtt->topic, variable);
			template += strlen(at_variable);
		} else if (strncmp(template, at_datasource,
				   strlen(at_datasource)) == 0) {
			buf_text(&mqtt->topic, datasource);
			template += strlen(at_datasource);
		} else {
			buf_char(&mqtt->topic, *template++);
		}
	}
}

/* --- the outlet ----------------------------------------------------------- */

static enum rc
mqtt_value(void *state, const struct mirror_variable *variable,
	const struct sample *sample, struct fault *fault)
{
	struct mqtt *mqtt = state;

	make_topic(mqtt, mqtt->conf->topic, variable->datasource,
		variable->shown);
	buf_clear(&mqtt->text);
	if (mqtt->bare)
		outlet_bare_value(&mqtt->text, &sample->value);
	else
		outlet_json_value(&mqtt->text, variable, sample);
	return publish(mqtt, mqtt->conf->retain, fault);
}

static enum rc
mqtt_record(void *state, const struct outlet_record *record,
	struct fault *fault)
{
	struct mqtt *mqtt = state;
	const char *template = record->list == OUTLET_ALARM
				       ? mqtt->conf->alarms
				       : mqtt->conf->events;

	if (template[0] == '\0')
		return RC_OK;
	make_topic(mqtt, template, record->datasource, "");
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
	enum rc rc =
		broker_topic_valid(conf->topic)
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
mqtt_open(const struct egress_conf *conf, const char *position, void **state,
	struct fault *fault)
{
	struct mqtt *mqtt = make(&conf->mqtt);
	const struct broker_calls calls = {
		.context = mqtt, .published = on_published};
	enum rc rc = check_conf(mqtt->conf, fault);

	(void)position;
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
	.open = mqtt_open,
	.close = mqtt_close,
	.value = mqtt_value,
	.record = mqtt_record,
	.commit = mqtt_commit,
	.undo = mqtt_undo,
};
