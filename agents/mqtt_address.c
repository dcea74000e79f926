/* mqtt_address: where a variable is found at an MQTT broker. */

#include "agents/mqtt_address.h"

#include <string.h>

#include "agents/broker.h"
#include "lib/buf.h"

#define TEXT_BYTES_MAX 4096
#define SPARKPLUG      "spBv1.0/"
/* Of group and node: with them topics of other kinds are made. */
#define SPARKPLUG_BYTES_MAX 500

static const char *
find_filling(const struct mqtt_filling *filling, const char *at, size_t *bytes)
{
	const struct {
		const char *mark;
		const char *value;
	} marks[] = {
		{"{name}", filling->name},
		{"{address}", filling->address},
		{"{topic}", filling->topic},
		{"{value}", filling->value},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
		*bytes = strlen(marks[i].mark);
		if (strncmp(at, marks[i].mark, *bytes) == 0)
			return marks[i].value;
	}
	return NULL;
}

const char *
mqtt_address_fill(struct arena *arena, const char *text,
	const struct mqtt_filling *filling)
{
	struct buf out;
	const char *copy;

	buf_init(&out, 0);
	while (*text != '\0') {
		size_t bytes = 1;
		const char *value =
			*text == '{' ? find_filling(filling, text, &bytes)
				     : NULL;

		if (value != NULL)
			buf_text(&out, value);
		else
			buf_add(&out, text, bytes = 1);
		text += bytes;
	}
	copy = arena_strndup(
		arena, out.data != NULL ? out.data : "", out.length);
	buf_free(&out);
	return copy;
}

/* TOPIC, TOPIC#PATH or TOPIC#PATH@TIME into its parts; NULL where none is. */
struct parts {
	char *topic;
	char *path;
	char *time;
};

static struct parts
split(struct arena *arena, const char *text)
{
	struct parts parts = {.topic = arena_strdup(arena, text)};
	char *hash = strchr(parts.topic, '#');
	char quote = '\0';

	if (hash == NULL)
		return parts;
	*hash = '\0';
	parts.path = hash + 1;
	for (char *at = parts.path; *at != '\0'; at++) {
		if (quote != '\0')
			quote = *at == quote ? '\0' : quote;
		else if (at[0] == '[' && (at[1] == '"' || at[1] == '\''))
			quote = *++at;
		if (quote != '\0' || *at != '@')
			continue;
		*at = '\0';
		parts.time = at + 1;
		break;
	}
	return parts;
}

/* GROUP/NODE or GROUP/NODE/DEVICE. */
static enum rc
take_sparkplug(struct arena *arena, const struct parts *parts,
	struct mqtt_address *address, struct fault *fault)
{
	char *rest = arena_strdup(arena, parts->topic + strlen(SPARKPLUG));
	char *save = NULL;

	address->group = strtok_r(rest, "/", &save);
	address->node = strtok_r(NULL, "/", &save);
	address->device = strtok_r(NULL, "/", &save);
	if (address->node == NULL || strtok_r(NULL, "/", &save) != NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"must be spBv1.0/GROUP/NODE#METRIC or "
			"spBv1.0/GROUP/NODE/DEVICE#METRIC");
	if (strlen(address->group) + strlen(address->node) >
		SPARKPLUG_BYTES_MAX)
		return fault_set(fault, RC_BAD_INPUT,
			"the names of group and node have more than %d bytes",
			SPARKPLUG_BYTES_MAX);
	if (address->device == NULL)
		address->device = "";
	if (parts->path == NULL || parts->path[0] == '\0')
		return fault_set(fault, RC_BAD_INPUT,
			"needs #METRIC behind the Sparkplug node or device");
	address->metric = parts->path;
	return RC_OK;
}

static enum rc
check_topic(const char *topic, struct fault *fault)
{
	if (strlen(topic) > TEXT_BYTES_MAX)
		return fault_set(fault, RC_BAD_INPUT, "the topic is too long");
	if (!broker_topic_valid(topic))
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.80s\" is not a topic: it is empty, or has a "
			"wildcard",
			topic);
	return RC_OK;
}

enum rc
mqtt_address_beside(struct arena *arena, const char *pattern,
	const struct input *input, const struct mqtt_address *address,
	struct mqtt_address *other, struct fault *fault)
{
	struct parts own = split(arena, input->address);
	struct parts frame = split(arena, pattern);
	struct mqtt_filling filling = {.name = input->name,
		.address = own.topic,
		.topic = address->topic};

	memset(other, 0, sizeof(*other));
	other->topic = mqtt_address_fill(arena, frame.topic, &filling);
	other->path = frame.path;
	return check_topic(other->topic, fault);
}

enum rc
mqtt_address_parse(struct arena *arena, const char *pattern,
	const struct input *input, struct mqtt_address *address,
	struct fault *fault)
{
	struct parts own = split(arena, input->address);
	struct parts frame = split(arena, pattern);
	struct mqtt_filling filling = {
		.name = input->name, .address = own.topic};
	struct parts parts = {.path = own.path, .time = own.time};

	memset(address, 0, sizeof(*address));
	parts.topic = arena_strdup(
		arena, mqtt_address_fill(arena, frame.topic, &filling));
	if (check_topic(parts.topic, fault) != RC_OK)
		return RC_BAD_INPUT;
	if (strncmp(parts.topic, SPARKPLUG, strlen(SPARKPLUG)) == 0) {
		/* A metric's name may hold an @. */
		if (own.time != NULL)
			parts.path = strchr(input->address, '#') + 1;
		return take_sparkplug(arena, &parts, address, fault);
	}
	if (parts.path == NULL)
		parts.path = frame.path;
	if (parts.time == NULL && parts.path != NULL)
		parts.time = frame.time;
	address->topic = parts.topic;
	address->path = parts.path;
	address->time = parts.time;
	return RC_OK;
}
