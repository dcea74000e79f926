/* client_check: what a client may be registered with. */

#include <ctype.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/tls_names.h"
#include "lib/utf8.h"
#include "model/client.h"

#define URI_BYTES_MAX  2000
#define NAME_BYTES_MAX 200
#define GRACE_S_MAX    10
#define LIST_MAX       32
#define ACCESS_S_MIN   60
#define ACCESS_S_MAX   86400
#define REFRESH_S_MIN  60
#define REFRESH_S_MAX  31536000

const char *const client_scopes[] = {"openid", "profile", "email", "roles",
	"offline_access", "API", "serviceGridAPI.full_access", "API.read",
	"API.write", "iiotServicesAPI", "dataStorageAPI", "hub", NULL};

static const char *const known_grants[] = {CLIENT_GRANT_CODE,
	CLIENT_GRANT_REFRESH, CLIENT_GRANT_CLIENT, CLIENT_GRANT_DEVICE, NULL};
static const char *const known_algorithms[] = {"RS256", "ES256", NULL};
const char *const client_authentications[] = {
	CLIENT_BY_NOTHING, CLIENT_BY_SECRET, CLIENT_BY_CERTIFICATE, NULL};
static const char *const none[] = {NULL};

bool
client_list_has(const char *const *list, const char *text)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* --- redirect URIs ----------------------------------------------------- */

/* Bytes of "http://127.0.0.1" or "http://[::1]" at the start; 0 = neither. */
static size_t
loopback_bytes(const char *uri)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++) {
		size_t length = strlen(hosts[i]);

		if (strncmp(uri, hosts[i], length) == 0 &&
			(uri[length] == ':' || uri[length] == '/' ||
				uri[length] == '\0'))
			return length;
	}
	return 0;
}

/* What stands behind an optional ":port". */
static const char *
behind_port(const char *text)
{
	return *text == ':' ? text + 1 + strspn(text + 1, "0123456789") : text;
}

static bool
same_but_port(const char *registered, const char *uri)
{
	size_t left = loopback_bytes(registered);
	size_t right = loopback_bytes(uri);

	return left != 0 && left == right &&
	       strncmp(registered, uri, left) == 0 &&
	       strcmp(behind_port(registered + left),
		       behind_port(uri + right)) == 0;
}

bool
client_redirect_allowed(const struct client *client, const char *uri)
{
	for (const char **item = client->redirect_uris; *item != NULL; item++)
		if (strcmp(*item, uri) == 0 || same_but_port(*item, uri))
			return true;
	return false;
}

/* RFC 8252: a private scheme has a dot, as in com.example.app:/callback. */
static bool
private_scheme(const char *uri)
{
	size_t length = strcspn(uri, ":/?#");

	return uri[length] == ':' && memchr(uri, '.', length) != NULL &&
	       isalpha((unsigned char)uri[0]);
}

static bool
plain_letters(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

static bool
https_address(const char *uri)
{
	return strnlen(uri, URI_BYTES_MAX + 1) <= URI_BYTES_MAX &&
	       strchr(uri, '#') == NULL && plain_letters(uri) &&
	       strncmp(uri, "https://", 8) == 0 &&
	       isalnum((unsigned char)uri[8]);
}

static enum rc
check_uris(const char *const *uris, const char *field, struct fault *fault)
{
	for (; *uris != NULL; uris++) {
		const char *uri = *uris;
		bool own = loopback_bytes(uri) != 0 || private_scheme(uri);

		if (https_address(uri) ||
			(own && strlen(uri) <= URI_BYTES_MAX &&
				strchr(uri, '#') == NULL && plain_letters(uri)))
			continue;
		return fault_tell(fault, RC_BAD_INPUT, "RedirectUri", field,
			"\"%.120s\" is not an https, loopback or private "
			"address without fragment.",
			uri);
	}
	return RC_OK;
}

/* Scheme, host and perhaps a port, as browsers write it: no path. */
static bool
is_origin(const char *text)
{
	size_t start =
		strncmp(text, "https://", 8) == 0 ? 8 : loopback_bytes(text);
	const char *at = text + start;

	if (start == 0 || strlen(text) > URI_BYTES_MAX)
		return false;
	if (start == 8)
		at += strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	return at > text + 7 && text[start - 1] != '\0' &&
	       (start != 8 || at > text + 8) && *behind_port(at) == '\0';
}

static enum rc
check_origins(const char *const *origins, struct fault *fault)
{
	for (; *origins != NULL; origins++)
		if (!is_origin(*origins))
			return fault_tell(fault, RC_BAD_INPUT, "Client",
				"origins",
				"\"%.120s\" is not https://host[:port] in "
				"lower case.",
				*origins);
	return RC_OK;
}

static enum rc
check_address(const char *uri, const char *field, struct fault *fault)
{
	if (uri == NULL || uri[0] == '\0' || https_address(uri))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "Client", field,
		"\"%.120s\" is not an https address without fragment.", uri);
}

