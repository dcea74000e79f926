/* driver_modbus: writing to a device made of libmodbus, and its moods. */

#include "lib/clock.h"
#include "tests/unit/orders.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <modbus/modbus.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FUNCTION_AT 7 /* in a request over TCP */
#define FUNCTIONS   32

extern const struct driver driver_modbus;

/* --- the device
 * --------------------------------------------------------------- */

enum mood {
	WILLING,
	FROZEN,   /* acknowledges writes but keeps the old value */
	MUTE,     /* does what it is told, but does not answer writes */
	DEAF,     /* neither does nor answers writes */
	DEAD,     /* nor answers anything else */
	REFUSING, /* answers writes with exception 3 */
	BUSY,     /* answers the first write with exception 6 */
	WORKING,  /* does it, but answers exception 5 */
	MASKLESS, /* does not know function 22 */
};

static struct {
	modbus_t *context;
	modbus_mapping_t *memory;
	int listener;
	int port;
	pthread_t thread;
	atomic_int mood;
	atomic_int requests[FUNCTIONS];
	atomic_int busy;
	atomic_bool ending;
} device;

static bool
is_write(int function)
{
	return function == 5 || function == 6 || function == 15 ||
	       function == 16 || function == 22;
}

static void
refuse(const uint8_t *request, unsigned exception)
{
	modbus_reply_exception(device.context, request, exception);
}

/* As modbus_reply, but nobody gets the answer. */
static void
do_silently(const uint8_t *request, int length)
{
	int pair[2];
	int socket = modbus_get_socket(device.context);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	modbus_set_socket(device.context, pair[0]);
	modbus_reply(device.context, request, length, device.memory);
	modbus_set_socket(device.context, socket);
	close(pair[0]);
	close(pair[1]);
}

static void
answer_frozen(const uint8_t *request, int length)
{
	uint16_t registers[64];
	uint8_t bits[64];

	memcpy(registers, device.memory->tab_registers, sizeof(registers));
	memcpy(bits, device.memory->tab_bits, sizeof(bits));
	modbus_reply(device.context, request, length, device.memory);
	memcpy(device.memory->tab_registers, registers, sizeof(registers));
	memcpy(device.memory->tab_bits, bits, sizeof(bits));
}

static void
answer_write(const uint8_t *request, int length)
{
	int mood = device.mood;

	if (mood == FROZEN) {
		answer_frozen(request, length);
	} else if (mood == MUTE) {
		do_silently(request, length);
	} else if (mood == REFUSING) {
		refuse(request, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
	} else if (mood == BUSY && device.busy-- > 0) {
		refuse(request, MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY);
	} else if (mood == WORKING) {
		do_silently(request, length);
		refuse(request, MODBUS_EXCEPTION_ACKNOWLEDGE);
	} else if (mood == MASKLESS && request[FUNCTION_AT] == 22) {
		refuse(request, MODBUS_EXCEPTION_ILLEGAL_FUNCTION);
	} else if (mood != DEAF && mood != DEAD) {
		modbus_reply(device.context, request, length, device.memory);
	}
}

static void *
serve(void *context)
{
	uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];

	(void)context;
	while (!device.ending) {
		int length;

		if (modbus_tcp_accept(device.context, &device.listener) < 0)
			break;
		while ((length = modbus_receive(device.context, request)) >=
			0) {
			int function = request[FUNCTION_AT];

			if (function < FUNCTIONS)
				device.requests[function]++;
			if (is_write(function))
				answer_write(request, length);
			else if (device.mood != DEAD)
				modbus_reply(device.context, request, length,
					device.memory);
		}
		modbus_close(device.context);
	}
	return NULL;
}

static int
device_on(void **state)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	(void)state;
	memset(&device, 0, sizeof(device));
	device.memory = modbus_mapping_new(64, 64, 64, 64);
	/* A port that is free at the moment. */
	device.context = modbus_new_tcp_pi("127.0.0.1", "0");
	device.listener = modbus_tcp_pi_listen(device.context, 1);
	if (device.listener < 0 ||
		getsockname(device.listener, (struct sockaddr *)&address,
			&length) != 0)
		return -1;
	device.port = (((const uint8_t *)&address)[2] << 8) +
		      ((const uint8_t *)&address)[3];
	return pthread_create(&device.thread, NULL, serve, NULL);
}

static void
end_serving(void)
{
	device.ending = true;
	shutdown(device.listener, SHUT_RDWR);
	shutdown(modbus_get_socket(device.context), SHUT_RDWR);
	pthread_join(device.thread, NULL);
}

static int
device_off(void **state)
{
	(void)state;
	end_serving();
	close(device.listener);
	modbus_mapping_free(device.memory);
	modbus_free(device.context);
	return 0;
}

/* --- the agent
 * ---------------------------------------------------------------- */

enum { SPEED, START, BIT, TOTAL, NAME, REPLIED, PULSE, INPUTS };

