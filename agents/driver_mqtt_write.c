/* driver_mqtt_write: commands to machines, and their feedback. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agents/driver_mqtt_parts.h"
#include "lib/clock.h"
#include "lib/jsonw.h"

#define NUMBER_NEAR 1e-6  /* a machine may keep 32 bits of a number */
#define NUMBER_ZERO 1e-12 /* what unscaling may leave of a 0 */

/* In a payload that is JSON, text stands in quotes. */
static bool
is_json(const char *payload)
{
	return payload[0] == '[' ||
	       (payload[0] == '{' && strncmp(payload, "{value}", 7) != 0);
}

static const char *
write_value(struct arena *arena, const struct value *raw, bool json)
{
	struct jsonw *out = jsonw_in(arena);

	switch (raw->kind) {
	case VALUE_BOOL:
		return raw->boolean ? "true" : "false";
	case VALUE_INT:
		jsonw_int(out, NULL, raw->integer);
		break;
	case VALUE_STRING:
		if (!json)
			return arena_strndup(
				arena, raw->string.data, raw->string.bytes);
		jsonw_strn(out, NULL, raw->string.data, raw->string.bytes);
		break;
	default:
		jsonw_num(out, NULL, raw->number);
		break;
	}
	return out->out->data;
}

static void
wait_for_feedback(
	struct mqtt *mqtt, const struct driver_write *write, uint64_t from)
{
	const struct value *raw = write->raw;
	size_t bytes = raw->kind == VALUE_STRING ? raw->string.bytes : 0;
	struct mqtt_pending *one = malloc(sizeof(*one) + bytes + 1);
	int64_t until_us =
		clock_steady_us() + mqtt->options->feedback_ms * 1000;

	if (one == NULL)
		abort();
	*one = (struct mqtt_pending){.token = write->token,
		.index = write->index,
		.raw = *raw,
		.from = from,
		.until_us =
			until_us < write->until_us ? until_us : write->until_us,
		.next = mqtt->pending};
	if (raw->kind == VALUE_STRING) {
		memcpy(one + 1, raw->string.data, bytes);
		one->raw.string.data = (const char *)(one + 1);
	}
	mqtt->pending = one;
}

enum rc
mqtt_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	struct mqtt *mqtt = state;
	const struct mqtt_output *output = &mqtt->outputs[write->index];
	struct mqtt_filling filling = {0};
	const char *payload;
	/* QoS 0: what cannot be delivered now must not arrive later. */
	struct broker_publication publication = {.topic = output->topic};
	uint64_t from;
	enum rc rc;

	(void)sink;
	if (output->topic == NULL)
		return fault_set(fault, RC_DENIED, "it cannot be written");
	if (!mqtt->started)
		return fault_set(fault, RC_UNAVAILABLE,
			"there is no connection to the broker");
	arena_reset(mqtt->scratch);
	filling.value = write_value(
		mqtt->scratch, write->raw, is_json(output->payload));
	payload = mqtt_address_fill(mqtt->scratch, output->payload, &filling);
	publication.data = payload;
	publication.bytes = strlen(payload);
	from = mqtt_ring_end(mqtt->ring);
	rc = broker_publish(mqtt->broker, &publication, NULL, fault);
	if (rc == RC_OK)
		wait_for_feedback(mqtt, write, from);
	return rc;
}

/* --- feedback ------------------------------------------------------------ */

static double
as_number(const struct value *value)
{
	return value->kind == VALUE_BOOL ? value->boolean : value_number(value);
}

static bool
is_confirmed(const struct value *wanted, const struct value *raw)
{
	double left = as_number(wanted);
	double right = as_number(raw);

	if (wanted->kind == VALUE_STRING || raw->kind == VALUE_STRING)
		return value_equal(wanted, raw);
	if (wanted->kind == VALUE_BOOL)
		return wanted->boolean == (right != 0);
	if (wanted->kind == VALUE_INT && raw->kind == VALUE_INT)
		return wanted->integer == raw->integer;
	return fabs(left - right) <=
	       fmax(NUMBER_ZERO, NUMBER_NEAR * fabs(left));
}

static void
answer(struct mqtt *mqtt, struct mqtt_pending **place, enum rc rc,
	const struct value *raw, const char *why)
{
	struct mqtt_pending *one = *place;

	*place = one->next;
	mqtt->sink->written(mqtt->sink, one->token, rc, raw, why);
	free(one);
}

void
mqtt_feedback(struct mqtt *mqtt, size_t index, const struct value *raw)
{
	struct mqtt_pending **place = &mqtt->pending;
	uint64_t at = mqtt_ring_taken(mqtt->ring);

	while (*place != NULL)
		if ((*place)->index == index && (*place)->from <= at &&
			is_confirmed(&(*place)->raw, raw))
			answer(mqtt, place, RC_OK, raw, NULL);
		else
			place = &(*place)->next;
}

void
mqtt_give_up(struct mqtt *mqtt, int64_t steady_us)
{
	struct mqtt_pending **place = &mqtt->pending;

	while (*place != NULL)
		if (steady_us >= (*place)->until_us)
			answer(mqtt, place, RC_IO, NULL,
				"published, but no feedback came in time");
		else
			place = &(*place)->next;
}

void
mqtt_pending_free(struct mqtt *mqtt)
{
	while (mqtt->pending != NULL) {
		struct mqtt_pending *one = mqtt->pending;

		mqtt->pending = one->next;
		free(one);
	}
}
