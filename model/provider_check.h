/* provider_check: what a provider's settings must be like. */
#ifndef FG_MODEL_PROVIDER_CHECK_H
#define FG_MODEL_PROVIDER_CHECK_H

#include "model/provider.h"

#define PROVIDER_HOST_BYTES 256

/* Fails: RC_BAD_INPUT with the field at fault, named as in the REST API. */
MUST_CHECK enum rc provider_check(
	const struct provider *provider, struct fault *fault);

/* "secret" NULL = it stays as it is, which is "has". */
MUST_CHECK enum rc provider_check_secret(const struct provider *provider,
	bool has, const char *secret, struct fault *fault);

/* "host" or "host:port" in lower case. */
bool provider_is_host(const char *host);

/* The host, with its port, of an https address; false for anything else. */
bool provider_url_host(const char *url, char host[PROVIDER_HOST_BYTES]);

/* An https address on the host of the issuer or on one of "hosts". */
bool provider_url_allowed(const struct provider *provider, const char *url);

#endif
