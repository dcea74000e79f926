/* bench/modbus: how fast the Modbus driver reads a device made of libmodbus.
 *
 *   modbus CONNECTIONS SECONDS
 *
 * Prints requests a second, values a second, the CPU time of the driver in us
 * for each value, and the requests a second of a bare loop around libmodbus
 * with as many connections and the same device. */

#include <math.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/driver.h"
#include "lib/clock.h"

#define REGISTERS   125 /* of one request */
#define REQUESTS    400 /* of a connection in one round */
#define CONNECTIONS 8
#define FIRST_PORT  21480
#define INPUTS_MAX  (CONNECTIONS * REGISTERS * REQUESTS)

extern const struct driver driver_modbus;

/* --- the device, a process of its own
 * ----------------------------------------- */

static void *
serve(void *context)
{
	modbus_t *device = context;
	modbus_mapping_t *memory =
		modbus_mapping_new(0, 0, REGISTERS * REQUESTS, 0);
	uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
	int listener = modbus_tcp_listen(device, 1);
	int length;

	if (memory == NULL || listener < 0)
		_exit(EXIT_FAILURE);
	for (;;) {
		if (modbus_tcp_accept(device, &listener) < 0)
			_exit(EXIT_FAILURE);
		while ((length = modbus_receive(device, request)) >= 0) {
			memory->tab_registers[0]++;
			modbus_reply(device, request, length, memory);
		}
		modbus_close(device);
	}
	return NULL;
}

static pid_t
start_device(int connections)
{
	pid_t child = fork();
	pthread_t thread;

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < connections; i++)
		if (pthread_create(&thread, NULL, serve,
			    modbus_new_tcp("127.0.0.1", FIRST_PORT + i)) != 0)
			_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

/* --- the bare loop
 * ------------------------------------------------------------ */

static atomic_long bare_requests;
static atomic_bool bare_ends;

static void *
ask(void *context)
{
	modbus_t *device = context;
	uint16_t registers[REGISTERS];

	if (modbus_connect(device) != 0)
		exit(EXIT_FAILURE);
	for (int i = 0; !bare_ends; i = (i + 1) % REQUESTS)
		if (modbus_read_registers(device, i * REGISTERS, REGISTERS,
			    registers) == REGISTERS)
			bare_requests++;
	modbus_close(device);
	modbus_free(device);
	return NULL;
}

static double
ask_barely(int connections, int seconds)
{
	pthread_t threads[CONNECTIONS];

	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, ask,
			modbus_new_tcp("127.0.0.1", FIRST_PORT + i));
	sleep((unsigned)seconds);
	bare_ends = true;
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	return (double)bare_requests / seconds;
}

/* --- the driver
 * --------------------------------------------------------------- */

static struct {
	struct sink sink;
	size_t values;
	size_t invalid;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool woken;
} agent;

static void
put(struct sink *sink, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	(void)sink;
	(void)index;
	(void)time_us;
	agent.values += raw != NULL && status == 0;
	agent.invalid += status != 0;
}

static void
wake(void *context)
{
	(void)context;
	pthread_mutex_lock(&agent.lock);
	agent.woken = true;
	pthread_cond_signal(&agent.change);
	pthread_mutex_unlock(&agent.lock);
}

static void
wait_for_wake(void)
{
	pthread_mutex_lock(&agent.lock);
	while (!agent.woken)
		pthread_cond_wait(&agent.change, &agent.lock);
	agent.woken = false;
	pthread_mutex_unlock(&agent.lock);
}

static struct input *
make_inputs(struct arena *arena, int connections)
{
	struct input *inputs = arena_array(arena, INPUTS_MAX, sizeof(*inputs));

	for (int i = 0; i < connections * REGISTERS * REQUESTS; i++)
		inputs[i] = (struct input){.kind = VALUE_INT,
			.access = "read",
			.scale = 1,
			.minimum = NAN,
			.maximum = NAN,
			.address = arena_printf(arena, "d%d/holding/%d",
				i / (REGISTERS * REQUESTS),
				i % (REGISTERS * REQUESTS))};
	return inputs;
}

static void
write_devices(const char *path, int connections)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		exit(EXIT_FAILURE);
	fputs("name,connection\n", file);
	for (int i = 0; i < connections; i++)
		fprintf(file, "d%d,127.0.0.1:%d\n", i, FIRST_PORT + i);
	fclose(file);
}

static double
cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void *
open_driver(struct arena *arena, struct input_list *list, const char *path)
{
	static struct {
		const char *devices; /* as the driver's options */
	} options;
	static struct notices notices;
	struct driver_setup setup = {.list = list,
		.options = &options,
		.period_us = 10000, /* a round takes longer */
		.arena = arena,
		.wake = wake,
		.notices = &notices};
	struct fault fault;
	void *state;

	options.devices = path;
	notices_init(&notices);
	if (driver_modbus.open(&setup, &state, &fault) != RC_OK) {
		fprintf(stderr, "%s\n", fault.text);
		exit(EXIT_FAILURE);
	}
	return state;
}

static void
read_for(void *driver, int seconds)
{
	int64_t end_us = clock_steady_us() + seconds * CLOCK_SECOND_US;
	struct fault fault;
	int64_t next_us;

	do {
		if (driver_modbus.poll(driver, clock_now_us(), &agent.sink,
			    &next_us, &fault) != RC_OK)
			exit(EXIT_FAILURE);
		wait_for_wake();
	} while (clock_steady_us() < end_us);
}

static void
measure(int connections, int seconds)
{
	struct arena *arena = arena_new();
	char path[] = "/tmp/fieldgrid-bench-XXXXXX";
	int file = mkstemp(path);
	struct input_list list = {
		"bench", (size_t)(connections * REGISTERS * REQUESTS), NULL};
	double bare = ask_barely(connections, seconds);
	double began_us;
	void *driver;
	size_t before;

	close(file);
	list.items = make_inputs(arena, connections);
	write_devices(path, connections);
	pthread_mutex_init(&agent.lock, NULL);
	pthread_cond_init(&agent.change, NULL);
	agent.sink.put = put;
	driver = open_driver(arena, &list, path);
	read_for(driver, 1);
	before = agent.values;
	began_us = cpu_us();
	read_for(driver, seconds);
	printf("%.0f %.0f %.4f %.0f\n",
		(double)(agent.values - before) / REGISTERS / seconds,
		(double)(agent.values - before) / seconds,
		(cpu_us() - began_us) / (double)(agent.values - before), bare);
	driver_modbus.close(driver);
	unlink(path);
	arena_free(arena);
	if (agent.invalid > 0)
		exit(EXIT_FAILURE);
}

int
main(int argc, char **argv)
{
	int connections = argc > 1 ? atoi(argv[1]) : 1;
	int seconds = argc > 2 ? atoi(argv[2]) : 5;
	pid_t device;

	if (connections < 1 || connections > CONNECTIONS || seconds < 1)
		return EXIT_FAILURE;
	device = start_device(connections);
	usleep(300000);
	measure(connections, seconds);
	kill(device, SIGKILL);
	waitpid(device, NULL, 0);
	return EXIT_SUCCESS;
}
