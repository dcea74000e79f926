/* image: the process image, the last value of every variable, in memory. */

#include "model/image_layout.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/memory.h"

/* No text is an empty one. */
static char *
copy_text(const char *text)
{
	size_t bytes = text != NULL ? strlen(text) + 1 : 1;

	return memcpy(
		memory_grow(NULL, 1, bytes), text != NULL ? text : "", bytes);
}

/* Readers come in crowds; without this they would keep a writer out. */
static void
lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

struct image *
image_new(void)
{
	struct image *image = memory_new(1, sizeof(*image));

	lock_init(&image->lock);
	image->version = 1; /* 0 is before everything */
	return image;
}

static void
meta_clear(struct variable *meta)
{
	free((char *)(uintptr_t)meta->name);
	free((char *)(uintptr_t)meta->unit);
	free((char *)(uintptr_t)meta->description);
}

static void
datasource_free(struct image_datasource *datasource)
{
	for (size_t i = 0; i < datasource->count; i++) {
		meta_clear(&datasource->variables[i]->meta);
		free(datasource->variables[i]->text);
		free(datasource->variables[i]);
	}
	free(datasource->variables);
	free(datasource->name);
	free(datasource);
}

void
image_free(struct image *image)
{
	if (image == NULL)
		return;
	for (size_t i = 0; i < image->datasources_count; i++)
		datasource_free(image->datasources[i]);
	for (size_t i = 0; i < IMAGE_PAGES; i++)
		free(image->pages[i]);
	free(image->datasources);
	free(image->positions);
	pthread_rwlock_destroy(&image->lock);
	free(image);
}

void
image_on_change(struct image *image, void (*wake)(void *), void *context)
{
	image->wake = wake;
	image->context = context;
}

void
image_read_lock(struct image *image)
{
	pthread_rwlock_rdlock(&image->lock);
}

void
image_unlock(struct image *image)
{
	pthread_rwlock_unlock(&image->lock);
}

uint64_t
image_version(const struct image *image)
{
	return atomic_load(&image->version);
}

static void
wake(const struct image *image)
{
	if (image->wake != NULL)
		image->wake(image->context);
}

struct image_variable *
image_variable(const struct image *image, int32_t id)
{
	struct image_variable **page;

	if (id <= 0)
		return NULL;
	page = image->pages[id >> IMAGE_PAGE_BITS];
	return page == NULL ? NULL : page[id & (IMAGE_PAGE_VARIABLES - 1)];
}

struct image_datasource *
image_datasource(const struct image *image, int32_t id)
{
	for (size_t i = 0; i < image->datasources_count; i++)
		if (image->datasources[i]->id == id)
			return image->datasources[i];
	return NULL;
}

struct image_datasource *
image_datasource_by_uuid(const struct image *image, const uint8_t uuid[16])
{
	for (size_t i = 0; i < image->datasources_count; i++)
		if (memcmp(image->datasources[i]->uuid, uuid, 16) == 0)
			return image->datasources[i];
	return NULL;
}

size_t
image_datasources(
	const struct image *image, struct image_datasource *const **datasources)
{
	*datasources = image->datasources;
	return image->datasources_count;
}

size_t
image_find_index(const struct image_datasource *datasource, const char *name)
{
	size_t low = 0;
	size_t high = datasource->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
			strcmp(name, datasource->variables[middle]->meta.name);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return datasource->count;
}

struct image_variable *
image_find(const struct image_datasource *datasource, const char *name)
{
	size_t index = image_find_index(datasource, name);

	return index < datasource->count ? datasource->variables[index] : NULL;
}

void
image_define_datasource(struct image *image, int32_t id, const uint8_t uuid[16],
	const char *name)
{
	struct image_datasource *datasource;

	pthread_rwlock_wrlock(&image->lock);
	datasource = image_datasource(image, id);
	if (datasource == NULL) {
		size_t count = ++image->datasources_count;

		datasource = memory_new(1, sizeof(*datasource));
		datasource->id = id;
		datasource->seen_us = CLOCK_NEVER;
		image->datasources = memory_grow(
			image->datasources, count, sizeof(*image->datasources));
		image->datasources[count - 1] = datasource;
	}
	memcpy(datasource->uuid, uuid, 16);
	free(datasource->name);
	datasource->name = copy_text(name);
	pthread_rwlock_unlock(&image->lock);
}

static int
by_name(const void *left, const void *right)
{
	const struct image_variable *const *one = left;
	const struct image_variable *const *other = right;

	return strcmp((*one)->meta.name, (*other)->meta.name);
}

static struct image_variable *
add_variable(
	struct image *image, struct image_datasource *datasource, int32_t id)
{
	struct image_variable *variable = memory_new(1, sizeof(*variable));
	struct image_variable ***page = &image->pages[id >> IMAGE_PAGE_BITS];