/* --- the rest ---------------------------------------------------------- */

static enum rc
check_list(const char *const *list, const char *const *allowed,
	const char *what, struct fault *fault)
{
	size_t count = 0;

	for (; *list != NULL; list++)
		if (!client_list_has(allowed, *list) || ++count > LIST_MAX)
			return fault_tell(fault, RC_BAD_INPUT, "Client", what,
				"\"%.80s\" is not one of the %s.", *list, what);
	return RC_OK;
}

static enum rc
check_one(const char *text, const char *const *allowed, const char *field,
	struct fault *fault)
{
	if (text == NULL || client_list_has(allowed, text))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "Client", field,
		"\"%.80s\" is not known as %s.", text, field);
}

/* Printable ASCII, so that it survives Basic authentication and logs; no
 * UUID, because that is what the subjects of users look like. */
static enum rc
check_client_id(const char *client_id, struct fault *fault)
{
	size_t length = strnlen(client_id, 129);
	uint8_t uuid[UUID_BYTES];
	bool good = length > 0 && length <= 128 && plain_letters(client_id) &&
		    !uuid_parse(client_id, uuid);

	return good ? RC_OK
		    : fault_tell(fault, RC_BAD_INPUT, "Client", "clientId",
			      "A client_id has 1 to 128 ASCII letters, no "
			      "spaces, and is no UUID.");
}

static enum rc
check_name(const char *name, struct fault *fault)
{
	size_t length = name != NULL ? strnlen(name, NAME_BYTES_MAX + 1) : 0;
	bool good = length > 0 && length <= NAME_BYTES_MAX &&
		    utf8_valid(name, length);

	for (size_t i = 0; good && i < length; i++)
		good = (unsigned char)name[i] >= ' ' && name[i] != 0x7f;
	return good ? RC_OK
		    : fault_tell(fault, RC_BAD_INPUT, "Client", "name",
			      "A name has 1 to %d bytes of UTF-8 without "
			      "control letters.",
			      NAME_BYTES_MAX);
}

static enum rc
check_range(int64_t number, int64_t minimum, int64_t maximum, const char *field,
	struct fault *fault)
{
	if (number == 0 || (number >= minimum && number <= maximum))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "Client", field,
		"%s is %lld to %lld seconds.", field, (long long)minimum,
		(long long)maximum);
}

static const char *const *
or_none(const char *const *list)
{
	return list != NULL ? list : none;
}

static enum rc
check_lists(const struct client_new *wanted, struct fault *fault)
{
	enum rc rc = check_list(
		or_none(wanted->grants), known_grants, "grants", fault);

	if (rc == RC_OK)
		rc = check_list(or_none(wanted->scopes), client_scopes,
			"scopes", fault);
	if (rc == RC_OK)
		rc = check_uris(
			or_none(wanted->redirect_uris), "redirectUris", fault);
	if (rc == RC_OK)
		rc = check_uris(
			or_none(wanted->logout_uris), "logoutUris", fault);
	if (rc == RC_OK)
		rc = check_origins(or_none(wanted->origins), fault);
	if (rc == RC_OK)
		rc = check_address(wanted->backchannel_logout_uri,
			"backchannelLogoutUri", fault);
	if (rc == RC_OK)
		rc = check_address(wanted->home_page, "homePage", fault);
	return rc;
}