static struct input inputs[INPUTS];

static void
set_input(size_t index, const char *address, enum value_kind kind, double scale)
{
	inputs[index] = (struct input){.name = address,
		.address = address,
		.access = "read_write",
		.kind = kind,
		.scale = scale,
		.minimum = NAN,
		.maximum = NAN,
		.dead_band = NAN,
		.line = 1,
		.column = 1,
		.id = (int32_t)index + 1};
}

static void
start(struct plant *plant)
{
	static struct {
		const char *devices; /* as the driver's options */
	} options;
	static char path[128];
	FILE *file;

	set_input(SPEED, "plc/holding/2:int16", VALUE_FLOAT, 0.1);
	set_input(START, "plc/coil/3", VALUE_BOOL, 1);
	set_input(BIT, "plc/holding/4.5", VALUE_BOOL, 1);
	set_input(TOTAL, "plc/holding/6:uint32:cdab", VALUE_INT, 1);
	set_input(NAME, "plc/holding/10:string6", VALUE_STRING, 1);
	set_input(REPLIED, "trusted/holding/20", VALUE_INT, 1);
	set_input(PULSE, "trusted/coil/21", VALUE_BOOL, 1);
	plant_prepare(plant);
	snprintf(path, sizeof(path), "%s/devices.csv", plant->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"name,connection,timeout_ms,retries,confirm,write,back_off_s\n"
		"plc,127.0.0.1:%d,200,1,,,1\n"
		/* The same connection in other words: there is one only. */
		"trusted,[127.0.0.1]:%d,200,1,reply,multiple,1\n",
		device.port, device.port);
	fclose(file);
	options.devices = path;
	plant_start(plant, inputs, INPUTS, &driver_modbus, &options,
		CLOCK_HOUR_US); /* reads only to confirm */
}

static struct sampler_order
number(size_t index, double value)
{
	return (struct sampler_order){.index = index,
		.value = {.kind = VALUE_FLOAT, .number = value}};
}

static struct sampler_order
whole(size_t index, int64_t value)
{
	return (struct sampler_order){
		.index = index, .value = int_value(value)};
}

static struct sampler_order
truth(size_t index, bool value)
{
	return (struct sampler_order){.index = index,
		.value = {.kind = VALUE_BOOL, .boolean = value}};
}

static struct sampler_order
text(size_t index, const char *words)
{
	struct sampler_order order = {.index = index};

	order.value.kind = VALUE_STRING;
	order.value.string.data = words;
	order.value.string.bytes = (uint32_t)strlen(words);
	return order;
}

/* --- what is claimed
 * ---------------------------------------------------------- */

static void
test_modbus_writes_every_kind(void **state)
{
	struct plant plant;
	const uint16_t *registers = device.memory->tab_registers;

	(void)state;
	start(&plant);
	plant_expect(&plant, number(SPEED, -12.34), RC_OK, "");
	assert_int_equal((int16_t)registers[2], -123);
	assert_true(fabs(plant.result.value.number + 12.3) < 1e-9);
	plant_expect(&plant, truth(START, true), RC_OK, "");
	assert_int_equal(device.memory->tab_bits[3], 1);
	plant_expect(&plant, whole(TOTAL, 0x12345678), RC_OK, "");
	assert_int_equal(registers[6], 0x5678);
	assert_int_equal(registers[7], 0x1234);
	plant_expect(&plant, text(NAME, "Ofen"), RC_OK, "");
	assert_int_equal(registers[10], 'O' << 8 | 'f');
	assert_int_equal(registers[12], 0);
	assert_string_equal(plant.text, "Ofen");
	/* One coil and one register singly, more of them together. */
	assert_int_equal(device.requests[5], 1);
	assert_int_equal(device.requests[6], 1);
	assert_int_equal(device.requests[16], 2);
	plant_stop(&plant);
}

static void
test_modbus_writes_singles_together_when_told(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	plant_expect(&plant, whole(REPLIED, 7), RC_OK, "");
	plant_expect(&plant, truth(PULSE, true), RC_OK, "");
	assert_int_equal(device.memory->tab_registers[20], 7);
	assert_int_equal(device.memory->tab_bits[21], 1);
	assert_int_equal(device.requests[15], 1);
	assert_int_equal(device.requests[16], 1);
	assert_int_equal(device.requests[5] + device.requests[6], 0);
	/* The reply is the confirmation: nothing is read. */
	assert_int_equal(device.requests[1] + device.requests[3], 0);
	plant_stop(&plant);
}

static void
test_modbus_sets_one_bit_only(void **state)
{
	struct plant plant;
	uint16_t *word = &device.memory->tab_registers[4];

	(void)state;
	*word = 0xa00f;
	start(&plant);
	plant_expect(&plant, truth(BIT, true), RC_OK, "");
	assert_int_equal(*word, 0xa02f);
	assert_int_equal(device.requests[22], 1);
	device.mood = MASKLESS;
	plant_expect(&plant, truth(BIT, false), RC_OK, "");
	assert_int_equal(*word, 0xa00f);
	plant_expect(&plant, truth(BIT, true), RC_OK, "");
	assert_int_equal(*word, 0xa02f);
	assert_int_equal(device.requests[22], 2); /* asked for once more only */
	assert_int_equal(device.requests[6], 2);
	plant_stop(&plant);
}