	if (*page == NULL)
		*page = memory_new(IMAGE_PAGE_VARIABLES, sizeof(**page));
	(*page)[id & (IMAGE_PAGE_VARIABLES - 1)] = variable;
	variable->datasource = datasource;
	if (datasource->count == datasource->capacity) {
		datasource->capacity = datasource->capacity * 2 + 64;
		datasource->variables = memory_grow(datasource->variables,
			datasource->capacity, sizeof(*datasource->variables));
	}
	datasource->variables[datasource->count++] = variable;
	return variable;
}

static void
define(struct image *image, struct image_datasource *datasource,
	const struct variable *meta)
{
	struct image_variable *variable = image_variable(image, meta->id);

	if (variable == NULL)
		variable = add_variable(image, datasource, meta->id);
	if (variable->meta.name == NULL ||
		strcmp(variable->meta.name, meta->name) != 0)
		variable->datasource->unsorted = true;
	meta_clear(&variable->meta);
	variable->meta = *meta;
	variable->meta.name = copy_text(meta->name);
	variable->meta.unit = copy_text(meta->unit);
	variable->meta.description = copy_text(meta->description);
}

static void
sort_names(struct image_datasource *datasource)
{
	if (datasource->unsorted)
		qsort(datasource->variables, datasource->count,
			sizeof(*datasource->variables), by_name);
	datasource->unsorted = false;
}

void
image_define(struct image *image, const struct variable *metas, size_t count)
{
	pthread_rwlock_wrlock(&image->lock);
	for (size_t i = 0; i < count; i++) {
		struct image_datasource *datasource =
			image_datasource(image, metas[i].datasource_id);

		if (datasource != NULL && metas[i].id > 0)
			define(image, datasource, &metas[i]);
	}
	for (size_t i = 0; i < image->datasources_count; i++)
		sort_names(image->datasources[i]);
	pthread_rwlock_unlock(&image->lock);
}

void
image_set_online(struct image *image, int32_t datasource_id, int64_t seen_us,
	bool online)
{
	struct image_datasource *datasource;
	bool changed = false;

	pthread_rwlock_wrlock(&image->lock);
	datasource = image_datasource(image, datasource_id);
	if (datasource != NULL) {
		datasource->seen_us = seen_us;
		changed = datasource->online != online;
	}
	if (changed) {
		uint64_t version = atomic_load(&image->version) + 1;

		datasource->online = online;
		datasource->online_version = version;
		datasource->version = version;
		atomic_store(&image->version, version);
	}
	pthread_rwlock_unlock(&image->lock);
	if (changed)
		wake(image);
}

void
image_begin(struct image *image)
{
	pthread_rwlock_wrlock(&image->lock);
	atomic_fetch_add(&image->version, 1);
}

static void
keep_text(struct image_variable *variable, const struct value *value)
{
	size_t bytes = (size_t)value->string.bytes + 1;

	if (variable->text_bytes < bytes) {
		variable->text = memory_grow(variable->text, bytes, 1);
		variable->text_bytes = bytes;
	}
	memcpy(variable->text, value->string.data, value->string.bytes);
	variable->text[value->string.bytes] = '\0';
	variable->value.string.data = variable->text;
}

void
image_put(struct image *image, const struct sample *sample, int64_t received_us)
{
	struct image_variable *variable =
		image_variable(image, sample->variable_id);
	uint64_t version =
		atomic_load_explicit(&image->version, memory_order_relaxed);

	if (variable == NULL || variable->meta.kind != sample->value.kind)
		return;
	if (variable->value.kind != VALUE_NONE &&
		sample->time_us < variable->time_us)
		return;
	variable->value = sample->value;
	if (sample->value.kind == VALUE_STRING)
		keep_text(variable, &sample->value);
	variable->time_us = sample->time_us;
	variable->received_us = received_us;
	variable->status = sample->status;
	variable->version = version;
	variable->datasource->version = version;
}

void
image_set_position(struct image *image, int64_t node_id, int64_t sequence)
{
	size_t i = 0;

	while (i < image->positions_count &&
		image->positions[i].node_id != node_id)
		i++;
	if (i == image->positions_count) {
		image->positions = memory_grow(image->positions,
			++image->positions_count, sizeof(*image->positions));
		image->positions[i] = (struct image_position){node_id, 0};
	}
	if (sequence > image->positions[i].sequence)
		image->positions[i].sequence = sequence;
}

void
image_end(struct image *image, int64_t node_id, int64_t sequence)
{
	if (node_id != 0)
		image_set_position(image, node_id, sequence);
	pthread_rwlock_unlock(&image->lock);
	wake(image);
}

int64_t
image_position(struct image *image, int64_t node_id)
{
	int64_t sequence = 0;

	pthread_rwlock_rdlock(&image->lock);
	for (size_t i = 0; i < image->positions_count; i++)
		if (image->positions[i].node_id == node_id)
			sequence = image->positions[i].sequence;
	pthread_rwlock_unlock(&image->lock);
	return sequence;
}
