/*
 * basic: the credentials of "Authorization: Basic ..." (RFC 7617).
 */
#ifndef FG_LIB_BASIC_H
#define FG_LIB_BASIC_H

#include <stdbool.h>

#include "lib/arena.h"

#define BASIC_BYTES_MAX 4096

enum basic_kind {
	BASIC_PLAIN, /* as it is */
	BASIC_FORM,  /* OAuth: both halves are form-encoded (RFC 6749 2.3.1) */
};

struct basic {
	const char *name;
	const char *secret;
};

/* Is it Basic at all, well formed or not? "header" may be NULL. */
bool basic_used(const char *header);

/*
 * Take a header value apart at the first colon; the halves live in "arena".
 * False: it is not Basic, not base64, too long, or has no colon, a zero byte
 * or a broken escape.
 */
bool basic_read(struct arena *arena, const char *header, enum basic_kind kind,
	struct basic *basic);

#endif
