/* broker: a connection to an MQTT broker that is kept up by its own thread. */

#include "agents/broker.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

#define RETRY_MIN_US     (CLOCK_SECOND_US / 2)
#define RETRY_MAX_US     (30 * CLOCK_SECOND_US)
#define CONNECT_LIMIT_US (15 * CLOCK_SECOND_US) /* until the broker accepts */
#define TELL_AGAIN_US    CLOCK_MINUTE_US /* the same trouble in the log */
#define STEP_MS          500
#define READ_PACKETS     1000 /* before others get their turn */
#define IN_FLIGHT        20
#define STACK_BYTES      ((size_t)512 * 1024)

enum link {
	LINK_AWAY,
	LINK_OPENING, /* TCP, TLS and CONNECT are under way */
	LINK_UP,
};

struct broker {
	const struct broker_options *options;
	struct broker_calls calls;
	struct mosquitto *client;
	struct arena *arena;
	const char *host;
	int port;
	pthread_t thread;
	bool started;
	int wake; /* eventfd */
	atomic_bool poked;
	atomic_bool stopping;
	_Atomic(enum link) link;

	/* The thread's own. */
	bool writable;       /* TCP has connected */
	int64_t opened_us;   /* steady clock: when the attempt began */
	int64_t retry_us;    /* steady clock: when to try again */
	int64_t delay_us;    /* what the next failure costs */
	int64_t told_us;     /* when trouble was logged */
	int64_t checked_us;  /* when keepalive was looked at */
	uint64_t received;   /* messages */
	const char *refused; /* why the broker did not accept us; a constant */
};

/* --- options ------------------------------------------------------------- */

static enum rc
take_url(struct broker *broker, bool *tls, struct fault *fault)
{
	const char *url = broker->options->url;
	const char *host = strncmp(url, "mqtts://", 8) == 0  ? url + 8
			   : strncmp(url, "mqtt://", 7) == 0 ? url + 7
							     : NULL;
	const char *colon = host != NULL ? strrchr(host, ':') : NULL;
	char *end = NULL;
	long port;

	*tls = strncmp(url, "mqtts", 5) == 0;
	port = *tls ? 8883 : 1883;
	if (colon != NULL && strchr(colon, ']') != NULL)
		colon = NULL; /* of [::1] */
	if (colon != NULL)
		port = strtol(colon + 1, &end, 10);
	if (host == NULL || *host == '\0' || colon == host ||
		strchr(host, '/') != NULL || strlen(host) > 255 ||
		(end != NULL && (*end != '\0' || end == colon + 1)) ||
		port < 1 || port > 65535)
		return fault_set(fault, RC_BAD_INPUT,
			"url = %.100s: must be mqtts://HOST[:PORT] or "
			"mqtt://HOST[:PORT]",
			url);
	broker->host = arena_strndup(broker->arena, host,
		colon != NULL ? (size_t)(colon - host) : strlen(host));
	if (*broker->host == '[') /* libmosquitto wants it bare */
		broker->host = arena_strndup(broker->arena, broker->host + 1,
			strlen(broker->host) - 2);
	broker->port = (int)port;
	return RC_OK;
}

