/*
 * image: the process image, the last value of every variable, in memory.
 *
 * One writer or many readers at a time. Readers call image_read_lock, look at
 * as many variables as they like, and image_unlock; what they see is one
 * moment. A variable is never forgotten, so its address is good for ever; the
 * texts in it are good while the lock is held.
 */
#ifndef FG_MODEL_IMAGE_H
#define FG_MODEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/fault.h"
#include "lib/jsonw.h"
#include "model/sample.h"
#include "model/variable.h"

struct image_datasource;

struct image_variable {
	struct variable meta;
	struct image_datasource *datasource;
	struct value value; /* VALUE_NONE until the first sample came */
	int64_t time_us;    /* of the source */
	int64_t received_us;
	uint64_t status;
	uint64_t version; /* of the image when this last changed */
	char *text;       /* owns value.string */
	size_t text_bytes;
};

struct image_datasource {
	int32_t id;
	uint8_t uuid[16];
	char *name;
	struct image_variable **variables; /* by name, in byte order */
	size_t count;
	size_t capacity;
	bool unsorted;
	int64_t seen_us; /* of a publishing node; CLOCK_NEVER = never */
	bool online;
	uint64_t online_version; /* of the image when "online" last changed */
	uint64_t version;        /* of the image when anything changed */
};

struct image;

struct image *image_new(void);
void image_free(struct image *image);

/* Call wake(context) after every change, outside the lock. */
void image_on_change(
	struct image *image, void (*wake)(void *context), void *context);

void image_read_lock(struct image *image);
void image_unlock(struct image *image);

/* Counts up with every change; needs no lock. */
uint64_t image_version(const struct image *image);

/* These need the lock; NULL when there is none. */
struct image_variable *image_variable(const struct image *image, int32_t id);
struct image_datasource *image_datasource(
	const struct image *image, int32_t id);
struct image_datasource *image_datasource_by_uuid(
	const struct image *image, const uint8_t uuid[16]);
struct image_variable *image_find(
	const struct image_datasource *datasource, const char *name);
/* Its place among the variables; their count when there is none. */
size_t image_find_index(
	const struct image_datasource *datasource, const char *name);
size_t image_datasources(const struct image *image,
	struct image_datasource *const **datasources);

/* Make a datasource or variables known, or change what is known of them.
 * Variables of a datasource that is not known are left out. */
void image_define_datasource(struct image *image, int32_t id,
	const uint8_t uuid[16], const char *name);
void image_define(
	struct image *image, const struct variable *metas, size_t count);

/* When a node of the datasource was last seen, and whether that is online. */
void image_set_online(struct image *image, int32_t datasource_id,
	int64_t seen_us, bool online);

/*
 * Change values: image_begin, any number of image_put, image_end. A sample
 * with an older source time than the value in place is ignored, one with the
 * same time replaces it. Samples of unknown variables or of another kind are
 * ignored. image_end notes that all frames of the node up to "sequence" are
 * in; node 0 notes nothing.
 */
void image_begin(struct image *image);
void image_put(
	struct image *image, const struct sample *sample, int64_t received_us);
void image_end(struct image *image, int64_t node_id, int64_t sequence);

/* The highest sequence noted for a node; 0 when none is. */
int64_t image_position(struct image *image, int64_t node_id);

/* All values and positions as bytes, of one moment. */
void image_save(struct image *image, struct buf *out);
/* Fails: RC_BAD_INPUT: not what image_save wrote; some values may be in. */
MUST_CHECK enum rc image_load(struct image *image, const void *data,
	size_t length, struct fault *fault);

#endif
