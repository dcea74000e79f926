/* hub_body: the bytes of a request as they were before they were packed. */

#include "fcgi/hub_body.h"

#include <stdlib.h>
#include <strings.h>
#include <zstd.h>

static void
free_buf(void *object)
{
	buf_free(object);
	free(object);
}

struct buf *
hub_body_buf(struct arena *arena, size_t limit_bytes)
{
	struct buf *buf = malloc(sizeof(*buf));

	if (buf == NULL)
		abort();
	buf_init(buf, limit_bytes);
	arena_defer(arena, free_buf, buf);
	return buf;
}

static enum rc
tell_too_large(struct fault *fault)
{
	return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
		"The frames of one request may have %zu MiB unpacked.",
		HUB_BODY_BYTES >> 20);
}

static enum rc
inflate_all(ZSTD_DCtx *context, const struct req *req, struct buf *out,
	struct fault *fault)
{
	ZSTD_inBuffer in = {req->body, req->body_bytes, 0};
	size_t left = 1;

	while (in.pos < in.size || left != 0) {
		size_t step = ZSTD_DStreamOutSize();
		ZSTD_outBuffer to = {buf_reserve(out, step), step, 0};
		size_t before = in.pos;

		if (to.dst == NULL)
			return tell_too_large(fault);
		left = ZSTD_decompressStream(context, &to, &in);
		out->length += to.pos;
		if (ZSTD_isError(left) ||
			(to.pos == 0 && in.pos == before && left != 0))
			return fault_tell(fault, RC_BAD_INPUT,
				ZSTD_isError(left) ? "FrameMalformed"
						   : "FrameTruncated",
				NULL, "The zstd content is broken.");
	}
	buf_char(out, '\0');
	out->length--;
	return RC_OK;
}

static enum rc
inflate_body(struct req *req, struct bytes *bytes)
{
	struct buf *out = hub_body_buf(
		req->arena, HUB_BODY_BYTES + ZSTD_DStreamOutSize());
	ZSTD_DCtx *context = ZSTD_createDCtx();
	enum rc rc;

	if (context == NULL)
		abort();
	/* A window larger than the limit would be memory for nothing. */
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 25);
	rc = inflate_all(context, req, out, &req->fault);
	ZSTD_freeDCtx(context);
	if (rc == RC_OK && out->length > HUB_BODY_BYTES)
		rc = tell_too_large(&req->fault);
	*bytes = (struct bytes){out->data, out->length};
	return rc;
}

enum rc
hub_body_read(struct req *req, struct bytes *bytes)
{
	const char *encoding = req_header(req, "Content-Encoding");

	*bytes = (struct bytes){req->body, req->body_bytes};
	if (encoding == NULL || encoding[0] == '\0' ||
		strcasecmp(encoding, "identity") == 0)
		return RC_OK;
	if (strcasecmp(encoding, "zstd") == 0)
		return inflate_body(req, bytes);
	return fault_tell(&req->fault, RC_UNSUPPORTED, "UnsupportedEncoding",
		"Content-Encoding", "Send frames plain or with zstd.");
}
