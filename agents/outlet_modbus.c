/*
 * outlet_modbus: a Modbus TCP server that shows the last values to a control
 * system, and takes its writes as commands.
 *
 * One thread serves all connections. A write does not change a register: it
 * is sent to the plant, and the register changes when the plant's new value
 * has come back. So a register never shows what is only hoped for.
 */

#include "agents/outlet_modbus.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/egress_conf.h"
#include "agents/egress_writes.h"
#include "agents/outlet.h"
#include "agents/outlet_modbus_map.h"
#include "agents/outlet_modbus_order.h"
#include "lib/log.h"

#define CLIENTS_MAX     256
#define BACKLOG         16
#define TICK_MS         200 /* to see that it is time to end */
#define REQUEST_WAIT_US 500000
#define IDLE_S          60 /* before a silent client is asked for */
#define WRITE_BITS      0x0f
#define WRITE_REGISTERS 0x10

struct server {
	const struct outlet_modbus_conf *conf;
	modbus_t *context;
	int listener; /* -1 = none */
	int clients[CLIENTS_MAX];
	size_t client_count;
	pthread_mutex_t lock; /* of the map's values */
	struct modbus_map map;
	struct egress_writes *writes; /* NULL = writes are refused */
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

/* --- writes --------------------------------------------------------------- */

/* The answer repeats the head of the request. */
static int
answer_write(struct server *server, const uint8_t *query, int length)
{
	int head = modbus_get_header_length(server->context);
	struct modbus_order order;
	unsigned refusal = MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
	modbus_mapping_t *scratch;
	int sent;

	if (server->writes == NULL)
		refusal = MODBUS_EXCEPTION_ILLEGAL_FUNCTION;
	else if (modbus_order_read(query + head, &order))
		refusal =
			modbus_order_take(&server->map, server->writes, &order);
	if (refusal != 0)
		return modbus_reply_exception(server->context, query, refusal);
	/* What libmodbus writes while it answers goes nowhere. */
	scratch = modbus_mapping_new_start_address(order.number, order.count, 0,
		0, order.number, order.count, 0, 0);
	if (scratch == NULL)
		abort();
	sent = modbus_reply(server->context, query, length, scratch);
	modbus_mapping_free(scratch);
	return sent;
}

/* --- reads ---------------------------------------------------------------- */

/* libmodbus would sleep over a count that is out of bounds, and throw away what
 * the client has sent behind it. */
static bool
may_read(const uint8_t *pdu)
{
	bool bits = pdu[0] == MODBUS_FC_READ_COILS ||
		    pdu[0] == MODBUS_FC_READ_DISCRETE_INPUTS;
	unsigned count = (unsigned)pdu[3] << 8 | pdu[4];

	return count >= 1 && count <= (bits ? MODBUS_MAX_READ_BITS
					    : MODBUS_MAX_READ_REGISTERS);
}

static int
answer_read(struct server *server, const uint8_t *query, int length)
{
	modbus_mapping_t tables = {
		.nb_bits = MODBUS_MAP_ADDRESSES,
		.nb_input_bits = MODBUS_MAP_ADDRESSES,
		.nb_input_registers = MODBUS_MAP_ADDRESSES,
		.nb_registers = MODBUS_MAP_ADDRESSES,
		.tab_bits = server->map.bits[0],
		.tab_input_bits = server->map.bits[1],
		.tab_input_registers = server->map.registers[0],
		.tab_registers = server->map.registers[1],
	};

	int sent;

	if (!may_read(query + modbus_get_header_length(server->context)))
		return modbus_reply_exception(server->context, query,
			MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
	pthread_mutex_lock(&server->lock);
	sent = modbus_reply(server->context, query, length, &tables);
	pthread_mutex_unlock(&server->lock);
	return sent;
}

/* Negative: the answer could not be sent. */
static int
answer(struct server *server, const uint8_t *query, int length)
{
	switch (query[modbus_get_header_length(server->context)]) {
	case MODBUS_FC_READ_COILS:
	case MODBUS_FC_READ_DISCRETE_INPUTS:
	case MODBUS_FC_READ_HOLDING_REGISTERS:
	case MODBUS_FC_READ_INPUT_REGISTERS:
		return answer_read(server, query, length);
	case MODBUS_FC_WRITE_SINGLE_COIL:
	case MODBUS_FC_WRITE_SINGLE_REGISTER:
	case WRITE_BITS:
	case WRITE_REGISTERS:
		return answer_write(server, query, length);
	default:
		return modbus_reply_exception(server->context, query,
			MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
	}
}

/* --- connections ---------------------------------------------------------- */

/* A client that is gone without a word is noticed, and none is waited for: it
 * would hold up all others, and the mirror. */
static void
prepare_client(int client)
{
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, IDLE_S / 3},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
		setsockopt(client, options[i].level, options[i].name,
			&options[i].value, sizeof(options[i].value));
	fcntl(client, F_SETFD, FD_CLOEXEC);
	fcntl(client, F_SETFL, O_NONBLOCK);
}

static void
accept_client(struct server *server)
{
	int client = accept(server->listener, NULL, NULL);

	if (client < 0)
		return;
	if (server->client_count == (size_t)server->conf->clients) {
		log_warn(NULL, "a Modbus client too many is turned away");
		close(client);
		return;
	}
	prepare_client(client);
	server->clients[server->client_count++] = client;
}

static void
drop_client(struct server *server, size_t index)
{
	close(server->clients[index]);
	server->clients[index] = server->clients[--server->client_count];
}

static bool
serve_client(struct server *server, int client)
{
	uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
	int length;

	modbus_set_socket(server->context, client);
	length = modbus_receive(server->context, query);
	if (length < 0)
		return false;
	if (length == 0 || answer(server, query, length) >= 0)
		return true;
	log_warn(NULL, "a Modbus client that takes no answers is dropped");
	return false;
}

/* From the last one on, so that dropping one moves none that is due. */
static void
serve_ready(struct server *server, const struct pollfd *polled)
{
	for (size_t i = server->client_count; i-- > 0;)
		if (polled[i + 1].revents != 0 &&
			!serve_client(server, server->clients[i]))
			drop_client(server, i);
	if (polled[0].revents != 0)
		accept_client(server);
}

static void *
run(void *context)
{
	struct server *server = context;
	struct pollfd polled[CLIENTS_MAX + 1];

	while (!atomic_load(&server->stop)) {
		polled[0] = (struct pollfd){server->listener, POLLIN, 0};
		for (size_t i = 0; i < server->client_count; i++)
			polled[i + 1] =
				(struct pollfd){server->clients[i], POLLIN, 0};
		if (poll(polled, server->client_count + 1, TICK_MS) > 0)
			serve_ready(server, polled);
	}
	while (server->client_count > 0)
		drop_client(server, 0);
	return NULL;
}

/* --- the outlet ----------------------------------------------------------- */

static void
modbus_outlet_close(void *state)
{
	struct server *server = state;

	if (server == NULL)
		return;
	atomic_store(&server->stop, true);
	if (server->running)
		pthread_join(server->thread, NULL);
	if (server->listener >= 0)
		close(server->listener);
	if (server->context != NULL)
		modbus_free(server->context);
	modbus_map_close(&server->map);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

static enum rc
open_listener(struct server *server, struct fault *fault)
{
	char port[8];

	snprintf(port, sizeof(port), "%d", (int)server->conf->port);
	server->context = modbus_new_tcp_pi(server->conf->listen, port);
	if (server->context == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"[modbus] listen = %.100s: %s", server->conf->listen,
			modbus_strerror(errno));
	modbus_set_indication_timeout(server->context, 0, REQUEST_WAIT_US);
	server->listener = modbus_tcp_pi_listen(server->context, BACKLOG);
	if (server->listener < 0)
		return fault_set(fault, RC_IO, "%s port %s: %s",
			server->conf->listen, port, modbus_strerror(errno));
	fcntl(server->listener, F_SETFD, FD_CLOEXEC);
	fcntl(server->listener, F_SETFL, O_NONBLOCK);
	return RC_OK;
}

static enum rc
start_thread(struct server *server, struct fault *fault)
{
	if (pthread_create(&server->thread, NULL, run, server) != 0)
		return fault_set(fault, RC_IO, "there is no thread for Modbus");
	server->running = true;
	log_info(NULL, "Modbus on %s port %d, %zu variables",
		server->conf->listen, (int)server->conf->port,
		server->map.count);
	return RC_OK;
}

static enum rc
modbus_outlet_open(const struct egress_conf *conf, const char *position,
	struct egress_writes *writes, void **state, struct fault *fault)
{
	struct server *server = calloc(1, sizeof(*server));
	enum rc rc;

	(void)position;
	if (server == NULL)
		abort();
	server->conf = &conf->modbus;
	server->writes = writes;
	server->listener = -1;
	pthread_mutex_init(&server->lock, NULL);
	rc = conf->modbus.registers[0] == '\0'
		     ? fault_set(fault, RC_BAD_INPUT,
			       "[modbus] registers is missing")
		     : modbus_map_open(
			       &server->map, conf->modbus.registers, fault);
	if (rc == RC_OK)
		rc = open_listener(server, fault);
	if (rc == RC_OK)
		rc = start_thread(server, fault);
	if (rc == RC_OK)
		*state = server;
	else
		modbus_outlet_close(server);
	return rc;
}

/* A value that does not fit holds up no other. */
static enum rc
modbus_outlet_value(void *state, const struct mirror_variable *variable,
	const struct sample *sample, struct fault *fault)
{
	struct server *server = state;
	enum rc rc;

	pthread_mutex_lock(&server->lock);
	rc = modbus_map_put(&server->map, variable->shown, sample, fault);
	pthread_mutex_unlock(&server->lock);
	if (rc != RC_OK)
		log_debug(NULL, "%s: %s", variable->shown, fault->text);
	return RC_OK;
}

static enum rc
modbus_outlet_record(
	void *state, const struct outlet_record *record, struct fault *fault)
{
	(void)state;
	(void)record;
	(void)fault;
	return RC_OK; /* there is no register for it */
}

static enum rc
modbus_outlet_commit(void *state, struct buf *position, struct fault *fault)
{
	(void)state;
	(void)position;
	(void)fault;
	return RC_OK;
}

static enum rc
modbus_outlet_undo(void *state, const char *position, struct fault *fault)
{
	(void)state;
	(void)position;
	(void)fault;
	return RC_OK; /* older values change nothing */
}

extern const struct outlet outlet_modbus;
const struct outlet outlet_modbus = {
	.name = "modbus",
	.wants_current = true,
	.can_write = true,
	.open = modbus_outlet_open,
	.close = modbus_outlet_close,
	.value = modbus_outlet_value,
	.record = modbus_outlet_record,
	.commit = modbus_outlet_commit,
	.undo = modbus_outlet_undo,
};
