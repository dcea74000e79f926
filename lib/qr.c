/* qr: a text as a QR code, drawn as SVG. */

#include "lib/qr.h"

#include <qrencode.h>

#include "lib/buf.h"

#define QUIET         4 /* the white frame that readers need, in modules */
#define SVG_BYTES_MAX ((size_t)256 * 1024)

static void
free_buf(void *buf)
{
	buf_free(buf);
}

/* One path; each run of dark modules in a row is a rectangle of it. */
static void
draw_row(struct buf *out, const QRcode *code, int y)
{
	const unsigned char *row = code->data + y * code->width;

	for (int x = 0; x < code->width; x++) {
		int from = x;

		while (x < code->width && (row[x] & 1) != 0)
			x++;
		if (x > from)
			buf_printf(out, "M%d %dh%dv1h-%dz", from + QUIET,
				y + QUIET, x - from, x - from);
	}
}

enum rc
qr_draw(struct arena *arena, const char *text, const char **svg,
	struct fault *fault)
{
	struct buf *out = arena_alloc(arena, sizeof(*out));
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	int side;

	if (code == NULL)
		return fault_set(fault, RC_TOO_LARGE, "no QR code holds this");
	buf_init(out, SVG_BYTES_MAX);
	arena_defer(arena, free_buf, out);
	side = code->width + 2 * QUIET;
	buf_printf(out,
		"<svg class=\"fg-qr\" role=\"img\" aria-label=\"QR code\""
		" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
		"<rect class=\"fg-qr-light\" width=\"%d\" height=\"%d\"/>"
		"<path class=\"fg-qr-dark\" d=\"",
		side, side, side, side);
	for (int y = 0; y < code->width; y++)
		draw_row(out, code, y);
	buf_printf(out, "\"/></svg>");
	QRcode_free(code);
	*svg = out->data;
	return out->overflow ? fault_set(fault, RC_BUG, "a QR code is too long")
			     : RC_OK;
}
