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
#include "lib/log.h"

#define CLIENTS_MAX     256
#define BACKLOG         16
#define TICK_MS         200 /* to see that it is time to end */
#define REQUEST_WAIT_US 500000
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

/* A write request, taken apart. */
struct order {
	enum modbus_table table;
	uint32_t number;
	uint32_t count;
	uint16_t values[MODBUS_MAX_WRITE_BITS]; /* coils 0 or 1 */
};

static uint16_t
word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The length was checked by libmodbus against the function's. */
static bool
read_order(const uint8_t *pdu, struct order *order)
{
	const uint8_t *data = pdu + 6;

	*order = (struct order){.number = word(pdu + 1), .count = 1};
	switch (pdu[0]) {
	case MODBUS_FC_WRITE_SINGLE_COIL:
		order->table = MODBUS_COIL;
		order->values[0] = word(pdu + 3) == 0xff00;
		return word(pdu + 3) == 0xff00 || word(pdu + 3) == 0;
	case MODBUS_FC_WRITE_SINGLE_REGISTER:
		order->table = MODBUS_HOLDING;
		order->values[0] = word(pdu + 3);
		return true;
	case WRITE_BITS:
		order->table = MODBUS_COIL;
		order->count = word(pdu + 3);
		if (order->count < 1 || order->count > MODBUS_MAX_WRITE_BITS ||
			pdu[5] != (order->count + 7) / 8)
			return false;
		for (uint32_t i = 0; i < order->count; i++)
			order->values[i] = data[i / 8] >> i % 8 & 1;
		return true;
	default:
		order->table = MODBUS_HOLDING;
		order->count = word(pdu + 3);
		if (order->count < 1 ||
			order->count > MODBUS_MAX_WRITE_REGISTERS ||
			pdu[5] != order->count * 2)
			return false;
		for (uint32_t i = 0; i < order->count; i++)
			order->values[i] = word(data + 2 * i);
		return true;
	}
}

static bool
put_write(struct server *server, const struct modbus_map_item *item,
	const uint16_t *values, unsigned *refusal)
{
	char text[MODBUS_TEXT_BYTES_MAX + 1];
	struct value value;
	struct buf json;
	bool put;

	*refusal = MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
	if (!modbus_decode(&item->address, values, &value, text))
		return false;
	buf_init(&json, 0);
	outlet_json_bare(&json, &value);
	put = egress_writes_put(
		server->writes, item->variable, json.data, NULL, NULL);
	buf_free(&json);
	*refusal = MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY;
	return put;
}

/* 0 = taken; else the exception. All of it must be of variables that may be
 * written, before the first is sent. */
static unsigned
take_order(struct server *server, const struct order *order)
{
	const struct modbus_map_item *item;
	unsigned refusal = 0;

	if (server->writes == NULL)
		return MODBUS_EXCEPTION_ILLEGAL_FUNCTION;
	for (uint32_t at = 0; at < order->count; at += item->address.count) {
		item = modbus_map_covered(&server->map, order->table,
			order->number + at, order->count - at);
		if (item == NULL)
			return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
	}
	for (uint32_t at = 0; at < order->count; at += item->address.count) {
		item = modbus_map_covered(&server->map, order->table,
			order->number + at, order->count - at);
		if (!put_write(server, item, order->values + at, &refusal))
			return refusal;
	}
	return 0;
}

/* The answer repeats the head of the request. */
static void
answer_write(struct server *server, const uint8_t *query, int length)
{
	int head = modbus_get_header_length(server->context);
	struct order order;
	unsigned refusal = MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
	modbus_mapping_t *scratch;

	if (read_order(query + head, &order))
		refusal = take_order(server, &order);
	if (refusal != 0) {
		modbus_reply_exception(server->context, query, refusal);
		return;
	}
	/* What libmodbus writes while it answers goes nowhere. */
	scratch = modbus_mapping_new_start_address(order.number, order.count, 0,
		0, order.number, order.count, 0, 0);
	if (scratch == NULL)
		abort();
	modbus_reply(server->context, query, length, scratch);
	modbus_mapping_free(scratch);
}

/* --- reads ---------------------------------------------------------------- */

static void
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

	pthread_mutex_lock(&server->lock);
	modbus_reply(server->context, query, length, &tables);
	pthread_mutex_unlock(&server->lock);
}

static void
answer(struct server *server, const uint8_t *query, int length)
{
	switch (query[modbus_get_header_length(server->context)]) {
	case MODBUS_FC_READ_COILS:
	case MODBUS_FC_READ_DISCRETE_INPUTS:
	case MODBUS_FC_READ_HOLDING_REGISTERS:
	case MODBUS_FC_READ_INPUT_REGISTERS:
		answer_read(server, query, length);
		break;
	case MODBUS_FC_WRITE_SINGLE_COIL:
	case MODBUS_FC_WRITE_SINGLE_REGISTER:
	case WRITE_BITS:
	case WRITE_REGISTERS:
		answer_write(server, query, length);
		break;
	default:
		modbus_reply_exception(server->context, query,
			MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
		break;
	}
}

/* --- connections ---------------------------------------------------------- */

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
	fcntl(client, F_SETFD, FD_CLOEXEC);
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
	if (length > 0)
		answer(server, query, length);
	return true;
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
