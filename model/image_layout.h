/*
 * image_layout: the insides of the process image, for the files that are it.
 */
#ifndef FG_MODEL_IMAGE_LAYOUT_H
#define FG_MODEL_IMAGE_LAYOUT_H

#include <pthread.h>
#include <stdatomic.h>

#include "model/image.h"

#define IMAGE_PAGE_BITS      12
#define IMAGE_PAGE_VARIABLES (1 << IMAGE_PAGE_BITS)
#define IMAGE_PAGES          (1 << (31 - IMAGE_PAGE_BITS))

struct image_position {
	int64_t node_id;
	int64_t sequence;
};

struct image {
	pthread_rwlock_t lock;
	_Atomic uint64_t version;
	struct image_variable **pages[IMAGE_PAGES]; /* by id, two levels */
	struct image_datasource **datasources;
	size_t datasources_count;
	struct image_position *positions;
	size_t positions_count;
	void (*wake)(void *context);
	void *context;
};

/* Needs: the lock, for writing. */
void image_set_position(struct image *image, int64_t node_id, int64_t sequence);

#endif
