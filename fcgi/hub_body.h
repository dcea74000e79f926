/*
 * hub_body: the bytes of a request as they were before they were packed.
 */
#ifndef FG_FCGI_HUB_BODY_H
#define FG_FCGI_HUB_BODY_H

#include "lib/buf.h"
#include "lib/req.h"

#define HUB_BODY_BYTES ((size_t)32 * 1024 * 1024) /* unpacked */

/*
 * The body, unpacked when its Content-Encoding is zstd; in req->arena.
 * Fails: RC_UNSUPPORTED another encoding; RC_TOO_LARGE; RC_BAD_INPUT
 *        FrameMalformed, FrameTruncated.
 */
MUST_CHECK enum rc hub_body_read(struct req *req, struct bytes *bytes);

/* A buffer that goes with the request. */
struct buf *hub_body_buf(struct arena *arena, size_t limit_bytes);

#endif
