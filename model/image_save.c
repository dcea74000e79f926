/* image_save: the process image as bytes, and back. */

#include "model/image_layout.h"

#include <string.h>

/*
 * The form of a checkpoint: the magic, then positions, then values, each with
 * their count in front; all numbers in the order of this machine's bytes,
 * because only the hub that wrote it reads it.
 */
static const char magic[8] = "FGIMAGE1";

struct saved_value {
	int64_t time_us;
	int64_t received_us;
	uint64_t status;
	int64_t bits; /* of bool, int64 and float64 */
	int32_t id;
	uint32_t bytes; /* of a string, which follows */
	int32_t kind;
	int32_t zero;
};

static void
save_value(const struct image_variable *variable, struct buf *out)
{
	struct saved_value saved = {
		.time_us = variable->time_us,
		.received_us = variable->received_us,
		.status = variable->status,
		.id = variable->meta.id,
		.kind = (int32_t)variable->value.kind,
	};

	if (variable->value.kind == VALUE_STRING)
		saved.bytes = variable->value.string.bytes;
	else if (variable->value.kind == VALUE_BOOL)
		saved.bits = variable->value.boolean;
	else
		memcpy(&saved.bits, &variable->value.integer,
			sizeof(saved.bits));
	buf_add(out, &saved, sizeof(saved));
	if (saved.bytes > 0)
		buf_add(out, variable->value.string.data, saved.bytes);
}

static uint64_t
count_values(const struct image *image)
{
	uint64_t count = 0;

	for (size_t i = 0; i < image->datasources_count; i++)
		for (size_t k = 0; k < image->datasources[i]->count; k++)
			count += image->datasources[i]
					 ->variables[k]
					 ->value.kind != VALUE_NONE;
	return count;
}

static void
save_values(const struct image_datasource *datasource, struct buf *out)
{
	for (size_t i = 0; i < datasource->count; i++)
		if (datasource->variables[i]->value.kind != VALUE_NONE)
			save_value(datasource->variables[i], out);
}

void
image_save(struct image *image, struct buf *out)
{
	uint64_t positions;
	uint64_t values;

	pthread_rwlock_rdlock(&image->lock);
	positions = image->positions_count;
	values = count_values(image);
	buf_add(out, magic, sizeof(magic));
	buf_add(out, &positions, sizeof(positions));
	if (positions > 0)
		buf_add(out, image->positions,
			image->positions_count * sizeof(*image->positions));
	buf_add(out, &values, sizeof(values));
	for (size_t i = 0; i < image->datasources_count; i++)
		save_values(image->datasources[i], out);
	pthread_rwlock_unlock(&image->lock);
}

struct cursor {
	const char *data;
	size_t left;
};

static bool
take(struct cursor *cursor, void *out, size_t bytes)
{
	if (cursor->left < bytes)
		return false;
	memcpy(out, cursor->data, bytes);
	cursor->data += bytes;
	cursor->left -= bytes;
	return true;
}

static bool
load_positions(struct image *image, struct cursor *cursor)
{
	uint64_t count;

	if (!take(cursor, &count, sizeof(count)))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		struct image_position position;

		if (!take(cursor, &position, sizeof(position)))
			return false;
		image_set_position(image, position.node_id, position.sequence);
	}
	return true;
}

static bool
load_value(struct image *image, struct cursor *cursor)
{
	struct saved_value saved;
	struct sample sample;

	if (!take(cursor, &saved, sizeof(saved)) || saved.bytes > cursor->left)
		return false;
	sample = (struct sample){
		.variable_id = saved.id,
		.time_us = saved.time_us,
		.status = saved.status,
		.value.kind = (enum value_kind)saved.kind,
	};
	if (saved.kind == VALUE_STRING) {
		sample.value.string.data = cursor->data;
		sample.value.string.bytes = saved.bytes;
		cursor->data += saved.bytes;
		cursor->left -= saved.bytes;
	} else if (saved.kind == VALUE_BOOL) {
		sample.value.boolean = saved.bits != 0;
	} else {
		memcpy(&sample.value.integer, &saved.bits, sizeof(saved.bits));
	}
	image_put(image, &sample, saved.received_us);
	return true;
}

static bool
load(struct image *image, struct cursor *cursor)
{
	char head[sizeof(magic)];
	uint64_t count;

	if (!take(cursor, head, sizeof(head)) ||
		memcmp(head, magic, sizeof(magic)) != 0 ||
		!load_positions(image, cursor) ||
		!take(cursor, &count, sizeof(count)))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!load_value(image, cursor))
			return false;
	return cursor->left == 0;
}

enum rc
image_load(struct image *image, const void *data, size_t length,
	struct fault *fault)
{
	struct cursor cursor = {data, length};
	bool whole;

	image_begin(image);
	whole = load(image, &cursor);
	image_end(image, 0, 0);
	if (!whole)
		return fault_set(
			fault, RC_BAD_INPUT, "the image checkpoint is damaged");
	return RC_OK;
}
