/* enrol: this machine becomes a node. */

#include "agents/enrol.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agents/est.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "lib/tls.h"
#include "lib/tls_bundle.h"
#include "lib/tls_key.h"
#include "lib/tls_request.h"

#define SYSTEM_TRUST   "/etc/ssl/certs/ca-certificates.crt"
#define TIMEOUT_MS     15000
#define ANSWER_BYTES   ((size_t)1024 * 1024)
#define TOKEN_ENDPOINT "/connect/token"

static const char *
staged(const struct enrol *enrol, const char *name)
{
	return arena_printf(enrol->arena, "%s/%s", enrol->staging, name);
}

static void
say(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* --- whom to trust -------------------------------------------------------- */

static void
close_http(struct enrol *enrol)
{
	http_close(enrol->http);
	enrol->http = NULL;
}

static enum rc
open_http(struct enrol *enrol, const struct http_options *how)
{
	struct http_options options = *how;

	options.connect_timeout_ms = TIMEOUT_MS;
	options.timeout_ms = TIMEOUT_MS;
	options.response_bytes_max = ANSWER_BYTES;
	close_http(enrol);
	return http_open(&options, &enrol->http, &enrol->fault);
}

/* From anybody: the token says what they must be. */
static enum rc
fetch_trust(struct enrol *enrol)
{
	const struct http_options any = {.unverified = true};
	uint8_t pin[TLS_PIN_BYTES];
	const char *pem = NULL;
	enum rc rc = open_http(enrol, &any);

	if (rc == RC_OK)
		rc = est_bundle(enrol->http, enrol->arena, enrol->url, &pem,
			&enrol->fault);
	if (rc == RC_OK)
		rc = tls_bundle_pin(enrol->arena, pem, pin, &enrol->fault);
	if (rc != RC_OK)
		return rc;
	if (memcmp(pin, enrol->code.pin, sizeof(pin)) != 0)
		return fault_set(&enrol->fault, RC_UPSTREAM,
			"%s is not the grid that the token is for, or its "
			"authority has changed since: ask for a new token",
			enrol->url);
	return enrol_files_write(enrol->arena, enrol->staging, "ca.pem", pem,
		0644, &enrol->fault);
}

/* The addresses of the grid, of which the node's is taken. */
static enum rc
read_discovery(struct enrol *enrol, const char *text)
{
	struct json_object *document = NULL;
	struct json_object *aliases = NULL;
	struct json_object *endpoint = NULL;
	const char *url = "";
	size_t length;

	if (json_parse(enrol->arena, text, strlen(text), &document,
		    &enrol->fault) == RC_OK &&
		json_object_object_get_ex(
			document, "mtls_endpoint_aliases", &aliases) &&
		json_object_object_get_ex(aliases, "token_endpoint", &endpoint))
		url = json_object_get_string(endpoint);
	length = strlen(url);
	if (length <= strlen(TOKEN_ENDPOINT) ||
		strcmp(url + length - strlen(TOKEN_ENDPOINT), TOKEN_ENDPOINT) !=
			0)
		return fault_set(&enrol->fault, RC_UPSTREAM,
			"%s does not say where nodes connect ([identity] "
			"node_url)",
			enrol->url);
	enrol->node.node_url = arena_strndup(
		enrol->arena, url, length - strlen(TOKEN_ENDPOINT));
	return RC_OK;
}

static enum rc
discover(struct enrol *enrol)
{
	const struct http_options options = {.ca = enrol->trust};
	const struct http_call call = {.method = "GET",
		.url = arena_printf(enrol->arena,
			"%s/.well-known/openid-configuration", enrol->url)};
	const char *body = NULL;
	enum rc rc = open_http(enrol, &options);

	if (rc == RC_OK)
		rc = est_call(
			enrol->http, enrol->arena, &call, &body, &enrol->fault);
	return rc == RC_OK ? read_discovery(enrol, body) : rc;
}

/* The server's certificate may be one of a public authority instead. */
static enum rc
meet(struct enrol *enrol)
{
	enum rc rc = fetch_trust(enrol);

	if (rc != RC_OK)
		return rc;
	enrol->trust = staged(enrol, "ca.pem");
	enrol->node.trust = "ca.pem";
	rc = discover(enrol);
	if (rc != RC_UPSTREAM || enrol->node.node_url != NULL)
		return rc;
	enrol->trust = NULL;
	enrol->node.trust = SYSTEM_TRUST;
	return discover(enrol) == RC_OK ? RC_OK : enrol->fault.rc;
}

/* --- key and certificate --- */

static enum rc
make_key(struct enrol *enrol, const char **private_pem)
{
	struct tls_key key;
	enum rc rc = enrol_files_read(enrol->arena, enrol->staging, "node.key",
		private_pem, &enrol->fault);

	if (rc != RC_OK || *private_pem != NULL)
		return rc;
	rc = tls_key_new(enrol->arena, TLS_EC_P256, &key, &enrol->fault);
	if (rc == RC_OK)
		rc = enrol_files_write(enrol->arena, enrol->staging, "node.key",
			key.private_pem, 0600, &enrol->fault);
	*private_pem = key.private_pem;
	return rc;
}

static void
print_waiting(const uint8_t *key_hash, struct arena *arena)
{
	printf("An administrator has to let this machine in. Its key is\n"
	       "  %s\n"
	       "Waiting; stop it and type the same again whenever you like.\n",
		encode_hex(arena, key_hash, TLS_KEY_HASH_BYTES));
	fflush(stdout);
}

static void
pause_s(int64_t seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	nanosleep(&left, NULL);
}

/* Ask until there is a certificate. */
static enum rc
ask(struct enrol *enrol, const char *csr, const uint8_t *key_hash,
	const char **pem)
{
	char uuid[UUID_TEXT_BYTES];
	struct est_request request = {.url = enrol->url,
		.user = uuid,
		.password = enrol->code.secret,
		.csr = csr};
	int64_t end_us = clock_steady_us() + enrol->wait_s * CLOCK_SECOND_US;
	bool told = false;

	uuid_format(uuid, enrol->code.uuid);
	for (;;) {
		struct est_answer answer = {.pending = false};
		enum rc rc = est_certificate(enrol->http, enrol->arena,
			&request, &answer, &enrol->fault);

		*pem = answer.pem;
		/* The network may go while we wait for a person. */
		if (rc == RC_UNAVAILABLE && told)
			answer = (struct est_answer){true, 5, NULL};
		else if (rc != RC_OK || !answer.pending)
			return rc;
		if (!told)
			print_waiting(key_hash, enrol->arena);
		told = true;
		if (clock_steady_us() + answer.retry_s * CLOCK_SECOND_US >
			end_us)
			return fault_set(&enrol->fault, RC_UNAVAILABLE,
				"nobody has let this machine in yet; type the "
				"same again later");
		pause_s(answer.retry_s);
	}
}

static enum rc
keep_certificate(struct enrol *enrol, const char *pem, const char *private_pem)
{
	const char *bundle = NULL;
	const char *chain = NULL;
	enum rc rc;

	if (!tls_match(enrol->arena, pem, private_pem))
		return fault_set(&enrol->fault, RC_UPSTREAM,
			"the certificate is for another key");
	rc = enrol_files_read(
		enrol->arena, enrol->staging, "ca.pem", &bundle, &enrol->fault);
	if (rc == RC_OK)
		rc = tls_bundle_chain(
			enrol->arena, pem, bundle, &chain, &enrol->fault);
	return rc == RC_OK ? enrol_files_write(enrol->arena, enrol->staging,
				     "node.pem", chain, 0644, &enrol->fault)
			   : rc;
}

static enum rc
certify(struct enrol *enrol)
{
	uint8_t key_hash[TLS_KEY_HASH_BYTES];
	const char *key = NULL;
	const char *pem = NULL;
	const char *csr = NULL;
	enum rc rc = make_key(enrol, &key);

	if (rc == RC_OK)
		rc = enrol_files_read(enrol->arena, enrol->staging, "node.pem",
			&pem, &enrol->fault);
	if (rc != RC_OK || (pem != NULL && tls_match(enrol->arena, pem, key)))
		return rc;
	rc = tls_request_write(
		enrol->arena, key, "node", &csr, key_hash, &enrol->fault);
	if (rc == RC_OK)
		rc = ask(enrol, csr, key_hash, &pem);
	return rc == RC_OK ? keep_certificate(enrol, pem, key) : rc;
}

/* --- access data --- */

static enum rc
fetch_access(struct enrol *enrol, const char **text)
{
	const struct http_options options = {.ca = enrol->trust,
		.certificate = staged(enrol, "node.pem"),
		.key = staged(enrol, "node.key")};
	const struct http_call call = {.method = "POST",
		.url = arena_printf(enrol->arena, "%s/hub/v1/access",
			enrol->node.node_url)};
	enum rc rc = enrol_files_read(enrol->arena, enrol->staging,
		"access.json", text, &enrol->fault);

	if (rc != RC_OK || *text != NULL)
		return rc;
	rc = open_http(enrol, &options);
	if (rc == RC_OK)
		rc = est_call(
			enrol->http, enrol->arena, &call, text, &enrol->fault);
	return rc == RC_OK ? enrol_files_write(enrol->arena, enrol->staging,
				     "access.json", *text, 0600, &enrol->fault)
			   : rc;
}

static const char *
member(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

/* Those that the node may send to, or receive. */
static void
choose_datasources(struct enrol *enrol)
{
	struct enrol_node *node = &enrol->node;
	struct json_object *list = NULL;

	node->datasource = node->datasource_name = node->datasources = "";
	if (!json_object_object_get_ex(enrol->access, "datasources", &list) ||
		!json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct json_object *right = NULL;

		if (!json_object_object_get_ex(
			    item, enrol->kind->right, &right) ||
			!json_object_get_boolean(right))
			continue;
		if (node->datasource[0] == '\0') {
			node->datasource = member(item, "id");
			node->datasource_name = member(item, "name");
		}
		node->datasources = arena_printf(enrol->arena, "%s%s\n",
			node->datasources, member(item, "id"));
	}
}

/* An agent of another kind could not do its work with it. */
static enum rc
check_kind(struct enrol *enrol)
{
	const char *kind = member(enrol->access, "kind");

	if (strcmp(kind, enrol->kind->kind) == 0)
		return RC_OK;
	return fault_set(&enrol->fault, RC_BAD_INPUT,
		"the node %s is of the kind %s: enrol it with fieldgrid-%s",
		enrol->node.name, kind, kind);
}

static enum rc
learn(struct enrol *enrol)
{
	const char *text = NULL;
	enum rc rc = fetch_access(enrol, &text);

	if (rc == RC_OK)
		rc = json_parse(enrol->arena, text, strlen(text),
			&enrol->access, &enrol->fault);
	if (rc != RC_OK)
		return rc;
	enrol->node.name = member(enrol->access, "name");
	enrol->node.client_id = member(enrol->access, "clientId");
	enrol->node.client_secret = member(enrol->access, "clientSecret");
	choose_datasources(enrol);
	if (enrol->node.client_secret[0] == '\0' ||
		enrol->node.name[0] == '\0' ||
		strpbrk(enrol->node.name, "/\n") != NULL)
		return fault_set(&enrol->fault, RC_UPSTREAM,
			"the access data are not understood");
	return check_kind(enrol);
}

/* --- the folder --- */

static enum rc
refuse_taken(struct enrol *enrol, const char *folder)
{
	if (enrol->force ||
		!enrol_files_taken(enrol->arena, enrol->kind, folder))
		return RC_OK;
	return fault_set(&enrol->fault, RC_CONFLICT,
		"%s has a node already; --force puts this one in its place",
		folder);
}

static enum rc
prepare(struct enrol *enrol)
{
	char uuid[UUID_TEXT_BYTES];
	enum rc rc = RC_OK;

	uuid_format(uuid, enrol->code.uuid);
	enrol->staging = enrol->folder != NULL
				 ? arena_printf(enrol->arena, "%s.enrol-%s",
					   enrol->folder, uuid)
				 : arena_printf(enrol->arena, "%s/.enrol-%s",
					   enrol->kind->folder, uuid);
	if (enrol->folder != NULL)
		rc = refuse_taken(enrol, enrol->folder);
	return rc == RC_OK ? enrol_files_folder(enrol->arena, enrol->staging,
				     &enrol->fault)
			   : rc;
}

static enum rc
finish(struct enrol *enrol)
{
	const struct enrol_kind *kind = enrol->kind;
	enum rc rc;

	/* The state lies beside a configuration in a folder of one's own. */
	enrol->node.state = strrchr(kind->state, '/') + 1;
	if (enrol->folder == NULL) {
		enrol->folder = arena_printf(
			enrol->arena, "%s/%s", kind->folder, enrol->node.name);
		enrol->node.state = arena_printf(
			enrol->arena, "%s/%s", kind->state, enrol->node.name);
	}
	rc = refuse_taken(enrol, enrol->folder);
	if (rc == RC_OK)
		rc = enrol_files_configure(enrol->arena, enrol->staging, kind,
			&enrol->node, &enrol->fault);
	if (rc == RC_OK)
		rc = enrol_files_move(enrol->arena, kind, enrol->staging,
			enrol->folder, &enrol->fault);
	return rc;
}

static void
print_done(const struct enrol *enrol)
{
	const struct enrol_kind *kind = enrol->kind;
	const char *folder = enrol->folder;
	bool own = strncmp(folder, kind->folder, strlen(kind->folder)) == 0 &&
		   folder[strlen(kind->folder)] == '/';

	printf("This machine is the node %s now.\n", enrol->node.name);
	if (enrol->node.datasource[0] != '\0')
		printf("%s \"%s\" (%s).\n", kind->sends,
			enrol->node.datasource_name, enrol->node.datasource);
	else
		printf("It has no datasource yet: have one allowed and write "
		       "it into\n  the files of %s\n",
			folder);
	printf("Next, in %s:\n  %s\n", folder, kind->next);
	printf("  fieldgrid-%s --config %s/%s.conf --check-config\n",
		kind->kind, folder, kind->kind);
	if (own)
		printf("  systemctl enable --now fieldgrid-%s@%s\n", kind->kind,
			enrol->node.name);
	else
		printf("  fieldgrid-%s --config %s/%s.conf\n", kind->kind,
			folder, kind->kind);
}

enum rc
enrol_run(struct enrol *enrol)
{
	enum rc rc = prepare(enrol);

	if (rc == RC_OK)
		rc = meet(enrol);
	if (rc == RC_OK) {
		printf("%s is the grid that the token is for.\n", enrol->url);
		rc = certify(enrol);
	}
	if (rc == RC_OK) {
		say("The certificate is there; fetching the access data.");
		rc = learn(enrol);
	}
	if (rc == RC_OK)
		rc = finish(enrol);
	if (rc == RC_OK)
		print_done(enrol);
	return rc;
}

void
enrol_close(struct enrol *enrol)
{
	close_http(enrol);
}
