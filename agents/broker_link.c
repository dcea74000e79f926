/* broker_link: the thread that keeps a connection to a broker up. */

#include "agents/broker_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"

#define RETRY_MAX_US     (30 * CLOCK_SECOND_US)
#define CONNECT_LIMIT_US (15 * CLOCK_SECOND_US) /* until the broker accepts */
#define TELL_AGAIN_US    CLOCK_MINUTE_US /* the same trouble in the log */
#define STEP_MS          500
#define READ_PACKETS     1000 /* before others get their turn */
#define GATHER_MS        2    /* a pause in which nothing comes ends it */
#define GATHER_STEPS     5
#define GATHER_BYTES     (64 * 1024) /* enough */

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
	bool was_up = atomic_load(&broker->link) == BROKER_UP;
	uint32_t chance;

	if (was_up || broker->told_us == CLOCK_NEVER ||
		now_us - broker->told_us > TELL_AGAIN_US) {
		log_warn(NULL, "%s the broker %s:%d: %s",
			was_up ? "lost" : "cannot reach", broker->address.host,
			broker->address.port, reason(broker, code));
		broker->told_us = now_us;
	}
	atomic_store(&broker->link, BROKER_AWAY);
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
	broker->more = false;
	broker->opened_us = clock_steady_us();
	atomic_store(&broker->link, BROKER_OPENING);
	/* Not the blocking form, which waits minutes for a dead address. */
	code = mosquitto_connect_async(broker->client, broker->address.host,
		broker->address.port, (int)broker->options->keepalive_s);
	if (code != MOSQ_ERR_SUCCESS && code != MOSQ_ERR_CONN_PENDING)
		lose(broker, code);
}

/* A socket that knows no corks sends what it gets. */
static void
cork(int socket, int on)
{
	(void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Until nothing is left to read. EAGAIN says so, but not with a message: what
 * libmosquitto does for its acknowledgement leaves an errno as well. */
static int
read_packets(struct broker *broker)
{
	bool any = false;
	int code = MOSQ_ERR_SUCCESS;

	for (int i = 0; i < READ_PACKETS && code == MOSQ_ERR_SUCCESS; i++) {
		broker->received = false;
		errno = 0;
		code = mosquitto_loop_read(broker->client, 1);
		any |= broker->received;
		broker->more = errno != EAGAIN || broker->received;
		if (!broker->more || atomic_load(&broker->stopping))
			break;
	}
	if (any && broker->calls.received != NULL)
		broker->calls.received(broker->calls.context);
	return code;
}

static int
unread_bytes(const struct broker *broker)
{
	int bytes = 0;

	return ioctl(mosquitto_socket(broker->client), FIONREAD, &bytes) == 0
		       ? bytes
		       : 0;
}

/*
 * Every batch costs its receiver a write to the disk. A broker that went on
 * sending while the last one was stored does not wait for us, so the next may
 * grow while it does; one that waits for acknowledgements gets them at once.
 */
static void
gather(const struct broker *broker)
{
	struct pollfd fd = {.fd = broker->wake, .events = POLLIN};
	int before = 0;
	int bytes = unread_bytes(broker);

	for (int i = 0;
		i < GATHER_STEPS && bytes > before && bytes < GATHER_BYTES;
		i++) {
		if (poll(&fd, 1, GATHER_MS) != 0)
			return;
		before = bytes;
		bytes = unread_bytes(broker);
	}
}

/*
 * All that waits. libmosquitto sends each packet by itself; corked, a thousand
 * acknowledgements leave as a few segments.
 */
static int
write_packets(struct broker *broker)
{
	int socket = mosquitto_socket(broker->client);
	int code;

	if (!broker->writable || !mosquitto_want_write(broker->client))
		return MOSQ_ERR_SUCCESS;
	cork(socket, 1);
	code = mosquitto_loop_write(broker->client, 1);
	if (mosquitto_socket(broker->client) == socket)
		cork(socket, 0);
	return code;
}

static int
check_time(struct broker *broker)
{
	int64_t now_us = clock_steady_us();

	if (atomic_load(&broker->link) == BROKER_OPENING &&
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

/* Wait for the connection or for a word of others. False: neither has
 * anything to do with the broker, as nothing is read until all is settled. */
static bool
wait_for_news(struct broker *broker, struct pollfd *socket)
{
	bool settled = is_settled(broker);
	bool wants = !broker->writable || mosquitto_want_write(broker->client);
	struct pollfd fds[2] = {{.fd = broker->wake, .events = POLLIN},
		{.fd = settled ? mosquitto_socket(broker->client) : -1,
			.events = (short)(POLLIN | (wants ? POLLOUT : 0))}};

	broker->flowing = settled && broker->waited && unread_bytes(broker) > 0;
	broker->waited = !settled;
	if (poll(fds, 2, settled && broker->more ? 0 : STEP_MS) > 0 &&
		fds[0].revents != 0)
		clear_wake(broker);
	*socket = fds[1];
	return settled;
}

/* One wait, and what it brought. */
static void
step(struct broker *broker)
{
	struct pollfd socket;
	int code;

	if (!wait_for_news(broker, &socket))
		return;
	code = check_opening(broker, &socket);
	broker->writable |= (socket.revents & POLLOUT) != 0;
	/* First, as what is read next may not be acknowledged yet. */
	if (code == MOSQ_ERR_SUCCESS)
		code = write_packets(broker);
	if (code == MOSQ_ERR_SUCCESS && broker->flowing)
		gather(broker);
	if (code == MOSQ_ERR_SUCCESS && (socket.revents != 0 || broker->more))
		code = read_packets(broker);
	if (code == MOSQ_ERR_SUCCESS && is_settled(broker))
		code = write_packets(broker);
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

	if (atomic_load(&broker->link) != BROKER_UP || !is_settled(broker))
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

void *
broker_link_run(void *context)
{
	struct broker *broker = context;

	while (!atomic_load(&broker->stopping)) {
		if (atomic_load(&broker->link) != BROKER_AWAY)
			step(broker);
		else if (clock_steady_us() >= broker->retry_us)
			connect_again(broker);
		else
			wait_for_retry(broker);
	}
	say_goodbye(broker);
	return NULL;
}