static void
test_modbus_refuses_what_does_not_fit(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	plant_expect(
		&plant, number(SPEED, 3276.8), RC_UNPROCESSABLE, "16 bits");
	plant_expect(&plant, whole(TOTAL, -1), RC_UNPROCESSABLE, "32 bits");
	plant_expect(&plant, text(NAME, "Fritteuse"), RC_UNPROCESSABLE,
		"more than the 6 bytes");
	for (int i = 0; i < FUNCTIONS; i++)
		assert_true(!is_write(i) || device.requests[i] == 0);
	plant_stop(&plant);
}

static void
test_modbus_tells_what_the_device_has(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	plant_expect(&plant, number(SPEED, 1), RC_OK, "");
	device.mood = FROZEN;
	plant_expect(&plant, number(SPEED, 2), RC_CONFLICT, "another value");
	assert_true(plant.result.value.number == 1);
	plant_stop(&plant);
}

static void
test_modbus_tells_the_devices_refusal(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	device.mood = REFUSING;
	plant_expect(&plant, number(SPEED, 2), RC_UPSTREAM, "Illegal data");
	assert_false(plant.result.begun);
	assert_int_equal(device.requests[6], 1);
	plant_stop(&plant);
}

static void
test_modbus_asks_a_busy_device_again(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	device.mood = BUSY;
	device.busy = 1;
	plant_expect(&plant, number(SPEED, 2), RC_OK, "");
	assert_int_equal(device.requests[6], 2);
	device.busy = 9;
	plant_expect(&plant, number(SPEED, 3), RC_UPSTREAM, "busy");
	device.mood = WORKING;
	plant_expect(&plant, number(SPEED, 4), RC_OK, "");
	plant_stop(&plant);
}

static void
test_modbus_never_sends_a_write_twice(void **state)
{
	struct plant plant;
	int reads;

	(void)state;
	start(&plant);
	device.mood = MUTE; /* it is done, as reading back shows */
	plant_expect(&plant, number(SPEED, 5), RC_OK, "");
	assert_int_equal(device.requests[6], 1);
	device.mood = DEAF;
	plant_expect(&plant, number(SPEED, 6), RC_IO, "not confirmed");
	assert_true(plant.result.begun);
	assert_true(plant.result.value.number == 5);
	assert_int_equal(device.requests[6], 2);
	plant_expect(&plant, whole(REPLIED, 6), RC_IO, "not confirmed");
	assert_int_equal(plant.result.value.kind, VALUE_NONE);
	assert_int_equal(device.requests[16], 1);
	device.mood = DEAD; /* nobody waits for five more answers */
	reads = device.requests[3];
	plant_expect(&plant, number(SPEED, 7), RC_IO, "not confirmed");
	assert_int_equal(device.requests[3] - reads, 2);
	plant_stop(&plant);
}

/* What waits behind a slow write for too long is not written. */
static void
test_modbus_writes_nothing_late(void **state)
{
	struct plant plant;
	struct sampler_order late = whole(REPLIED, 9);

	(void)state;
	start(&plant);
	device.mood = DEAF;
	plant_give(&plant, number(SPEED, 6));
	late.until_us = clock_steady_us() + CLOCK_SECOND_US / 10;
	plant_give(&plant, late);
	plant_wait(&plant, 2);
	assert_int_equal(plant.result.rc, RC_UNAVAILABLE);
	assert_non_null(strstr(plant.why, "time was over"));
	assert_int_equal(device.requests[16], 0);
	plant_stop(&plant);
}

static void
test_modbus_writes_nothing_to_who_is_off(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant);
	plant_expect(&plant, number(SPEED, 1), RC_OK, "");
	end_serving();
	plant_expect(&plant, number(SPEED, 2), RC_UNAVAILABLE, "out of reach");
	assert_false(plant.result.begun);
	plant_stop(&plant);
	assert_int_equal(pthread_create(&device.thread, NULL, serve, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, device_on, device_off)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modbus_writes_every_kind),
		TEST(test_modbus_writes_singles_together_when_told),
		TEST(test_modbus_sets_one_bit_only),
		TEST(test_modbus_refuses_what_does_not_fit),
		TEST(test_modbus_tells_what_the_device_has),
		TEST(test_modbus_tells_the_devices_refusal),
		TEST(test_modbus_asks_a_busy_device_again),
		TEST(test_modbus_never_sends_a_write_twice),
		TEST(test_modbus_writes_nothing_late),
		TEST(test_modbus_writes_nothing_to_who_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
