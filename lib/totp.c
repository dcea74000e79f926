/* totp: codes of an authenticator app. */

#include "lib/totp.h"

#include <liboath/oath.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/req.h"
#include "lib/secret.h"

#define WINDOW 1

const char *
totp_secret(struct arena *arena)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t random[TOTP_SECRET_BYTES * 8 / 5];
	char *text = arena_alloc(arena, sizeof(random) + 1);

	secret_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		text[i] = letters[random[i] % 32];
	return text;
}

/* False when it is not six digits. */
static bool
read_code(const char *typed, char code[TOTP_DIGITS + 1])
{
	size_t count = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ')
			continue;
		if (*typed < '0' || *typed > '9' || count == TOTP_DIGITS)
			return false;
		code[count++] = *typed;
	}
	code[count] = '\0';
	return count == TOTP_DIGITS;
}

/* -1 when it fits no step that is left. All are tried, always. */
static int64_t
find_step(const char *secret, size_t bytes, const char *code, int64_t now_s,
	int64_t last_step)
{
	int64_t found = -1;

	for (int64_t i = -WINDOW; i <= WINDOW; i++) {
		int64_t step = now_s / TOTP_STEP_S + i;
		char right[TOTP_DIGITS + 1] = "";

		if (oath_hotp_generate(secret, bytes, (uint64_t)step,
			    TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION,
			    right) != OATH_OK)
			return -1;
		if (secret_equal(right, code, TOTP_DIGITS) && step > last_step)
			found = step;
	}
	return found;
}

enum rc
totp_check(const char *secret, const char *code, int64_t now_us,
	int64_t last_step, int64_t *step, struct fault *fault)
{
	char digits[TOTP_DIGITS + 1] = "";
	char *raw = NULL;
	size_t bytes = 0;

	if (!read_code(code, digits))
		return fault_set(fault, RC_UNAUTHENTICATED, "not six digits");
	if (oath_base32_decode(secret, strlen(secret), &raw, &bytes) != OATH_OK)
		return fault_set(fault, RC_BUG, "a TOTP secret is malformed");
	*step = find_step(
		raw, bytes, digits, now_us / CLOCK_SECOND_US, last_step);
	explicit_bzero(raw, bytes);
	free(raw);
	return *step >= 0 ? RC_OK
			  : fault_set(fault, RC_UNAUTHENTICATED, "wrong code");
}

const char *
totp_address(struct arena *arena, const char *issuer, const char *name,
	const char *secret)
{
	const char *from = percent_encode(arena, issuer);

	return arena_printf(arena,
		"otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1"
		"&digits=%d&period=%d",
		from, percent_encode(arena, name), secret, from, TOTP_DIGITS,
		TOTP_STEP_S);
}
