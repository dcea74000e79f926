/*
 * fault: the reasons an operation can fail, and their words.
 *
 * Functions return an enum rc. The words for the log go into a struct fault,
 * set once, where the cause is known. Clients see only what the table in
 * fault.c maps the code to, unless "client" text was set on purpose.
 */
#ifndef FG_LIB_FAULT_H
#define FG_LIB_FAULT_H

#include "lib/attr.h"

enum rc {
	RC_OK = 0,
	RC_BAD_INPUT,       /* 400 */
	RC_UNAUTHENTICATED, /* 401 */
	RC_DENIED,          /* 403 */
	RC_NOT_FOUND,       /* 404 */
	RC_METHOD,          /* 405 */
	RC_CONFLICT,        /* 409 */
	RC_TOO_LARGE,       /* 413 */
	RC_UNSUPPORTED,     /* 415, wrong media type or encoding */
	RC_UNPROCESSABLE,   /* 422, well formed but refused */
	RC_TOO_MANY,        /* 429 */
	RC_RETRY,           /* serialisation failure: run once more */
	RC_UNAVAILABLE,     /* 503, database or plant out of reach */
	RC_UPSTREAM,        /* 502 */
	RC_DB,              /* 500, a statement failed */
	RC_IO,              /* 500, a file or socket failed */
	RC_BUG,             /* 500 */
	RC_COUNT
};

struct fault {
	enum rc rc;
	char text[256];   /* for the log; may name internals */
	char code[48];    /* errorCode for the client; "" = from the table */
	char client[256]; /* errorMessage for the client; "" = from the table */
	char field[64];   /* the input field at fault; "" = none */
};

/* What a client is told about an rc. */
struct fault_public {
	int status;
	const char *code;
	const char *message;
};

/* Record rc and the log's words. Returns rc, so it can be returned at once. */
enum rc fault_set(struct fault *fault, enum rc rc, const char *format, ...)
	PRINTF_LIKE(3, 4);

/*
 * Record rc with words that the client may read: "code" is the errorCode
 * (PascalCase), "field" the input at fault or NULL, the format says what is
 * wrong and what to do. Returns rc.
 */
enum rc fault_tell(struct fault *fault, enum rc rc, const char *code,
	const char *field, const char *format, ...) PRINTF_LIKE(5, 6);

/* The analyser has to know that these return what they were given. */
#ifdef __clang_analyzer__
#define fault_set(fault, rc, ...)                                              \
	((void)(fault_set)(fault, rc, __VA_ARGS__), (rc))
#define fault_tell(fault, rc, ...)                                             \
	((void)(fault_tell)(fault, rc, __VA_ARGS__), (rc))
#endif

const struct fault_public *fault_public(enum rc rc);
const char *fault_name(enum rc rc);

#endif