static enum rc
take_password(struct broker *broker, bool tls, struct fault *fault)
{
	const struct broker_options *options = broker->options;
	char *password = NULL;
	enum rc rc;

	if (options->user[0] == '\0')
		return options->password[0] == '\0'
			       ? RC_OK
			       : fault_set(fault, RC_BAD_INPUT,
					 "password is given without user");
	if (options->password[0] != '\0') {
		rc = secret_read(
			broker->arena, options->password, &password, fault);
		if (rc != RC_OK)
			return rc;
		if (!tls)
			log_warn(NULL,
				"the broker's password goes over the network "
				"in clear text; use mqtts://");
	}
	if (mosquitto_username_pw_set(broker->client, options->user,
		    password) != MOSQ_ERR_SUCCESS)
		return fault_set(fault, RC_BAD_INPUT,
			"user or password is no UTF-8, or too long");
	return RC_OK;
}

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum rc
check_file(const char *path, struct fault *fault)
{
	if (path[0] != '\0' && access(path, R_OK) != 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
take_tls(struct broker *broker, bool tls, struct fault *fault)
{
	const struct broker_options *options = broker->options;
	enum rc rc = check_file(options->ca, fault);

	if (rc == RC_OK)
		rc = check_file(options->certificate, fault);
	if (rc == RC_OK)
		rc = check_file(options->key, fault);
	if (rc != RC_OK)
		return rc;
	if ((options->certificate[0] == '\0') != (options->key[0] == '\0'))
		return fault_set(fault, RC_BAD_INPUT,
			"certificate and key belong together: give both");
	if (!tls)
		return options->ca[0] == '\0' && options->key[0] == '\0'
			       ? RC_OK
			       : fault_set(fault, RC_BAD_INPUT,
					 "ca and certificate need mqtts://");
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
	bool tls;
	enum rc rc = take_url(broker, &tls, fault);

	if (rc == RC_OK)
		rc = take_password(broker, tls, fault);
	if (rc == RC_OK)
		rc = take_tls(broker, tls, fault);
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
	log_info(NULL, "connected to the broker %s:%d%s", broker->host,
		broker->port, flags & 1 ? ", which kept our session" : "");
	broker->told_us = CLOCK_NEVER;
	broker->delay_us = RETRY_MIN_US;
	atomic_store(&broker->link, LINK_UP);
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
	broker->received++;
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
			broker->host, refused, count);
}

/* --- the thread ---------------------------------------------------------- */

static bool
is_settled(const struct broker *broker)
{
	return broker->calls.settled == NULL ||
	       broker->calls.settled(broker->calls.context);
}

static void
clear_wake(struct broker *broker)
{
	uint64_t count;

	atomic_store(&broker->poked, false);
	if (read(broker->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error(NULL, "eventfd: %s", strerror(errno));
}

static const char *
reason(const struct broker *broker, int code)
{
	if (broker->refused != NULL)
		return broker->refused;
	if (code == MOSQ_ERR_TIMEOUT)
		return "no answer in time";
	return code == MOSQ_ERR_ERRNO ? strerror(errno)
				      : mosquitto_strerror(code);
}

/* The connection is gone, or did not come about. */
static void
lose(struct broker *broker, int code)
{
	int64_t now_us = clock_steady_us();
	bool was_up = atomic_load(&broker->link) == LINK_UP;
	uint32_t chance;

	if (was_up || broker->told_us == CLOCK_NEVER ||
		now_us - broker->told_us > TELL_AGAIN_US) {
		log_warn(NULL, "%s the broker %s:%d: %s",
			was_up ? "lost" : "cannot reach", broker->host,
			broker->port, reason(broker, code));
		broker->told_us = now_us;
	}
	atomic_store(&broker->link, LINK_AWAY);
	secret_random(&chance, sizeof(chance));
	broker->retry_us = now_us + broker->delay_us / 2 +
			   (int64_t)(chance % (uint64_t)broker->delay_us);
	if (broker->delay_us < RETRY_MAX_US / 2)
		broker->delay_us *= 2;
	else
		broker->delay_us = RETRY_MAX_US * 2 / 3;
	if (was_up && broker->calls.disconnected != NULL)
		broker->calls.disconnected(broker->calls.context);
}

static void
connect_again(struct broker *broker)
{
	int code;

	if (broker->calls.connecting != NULL)
		broker->calls.connecting(broker->calls.context);
	broker->refused = NULL;
	broker->writable = false;
	broker->opened_us = clock_steady_us();
	atomic_store(&broker->link, LINK_OPENING);
	/* Not the blocking form, which waits minutes for a dead address. */
	code = mosquitto_connect_async(broker->client, broker->host,
		broker->port, (int)broker->options->keepalive_s);
	if (code != MOSQ_ERR_SUCCESS && code != MOSQ_ERR_CONN_PENDING)
		lose(broker, code);
}

/* Until nothing is left to read. EAGAIN says so, but not with a message: what
 * libmosquitto does for its acknowledgement leaves an errno as well. */
static int
read_packets(struct broker *broker)
{
	int code = MOSQ_ERR_SUCCESS;

	for (int i = 0; i < READ_PACKETS && code == MOSQ_ERR_SUCCESS; i++) {
		uint64_t before = broker->received;

		errno = 0;
		code = mosquitto_loop_read(broker->client, 1);
		if ((errno == EAGAIN && broker->received == before) ||
			atomic_load(&broker->stopping))
			break;
	}
	return code;
}

static int
check_time(struct broker *broker)
{
	int64_t now_us = clock_steady_us();

	if (atomic_load(&broker->link) == LINK_OPENING &&
		now_us - broker->opened_us > CONNECT_LIMIT_US)
		return MOSQ_ERR_TIMEOUT;
	if (now_us - broker->checked_us < CLOCK_SECOND_US)
		return MOSQ_ERR_SUCCESS;
	broker->checked_us = now_us;
	return mosquitto_loop_misc(broker->client);
}

/*
 * The first that is heard of a connection tells whether it came about. With
 * TLS libmosquitto has swallowed the reason by then and would go on waiting.
 */
static int
check_opening(const struct broker *broker, const struct pollfd *fd)
{
	int error = 0;
	socklen_t bytes = sizeof(error);

	if (broker->writable || (fd->revents & (POLLERR | POLLHUP)) == 0)
		return MOSQ_ERR_SUCCESS;
	if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0 ||
		error == 0)
		error = ECONNREFUSED;
	errno = error;
	return MOSQ_ERR_ERRNO;
}

/* One wait, and what it brought. */
static void
step(struct broker *broker)
{
	bool settled = is_settled(broker);
	bool wants = !broker->writable || mosquitto_want_write(broker->client);
	struct pollfd fds[2] = {{.fd = broker->wake, .events = POLLIN},
		{.fd = settled ? mosquitto_socket(broker->client) : -1,
			.events = (short)(POLLIN | (wants ? POLLOUT : 0))}};
	int code;

	if (poll(fds, 2, STEP_MS) > 0 && fds[0].revents != 0)
		clear_wake(broker);
	if (!settled)
		return; /* nothing is read until it is */
	code = check_opening(broker, &fds[1]);
	broker->writable |= (fds[1].revents & POLLOUT) != 0;
	if (code == MOSQ_ERR_SUCCESS && fds[1].revents != 0)
		code = read_packets(broker);
	if (code == MOSQ_ERR_SUCCESS && broker->writable &&
		is_settled(broker) && mosquitto_want_write(broker->client))
		code = mosquitto_loop_write(broker->client, 1);
	if (code == MOSQ_ERR_SUCCESS)
		code = check_time(broker);
	if (code == MOSQ_ERR_SUCCESS && mosquitto_socket(broker->client) < 0)
		code = MOSQ_ERR_CONN_LOST;
	if (code != MOSQ_ERR_SUCCESS)
		lose(broker, code);
}

static void
wait_for_retry(struct broker *broker)
{
	int64_t wait_ms = (broker->retry_us - clock_steady_us()) / 1000 + 1;
	struct pollfd fd = {.fd = broker->wake, .events = POLLIN};

	if (wait_ms > STEP_MS)
		wait_ms = STEP_MS;
	if (poll(&fd, 1, (int)wait_ms) > 0)
		clear_wake(broker);
}

/* What waits still goes out, and the broker need not publish our will. */
static void
say_goodbye(struct broker *broker)
{
	int64_t until_us = clock_steady_us() + CLOCK_SECOND_US;

	if (atomic_load(&broker->link) != LINK_UP || !is_settled(broker))
		return;
	mosquitto_disconnect(broker->client);
	while (mosquitto_want_write(broker->client) &&
		clock_steady_us() < until_us) {
		struct pollfd fd = {.fd = mosquitto_socket(broker->client),
			.events = POLLOUT};

		if (poll(&fd, 1, STEP_MS) > 0 &&
			mosquitto_loop_write(broker->client, 1) !=
				MOSQ_ERR_SUCCESS)
			return;
	}
}

static void *
run(void *context)
{
	struct broker *broker = context;

	while (!atomic_load(&broker->stopping)) {
		if (atomic_load(&broker->link) != LINK_AWAY)
			step(broker);
		else if (clock_steady_us() >= broker->retry_us)
			connect_again(broker);
		else
			wait_for_retry(broker);
	}
	say_goodbye(broker);
	return NULL;
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
	broker->delay_us = RETRY_MIN_US;
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
	code = pthread_create(&broker->thread, &attributes, run, broker);
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
	return atomic_load(&broker->link) == LINK_UP;
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