static enum rc
check_numbers(const struct client_new *wanted, struct fault *fault)
{
	enum rc rc = check_range(wanted->refresh_grace_s, 0, GRACE_S_MAX,
		"refreshGraceSeconds", fault);

	if (rc == RC_OK)
		rc = check_range(wanted->access_token_s, ACCESS_S_MIN,
			ACCESS_S_MAX, "accessTokenSeconds", fault);
	if (rc == RC_OK)
		rc = check_range(wanted->refresh_idle_s, REFRESH_S_MIN,
			REFRESH_S_MAX, "refreshIdleSeconds", fault);
	if (rc == RC_OK)
		rc = check_range(wanted->refresh_absolute_s, REFRESH_S_MIN,
			REFRESH_S_MAX, "refreshAbsoluteSeconds", fault);
	return rc;
}

static bool
is_by(const struct client_new *wanted, const char *authentication)
{
	const char *chosen = wanted->authentication != NULL
				     ? wanted->authentication
				     : CLIENT_BY_SECRET;

	return strcmp(chosen, authentication) == 0;
}

static enum rc
check_certificate(const struct client_new *wanted, struct fault *fault)
{
	const char *name = wanted->certificate_name;

	if (!is_by(wanted, CLIENT_BY_CERTIFICATE))
		return wanted->certificate_kind == NULL && name == NULL
			       ? RC_OK
			       : fault_tell(fault, RC_BAD_INPUT, "Client",
					 "certificateKind",
					 "Only a client that logs in by "
					 "tls_client_auth has the name of a "
					 "certificate.");
	if (wanted->certificate_kind == NULL || name == NULL ||
		name[0] == '\0' || strlen(name) > 1000)
		return fault_tell(fault, RC_BAD_INPUT, "Client",
			"certificateName",
			"tls_client_auth needs exactly one name of the "
			"certificate and its kind.");
	return check_one(wanted->certificate_kind, tls_names_kinds,
		"certificateKind", fault);
}

/* What would be unsafe in this combination. */
static enum rc
check_together(const struct client_new *wanted, struct fault *fault)
{
	const bool open = is_by(wanted, CLIENT_BY_NOTHING);
	const struct {
		bool wrong;
		const char *field;
		const char *why;
	} rules[] = {
		{open && client_list_has(
				 or_none(wanted->grants), CLIENT_GRANT_CLIENT),
			"grants",
			"A public client cannot use client_credentials."},
		{open && wanted->allow_no_pkce, "requirePkce",
			"A public client always needs PKCE."},
		{open && wanted->keep_refresh, "rotateRefresh",
			"The refresh tokens of a public client rotate."},
		{open && wanted->introspects, "introspects",
			"A public client cannot introspect."},
		{wanted->node_id != 0 && !is_by(wanted, CLIENT_BY_SECRET),
			"authentication",
			"The access data of a node are a secret; its "
			"certificate comes on top."},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
		if (rules[i].wrong)
			return fault_tell(fault, RC_BAD_INPUT, "Client",
				rules[i].field, "%s", rules[i].why);
	return RC_OK;
}

enum rc
client_check(const struct client_new *wanted, struct fault *fault)
{
	enum rc rc = check_client_id(wanted->client_id, fault);

	if (rc == RC_OK)
		rc = check_name(wanted->name, fault);
	if (rc == RC_OK)
		rc = check_lists(wanted, fault);
	if (rc == RC_OK)
		rc = check_one(wanted->authentication, client_authentications,
			"authentication", fault);
	if (rc == RC_OK)
		rc = check_one(wanted->algorithm, known_algorithms, "algorithm",
			fault);
	if (rc == RC_OK)
		rc = check_numbers(wanted, fault);
	if (rc == RC_OK)
		rc = check_certificate(wanted, fault);
	if (rc == RC_OK)
		rc = check_together(wanted, fault);
	return rc;
}
