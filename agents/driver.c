/* driver: where an agent's raw values come from. */

#include "agents/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agents/plant_clock.h"

extern const struct driver driver_csv;
extern const struct driver driver_file;
extern const struct driver driver_host;
extern const struct driver driver_modbus;
extern const struct driver driver_mqtt;
extern const struct driver driver_sim;

const struct driver *const drivers[] = {
	&driver_csv,
	&driver_file,
	&driver_host,
	&driver_modbus,
	&driver_mqtt,
	&driver_sim,
	NULL,
};

const struct driver *
driver_find(const char *name)
{
	for (size_t i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

void
driver_read_back(struct sink *sink, const struct driver_write *write,
	const struct value *now)
{
	if (now == NULL) {
		sink->written(sink, write->token, RC_IO, NULL,
			"the value could not be read back");
		return;
	}
	sink->put(sink, write->index, plant_clock_us(), 0, now);
	if (value_equal(now, write->raw))
		sink->written(sink, write->token, RC_OK, now, NULL);
	else
		sink->written(sink, write->token, RC_CONFLICT, now,
			"another value was read back");
}

const char *
driver_text(const struct value *raw, char room[DRIVER_TEXT_BYTES])
{
	if (raw->kind == VALUE_STRING)
		return raw->string.data;
	if (raw->kind == VALUE_INT)
		snprintf(room, DRIVER_TEXT_BYTES, "%" PRId64, raw->integer);
	else
		snprintf(room, DRIVER_TEXT_BYTES, "%.17g", value_number(raw));
	return room;
}
