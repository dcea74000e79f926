/*
 * tls_bundle: several certificates, one PEM text: whom a grid trusts.
 */
#ifndef FG_LIB_TLS_BUNDLE_H
#define FG_LIB_TLS_BUNDLE_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define TLS_PIN_BYTES 32

/*
 * SHA-256 of the DER of all certificates, one behind the other: who knows this
 * pin can take the bundle from anybody.
 * Fails: RC_BAD_INPUT there is no certificate in it.
 */
MUST_CHECK enum rc tls_bundle_pin(struct arena *arena, const char *bundle_pem,
	uint8_t pin[TLS_PIN_BYTES], struct fault *fault);

/*
 * A certificate, and behind it who signed it, for those who know only the
 * root: "bundle_pem" has the signers, a self-signed one ends the chain and is
 * left out.
 * Fails: RC_BAD_INPUT there is no certificate, or none of the bundle has
 *        signed it.
 */
MUST_CHECK enum rc tls_bundle_chain(struct arena *arena,
	const char *certificate_pem, const char *bundle_pem,
	const char **chain_pem, struct fault *fault);

/* The certificate of a private key. Fails: RC_BAD_INPUT there is none. */
MUST_CHECK enum rc tls_bundle_find(struct arena *arena, const char *bundle_pem,
	const char *private_pem, const char **certificate_pem,
	struct fault *fault);

/*
 * "more_pem" in front of what "bundle_pem" has and is not in it yet; expired
 * ones are left out. Either may be "".
 */
const char *tls_bundle_join(
	struct arena *arena, const char *more_pem, const char *bundle_pem);

#endif
