/* qr: a text as a QR code (ISO 18004), drawn as SVG. Only qr.c knows
 * libqrencode. */
#ifndef FG_LIB_QR_H
#define FG_LIB_QR_H

#include "lib/arena.h"
#include "lib/fault.h"

/*
 * *svg is a whole <svg> element without style, script or text from "text"; its
 * dark parts have the class "fg-qr-dark".
 * Fails: RC_TOO_LARGE more than a QR code holds.
 */
MUST_CHECK enum rc qr_draw(struct arena *arena, const char *text,
	const char **svg, struct fault *fault);

#endif
