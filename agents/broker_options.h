/*
 * broker_options: where an MQTT broker is and how to log in there.
 *
 * The keys that the driver mqtt, the egress to MQTT, or whoever speaks to a
 * broker has in its section.
 */
#ifndef FG_AGENTS_BROKER_OPTIONS_H
#define FG_AGENTS_BROKER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/fault.h"

/* Filled by the keys of BROKER_CONF; texts may be empty. */
struct broker_options {
	const char *url; /* mqtt://HOST[:1883] or mqtts://HOST[:8883] */
	const char *client_id;
	const char *ca; /* PEM; empty = the system's list */
	const char *certificate;
	const char *key;
	const char *user;
	const char *password; /* a file */
	int64_t keepalive_s;
	/* Not keys: the broker keeps messages for us while we are away. */
	bool keeps_session;
	unsigned in_flight; /* QoS 1 messages out at once; 0 = 20 */
};

/* Entries of a conf table; "base" is the offset of a struct broker_options. */
#define BROKER_KEY(base, field)                                                \
	((base) + offsetof(struct broker_options, field))
#define BROKER_CONF(section, base)                                             \
	{section, "url", CONF_TEXT, BROKER_KEY(base, url), "", 0, 0,           \
		"the broker: mqtts://HOST[:PORT] or mqtt://HOST[:PORT]"},      \
		{section, "client_id", CONF_TEXT, BROKER_KEY(base, client_id), \
			"", 0, 0,                                              \
			"name of this client; each at the broker once"},       \
		{section, "ca", CONF_PATH, BROKER_KEY(base, ca), "", 0, 0,     \
			"certificates that may sign the broker's, PEM; "       \
			"empty: the system's"},                                \
		{section, "certificate", CONF_PATH,                            \
			BROKER_KEY(base, certificate), "", 0, 0,               \
			"certificate for the broker, PEM"},                    \
		{section, "key", CONF_PATH, BROKER_KEY(base, key), "", 0, 0,   \
			"private key of the certificate, PEM"},                \
		{section, "user", CONF_TEXT, BROKER_KEY(base, user), "", 0, 0, \
			"user at the broker"},                                 \
		{section, "password", CONF_PATH, BROKER_KEY(base, password),   \
			"", 0, 0, "file with the user's password"},            \
	{                                                                      \
		section, "keepalive_s", CONF_INT,                              \
			BROKER_KEY(base, keepalive_s), "30", 5, 3600,          \
			"a silent connection is dead after this, s"            \
	}

struct broker_address {
	const char *host; /* [::1] without its brackets */
	int port;
	bool tls;
	const char *password; /* NULL: none */
};

/*
 * Check that the options fit together, and read what they name.
 * Owns:  "address" lives in "arena".
 * Fails: RC_BAD_INPUT an option is wrong; RC_IO a file cannot be read.
 */
MUST_CHECK enum rc broker_options_check(const struct broker_options *options,
	struct arena *arena, struct broker_address *address,
	struct fault *fault);

#endif
