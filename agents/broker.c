/* broker: a connection to an MQTT broker that is kept up by its own thread. */

#include "agents/broker_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/log.h"

#define IN_FLIGHT   20
#define STACK_BYTES ((size_t)512 * 1024)

/* --- options ------------------------------------------------------------- */

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum rc
configure_tls(struct broker *broker, struct fault *fault)
{
	const struct broker_options *options = broker->options;

	if (mosquitto_tls_set(broker->client, or_null(options->ca),
		    options->ca[0] == '\0' ? "/etc/ssl/certs" : NULL,
		    or_null(options->certificate), or_null(options->key),
		    NULL) != MOSQ_ERR_SUCCESS ||
		mosquitto_tls_opts_set(broker->client, 1, NULL, NULL) !=
			MOSQ_ERR_SUCCESS)
		return fault_set(fault, RC_BAD_INPUT,
			"ca, certificate or key cannot be used");
	return RC_OK;
}

static enum rc
configure(struct broker *broker, struct fault *fault)
{
	const struct broker_options *options = broker->options;
	const struct broker_address *address = &broker->address;
	enum rc rc = broker_options_check(
		options, broker->arena, &broker->address, fault);

	if (rc != RC_OK)
		return rc;
	if (options->user[0] != '\0' &&
		mosquitto_username_pw_set(broker->client, options->user,
			address->password) != MOSQ_ERR_SUCCESS)
		return fault_set(fault, RC_BAD_INPUT,
			"user or password is no UTF-8, or too long");
	if (address->tls)
		rc = configure_tls(broker, fault);
	mosquitto_max_inflight_messages_set(broker->client,
		options->in_flight != 0 ? options->in_flight : IN_FLIGHT);
	mosquitto_int_option(broker->client, MOSQ_OPT_TCP_NODELAY, 1);
	/* So that nothing is written but by loop_write. */
	mosquitto_threaded_set(broker->client, true);
	return rc;
}

/* --- what libmosquitto tells --------------------------------------------- */

static void
on_connect(struct mosquitto *client, void *context, int code, int flags)
{
	struct broker *broker = context;

	(void)client;
	if (code != 0) {
		broker->refused = mosquitto_connack_string(code);
		return;
	}
	log_info(NULL, "connected to the broker %s:%d%s", broker->address.host,
		broker->address.port,
		flags & 1 ? ", which kept our session" : "");
	broker->told_us = CLOCK_NEVER;
	broker->delay_us = BROKER_RETRY_MIN_US;
	atomic_store(&broker->link, BROKER_UP);
	if (broker->calls.connected != NULL)
		broker->calls.connected(broker->calls.context, flags & 1);
}

static void
on_message(struct mosquitto *client, void *context,
	const struct mosquitto_message *message)
{
	struct broker *broker = context;
	struct broker_message one = {.topic = message->topic,
		.data = message->payload,
		.bytes = (size_t)message->payloadlen,
		.qos = message->qos,
		.retained = message->retain};

	(void)client;
	if (one.data == NULL)
		one.data = "";
	broker->received = true;
	if (broker->calls.message != NULL)
		broker->calls.message(broker->calls.context, &one);
}

static void
on_publish(struct mosquitto *client, void *context, int id)
{
	struct broker *broker = context;

	(void)client;
	if (broker->calls.published != NULL)
		broker->calls.published(broker->calls.context, id);
}

static void
on_subscribe(struct mosquitto *client, void *context, int id, int count,
	const int *granted)
{
	struct broker *broker = context;
	int refused = 0;

	(void)client;
	(void)id;
	for (int i = 0; i < count; i++)
		refused += granted[i] > 2;
	if (refused > 0)
		log_error(NULL,
			"the broker %s refuses %d of %d subscriptions: may "
			"this user read these topics?",
			broker->address.host, refused, count);
}

/* --- for others ---------------------------------------------------------- */

