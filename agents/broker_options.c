/* broker_options: where an MQTT broker is and how to log in there. */

#include "agents/broker_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"

#define HOST_BYTES_MAX 255
#define PORT           1883
#define PORT_TLS       8883
#define PORT_MAX       65535

/* What follows the scheme; NULL: it is neither of the two. */
static const char *
skip_scheme(const char *url, bool *tls)
{
	*tls = strncmp(url, "mqtts://", 8) == 0;
	if (*tls)
		return url + 8;
	return strncmp(url, "mqtt://", 7) == 0 ? url + 7 : NULL;
}

static bool
take_port(const char *text, int *port)
{
	char *end;
	long number = strtol(text, &end, 10);

	*port = (int)number;
	return end != text && *end == '\0' && number >= 1 && number <= PORT_MAX;
}

static bool
take_host(struct arena *arena, const char *host, struct broker_address *address)
{
	const char *colon = strrchr(host, ':');
	size_t length;

	if (colon != NULL && strchr(colon, ']') != NULL)
		colon = NULL; /* of [::1] */
	if (colon != NULL && !take_port(colon + 1, &address->port))
		return false;
	length = colon != NULL ? (size_t)(colon - host) : strlen(host);
	if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	if (length == 0 || length > HOST_BYTES_MAX ||
		memchr(host, '/', length) != NULL ||
		memchr(host, '[', length) != NULL)
		return false;
	address->host = arena_strndup(arena, host, length);
	return true;
}

static enum rc
take_url(const char *url, struct arena *arena, struct broker_address *address,
	struct fault *fault)
{
	const char *host = skip_scheme(url, &address->tls);

	address->port = address->tls ? PORT_TLS : PORT;
	if (host == NULL || !take_host(arena, host, address))
		return fault_set(fault, RC_BAD_INPUT,
			"url = %.100s: must be mqtts://HOST[:PORT] or "
			"mqtt://HOST[:PORT]",
			url);
	return RC_OK;
}

static enum rc
take_password(const struct broker_options *options, struct arena *arena,
	struct broker_address *address, struct fault *fault)
{
	char *password = NULL;
	enum rc rc;

	if (options->password[0] == '\0')
		return RC_OK;
	if (options->user[0] == '\0')
		return fault_set(
			fault, RC_BAD_INPUT, "password is given without user");
	rc = secret_read(arena, options->password, &password, fault);
	if (rc == RC_OK && !address->tls)
		log_warn(NULL,
			"the broker's password goes over the network in clear "
			"text; use mqtts://");
	address->password = password;
	return rc;
}

static enum rc
check_file(const char *path, struct fault *fault)
{
	if (path[0] != '\0' && access(path, R_OK) != 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

static enum rc
check_tls(const struct broker_options *options, bool tls, struct fault *fault)
{
	enum rc rc = check_file(options->ca, fault);

	if (rc == RC_OK)
		rc = check_file(options->certificate, fault);
	if (rc == RC_OK)
		rc = check_file(options->key, fault);
	if (rc != RC_OK)
		return rc;
	if ((options->certificate[0] == '\0') != (options->key[0] == '\0'))
		return fault_set(fault, RC_BAD_INPUT,
			"certificate and key belong together: give both");
	if (!tls && (options->ca[0] != '\0' || options->key[0] != '\0'))
		return fault_set(fault, RC_BAD_INPUT,
			"ca and certificate need mqtts://");
	return RC_OK;
}

enum rc
broker_options_check(const struct broker_options *options, struct arena *arena,
	struct broker_address *address, struct fault *fault)
{
	enum rc rc;

	*address = (struct broker_address){0};
	rc = take_url(options->url, arena, address, fault);
	if (rc == RC_OK)
		rc = take_password(options, arena, address, fault);
	return rc == RC_OK ? check_tls(options, address->tls, fault) : rc;
}
