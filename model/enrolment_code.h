/*
 * enrolment_code: what a technician types: who the machine shall be, the
 * token that proves it, and the pin of the certificates that it shall trust.
 *
 * Three base64url texts with dots between them: the node's UUID, the token,
 * and the SHA-256 that tls_bundle_pin makes.
 */
#ifndef FG_MODEL_ENROLMENT_CODE_H
#define FG_MODEL_ENROLMENT_CODE_H

#include "lib/arena.h"
#include "lib/encode.h"
#include "lib/fault.h"
#include "lib/tls_bundle.h"

struct enrolment_code {
	uint8_t uuid[UUID_BYTES];
	const char *secret;
	uint8_t pin[TLS_PIN_BYTES];
};

const char *enrolment_code_write(
	struct arena *arena, const struct enrolment_code *code);

/* Fails: RC_BAD_INPUT it is none, with words. */
MUST_CHECK enum rc enrolment_code_read(struct arena *arena, const char *text,
	struct enrolment_code *code, struct fault *fault);

#endif