enum rc
broker_open(const struct broker_options *options,
	const struct broker_calls *calls, struct broker **result,
	struct fault *fault)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	enum rc rc;

	if (broker == NULL)
		abort();
	broker->options = options;
	broker->calls = *calls;
	broker->arena = arena_new();
	broker->delay_us = BROKER_RETRY_MIN_US;
	broker->told_us = CLOCK_NEVER;
	broker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	mosquitto_lib_init();
	if (options->client_id[0] == '\0')
		rc = fault_set(fault, RC_BAD_INPUT,
			"client_id is empty: the broker knows its clients by "
			"it");
	else if ((broker->client = mosquitto_new(options->client_id,
			  !options->keeps_session, broker)) == NULL)
		rc = fault_set(fault, RC_BAD_INPUT,
			"client_id = %.60s: is no UTF-8, or too long",
			options->client_id);
	else
		rc = configure(broker, fault);
	if (rc == RC_OK && broker->wake < 0)
		rc = fault_set(fault, RC_IO, "eventfd: %s", strerror(errno));
	if (rc != RC_OK) {
		broker_close(broker);
		return rc;
	}
	mosquitto_connect_with_flags_callback_set(broker->client, on_connect);
	mosquitto_message_callback_set(broker->client, on_message);
	mosquitto_publish_callback_set(broker->client, on_publish);
	mosquitto_subscribe_callback_set(broker->client, on_subscribe);
	*result = broker;
	return RC_OK;
}

/* Signals are for main: the thread starts with all of them blocked. */
enum rc
broker_start(struct broker *broker, struct fault *fault)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	code = pthread_create(
		&broker->thread, &attributes, broker_link_run, broker);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0)
		return fault_set(fault, RC_IO, "thread: %s", strerror(code));
	broker->started = true;
	return RC_OK;
}

void
broker_close(struct broker *broker)
{
	if (broker == NULL)
		return;
	atomic_store(&broker->stopping, true);
	if (broker->started) {
		broker_wake(broker);
		pthread_join(broker->thread, NULL);
	}
	if (broker->client != NULL)
		mosquitto_destroy(broker->client);
	mosquitto_lib_cleanup();
	if (broker->wake >= 0)
		close(broker->wake);
	arena_free(broker->arena);
	free(broker);
}

bool
broker_is_connected(const struct broker *broker)
{
	return atomic_load(&broker->link) == BROKER_UP;
}

void
broker_wake(struct broker *broker)
{
	uint64_t one = 1;

	if (!atomic_exchange(&broker->poked, true) &&
		write(broker->wake, &one, sizeof(one)) < 0)
		log_error(NULL, "eventfd: %s", strerror(errno));
}

void
broker_will(struct broker *broker, const char *topic, const char *text)
{
	mosquitto_will_clear(broker->client);
	if (mosquitto_will_set(broker->client, topic, (int)strlen(text), text,
		    1, true) != MOSQ_ERR_SUCCESS)
		log_error(NULL, "the will for %.100s cannot be set", topic);
}

static enum rc
translate(int code, const char *what, struct fault *fault)
{
	switch (code) {
	case MOSQ_ERR_SUCCESS:
		return RC_OK;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
		return fault_set(fault, RC_UNAVAILABLE,
			"there is no connection to the broker");
	default:
		return fault_set(fault, RC_BAD_INPUT, "%.120s: %s", what,
			mosquitto_strerror(code));
	}
}

enum rc
broker_subscribe(struct broker *broker, const char *const *filters,
	size_t count, int qos, struct fault *fault)
{
	char *list[BROKER_SUBSCRIBE_MAX];
	int code;

	if (count == 0 || count > BROKER_SUBSCRIBE_MAX)
		return fault_set(fault, RC_BUG, "%zu filters", count);
	memcpy(list, filters, count * sizeof(*list));
	code = mosquitto_subscribe_multiple(
		broker->client, NULL, (int)count, list, qos, 0, NULL);
	broker_wake(broker);
	return translate(code, filters[0], fault);
}

enum rc
broker_publish(struct broker *broker,
	const struct broker_publication *publication, int *id,
	struct fault *fault)
{
	int code;

	if (!broker_is_connected(broker))
		return fault_set(fault, RC_UNAVAILABLE,
			"there is no connection to the broker");
	code = mosquitto_publish(broker->client, id, publication->topic,
		(int)publication->bytes, publication->data, publication->qos,
		publication->retain);
	broker_wake(broker);
	/* It is in libmosquitto's list by then: it goes out when there is a
	 * connection again, and calls.published is told. */
	if (publication->qos > 0 &&
		(code == MOSQ_ERR_NO_CONN || code == MOSQ_ERR_CONN_LOST))
		return RC_OK;
	return translate(code, publication->topic, fault);
}

bool
broker_topic_valid(const char *topic)
{
	return topic[0] != '\0' &&
	       mosquitto_pub_topic_check(topic) == MOSQ_ERR_SUCCESS;
}

bool
broker_filter_valid(const char *filter)
{
	return filter[0] != '\0' &&
	       mosquitto_sub_topic_check(filter) == MOSQ_ERR_SUCCESS;
}
