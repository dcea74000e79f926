/*
 * cursor: where the next page of a long list by POST begins, as opaque text.
 */
#ifndef FG_FCGI_CURSOR_H
#define FG_FCGI_CURSOR_H

#include "lib/encode.h"
#include "lib/req.h"

#define CURSOR_TEXT_BYTES 2048

/* Of the last row of a page: its place in the order "sort", and its id. */
const char *cursor_text(struct arena *arena, const char *sort,
	const uint8_t id[UUID_BYTES], const char *place);

/* Read one back. Fails: RC_BAD_INPUT it is broken, or of another order. */
MUST_CHECK enum rc cursor_read(struct req *req, const char *text,
	const char *sort, uint8_t id[UUID_BYTES], const char **place);

#endif
