/* enrolment_code: what a technician types. */

#include "model/enrolment_code.h"

#include <string.h>

#define SECRET_BYTES 16

const char *
enrolment_code_write(struct arena *arena, const struct enrolment_code *code)
{
	return arena_printf(arena, "%s.%s.%s",
		encode_base64url(arena, code->uuid, UUID_BYTES), code->secret,
		encode_base64url(arena, code->pin, TLS_PIN_BYTES));
}

/* The bytes of one part, when there are as many. */
static const uint8_t *
decode_part(struct arena *arena, const char *text, size_t length, size_t wanted)
{
	size_t bytes = 0;
	const uint8_t *data = decode_base64url(arena, text, length, &bytes);

	return data != NULL && bytes == wanted ? data : NULL;
}

enum rc
enrolment_code_read(struct arena *arena, const char *text,
	struct enrolment_code *code, struct fault *fault)
{
	size_t first = strcspn(text, ".");
	const char *secret = text + first + (text[first] != '\0');
	size_t second = strcspn(secret, ".");
	const char *last = secret + second + (secret[second] != '\0');
	const uint8_t *uuid = decode_part(arena, text, first, UUID_BYTES);
	const uint8_t *pin =
		decode_part(arena, last, strlen(last), TLS_PIN_BYTES);

	if (uuid == NULL || pin == NULL ||
		decode_part(arena, secret, second, SECRET_BYTES) == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"the token is not complete: it has three parts with "
			"dots between them");
	memcpy(code->uuid, uuid, UUID_BYTES);
	memcpy(code->pin, pin, TLS_PIN_BYTES);
	code->secret = arena_strndup(arena, secret, second);
	return RC_OK;
}
