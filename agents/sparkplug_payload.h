/*
 * sparkplug_payload: a Sparkplug B payload as plain readings.
 *
 * Sparkplug 3.0, section 6.4. The decoder is generated at build from
 * agents/sparkplug.proto by protoc-c.
 */
#ifndef FG_AGENTS_SPARKPLUG_PAYLOAD_H
#define FG_AGENTS_SPARKPLUG_PAYLOAD_H

#include "lib/arena.h"
#include "model/sample.h"

/* What decoding one payload may take, so that a small one cannot ask for much
 * memory. */
#define SPARKPLUG_MEMORY_MAX ((size_t)8 * 1024 * 1024)

/* Of the data types those that are a single value. */
enum sparkplug_type {
	SPARKPLUG_UNKNOWN = 0,
	SPARKPLUG_INT8 = 1,
	SPARKPLUG_INT16 = 2,
	SPARKPLUG_INT32 = 3,
	SPARKPLUG_INT64 = 4,
	SPARKPLUG_UINT8 = 5,
	SPARKPLUG_UINT16 = 6,
	SPARKPLUG_UINT32 = 7,
	SPARKPLUG_UINT64 = 8,
	SPARKPLUG_FLOAT = 9,
	SPARKPLUG_DOUBLE = 10,
	SPARKPLUG_BOOLEAN = 11,
	SPARKPLUG_STRING = 12,
	SPARKPLUG_DATE_TIME = 13, /* ms since 1970 */
	SPARKPLUG_TEXT = 14,
	SPARKPLUG_UUID = 15,
};

/* How a value came; the data type says what it means. */
enum sparkplug_form {
	SPARKPLUG_NOTHING, /* null, or of a kind that is no single value */
	SPARKPLUG_WHOLE,
	SPARKPLUG_NUMBER,
	SPARKPLUG_TRUTH,
	SPARKPLUG_WORDS,
};

struct sparkplug_reading {
	const char *name; /* "": only the alias */
	bool has_alias;
	uint64_t alias;
	uint32_t type;   /* SPARKPLUG_UNKNOWN: as at the birth */
	int64_t time_us; /* CLOCK_NEVER: none */
	bool bad;        /* has a property Quality that is not good (192) */
	enum sparkplug_form form;
	uint64_t whole;
	double number;
	bool truth;
	const char *words;
};

struct sparkplug_payload {
	int64_t time_us; /* CLOCK_NEVER: none */
	bool has_sequence;
	uint64_t sequence;
	size_t count;
	struct sparkplug_reading *readings;
};

/* False: it is none, or would need more than SPARKPLUG_MEMORY_MAX. */
bool sparkplug_payload_read(struct arena *arena, const void *data, size_t bytes,
	struct sparkplug_payload *payload);

/* A reading as a raw value by "type"; strings point into the payload. False:
 * it is null, or not a single value of that type. */
bool sparkplug_reading_value(const struct sparkplug_reading *reading,
	uint32_t type, struct value *value);

/* The payload that asks a node to be born again: Node Control/Rebirth. */
size_t sparkplug_rebirth_write(uint8_t *out, size_t room, int64_t now_us);
#define SPARKPLUG_REBIRTH_BYTES 64

#endif
