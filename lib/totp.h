/*
 * totp: codes of an authenticator app (RFC 6238: SHA-1, 30 s, 6 digits, which
 * is what every app knows).
 *
 * The only file that knows liboath.
 */
#ifndef FG_LIB_TOTP_H
#define FG_LIB_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define TOTP_SECRET_BYTES 20
#define TOTP_STEP_S       30
#define TOTP_DIGITS       6

/* A new secret as base32 text, as people type it when they cannot scan. */
const char *totp_secret(struct arena *arena);

/*
 * Does "code" (spaces do not matter) fit "secret" now, or one step before or
 * after, because clocks differ? Steps up to "last_step" were used before and
 * do not count any more. *step is the one that fits.
 * Fails: RC_UNAUTHENTICATED it does not; RC_BUG the secret is malformed.
 */
MUST_CHECK enum rc totp_check(const char *secret, const char *code,
	int64_t now_us, int64_t last_step, int64_t *step, struct fault *fault);

/* The address that an app reads from a QR code (otpauth://). */
const char *totp_address(struct arena *arena, const char *issuer,
	const char *name, const char *secret);

#endif
