/* provider_check: what a provider's settings must be like. */

#include "model/provider_check.h"

#include <ctype.h>
#include <string.h>

#include "lib/utf8.h"

/* --- addresses --------------------------------------------------------- */

/* Name, IPv4 or [IPv6], with an optional port; lower case, so that equal
 * hosts are equal texts. */
bool
provider_is_host(const char *host)
{
	size_t length = strlen(host);

	if (length == 0 || length >= PROVIDER_HOST_BYTES || host[0] == '.' ||
		host[0] == '-' || host[0] == ':')
		return false;
	for (const char *at = host; *at != '\0'; at++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789.-:[]", *at) ==
			NULL)
			return false;
	return true;
}

/* What one parser takes for the host and another for something else is not
 * taken at all: no user, no backslash, no blank, nothing outside ASCII. */
bool
provider_url_host(const char *url, char host[PROVIDER_HOST_BYTES])
{
	size_t length = strnlen(url, PROVIDER_URL_BYTES + 1);
	size_t host_bytes;

	if (length > PROVIDER_URL_BYTES || strncmp(url, "https://", 8) != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)url[i]) || url[i] == '\\' ||
			url[i] == '@')
			return false;
	host_bytes = strcspn(url + 8, "/?#");
	if (host_bytes >= PROVIDER_HOST_BYTES)
		return false;
	memcpy(host, url + 8, host_bytes);
	host[host_bytes] = '\0';
	return provider_is_host(host);
}

bool
provider_url_allowed(const struct provider *provider, const char *url)
{
	char own[PROVIDER_HOST_BYTES];
	char host[PROVIDER_HOST_BYTES];

	if (!provider_url_host(url, host) || strchr(url, '#') != NULL ||
		!provider_url_host(provider->issuer, own))
		return false;
	if (strcmp(host, own) == 0)
		return true;
	for (const char **at = provider->hosts; *at != NULL; at++)
		if (strcmp(host, *at) == 0)
			return true;
	return false;
}

/* --- settings ---------------------------------------------------------- */

static enum rc
bad(struct fault *fault, const char *field, const char *words)
{
	return fault_tell(fault, RC_BAD_INPUT, "Provider", field, "%s", words);
}

static bool
is_name(const char *name)
{
	size_t length = strlen(name);
	bool dash = true; /* may the last letter not be a dash? */

	for (const char *at = name; *at != '\0'; at++) {
		bool word = (*at >= 'a' && *at <= 'z') ||
			    (*at >= '0' && *at <= '9');

		if (!word && (*at != '-' || dash))
			return false;
		dash = *at == '-';
	}
	return length > 0 && length <= PROVIDER_NAME_BYTES && !dash;
}

static bool
is_text(const char *text, size_t bytes_max)
{
	size_t length = strnlen(text, bytes_max + 1);

	if (length == 0 || length > bytes_max || !utf8_valid(text, length))
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return true;
}

/* Words without spaces, which go into URLs or are compared with claims. */
static bool
are_words(const char *const *words)
{
	size_t count = 0;

	for (; words[count] != NULL; count++)
		if (count == PROVIDER_LIST_MAX ||
			!is_text(words[count], PROVIDER_TEXT_BYTES) ||
			strchr(words[count], ' ') != NULL)
			return false;
	return true;
}

static bool
has_word(const char *const *words, const char *wanted)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, wanted) == 0)
			return true;
	return false;
}

static bool
is_one_of(const char *text, const char *first, const char *second)
{
	return strcmp(text, first) == 0 || strcmp(text, second) == 0;
}

static enum rc
check_lists(const struct provider *provider, struct fault *fault)
{
	const char *const *hosts = (const char *const *)provider->hosts;
	const char *const *scopes = (const char *const *)provider->scopes;

	if (!are_words(scopes) || !has_word(scopes, "openid"))
		return bad(fault, "scopes",
			"The scopes are words, and openid is one of them.");
	if (!are_words(hosts))
		return bad(fault, "hosts", "Hosts are like host.example:443.");
	for (; *hosts != NULL; hosts++)
		if (!provider_is_host(*hosts))
			return bad(fault, "hosts",
				"A host is a name with an optional port, in "
				"lower case.");
	if (!are_words((const char *const *)provider->factor_values))
		return bad(fault, "factorValues",
			"The values are words of amr or acr, such as mfa.");
	return RC_OK;
}

static enum rc
check_issuer(const char *issuer, struct fault *fault)
{
	char host[PROVIDER_HOST_BYTES];

	if (issuer == NULL || !provider_url_host(issuer, host) ||
		strpbrk(issuer, "?#") != NULL)
		return bad(fault, "issuer",
			"The issuer is an https address without a query.");
	if (strchr(issuer, '{') != NULL || strstr(issuer, "/common/") != NULL ||
		strstr(issuer, "/organizations/") != NULL)
		return bad(fault, "issuer",
			"Name the issuer of your own tenant, with its id in "
			"the address: others would be let in by a shared one.");
	return RC_OK;
}

static enum rc
check_claims(const struct provider *provider, struct fault *fault)
{
	if (!is_one_of(provider->subject, "sub", "tid+oid"))
		return bad(fault, "subject", "It is sub or tid+oid.");
	if (!is_text(provider->name_claim, PROVIDER_TEXT_BYTES))
		return bad(fault, "nameClaim", "Name a claim.");
	if (provider->groups_claim[0] != '\0' &&
		!is_text(provider->groups_claim, PROVIDER_TEXT_BYTES))
		return bad(fault, "groupsClaim", "Name a claim, or none.");
	return RC_OK;
}

enum rc
provider_check(const struct provider *provider, struct fault *fault)
{
	const char *pem = provider->authority_pem;
	enum rc rc;

	if (provider->name == NULL || !is_name(provider->name))
		return bad(fault, "name",
			"A name has 1 to 32 of a-z, 0-9 and single dashes.");
	if (!is_text(provider->title, PROVIDER_TITLE_BYTES))
		return bad(fault, "title", "The title has 1 to 64 characters.");
	rc = check_issuer(provider->issuer, fault);
	if (rc != RC_OK)
		return rc;
	if (provider->client_id == NULL ||
		!is_text(provider->client_id, PROVIDER_TEXT_BYTES))
		return bad(fault, "clientId",
			"The client id that the provider gave is needed.");
	if (!is_one_of(provider->authentication, "client_secret_post",
		    "client_secret_basic") &&
		strcmp(provider->authentication, "none") != 0)
		return bad(fault, "authentication",
			"It is client_secret_post, client_secret_basic or "
			"none.");
	if (strlen(pem) > PROVIDER_PEM_BYTES ||
		(pem[0] != '\0' &&
			strstr(pem, "-----BEGIN CERTIFICATE-----") == NULL))
		return bad(fault, "authority",
			"The authority is one or more certificates as PEM.");
	rc = check_claims(provider, fault);
	return rc == RC_OK ? check_lists(provider, fault) : rc;
}

enum rc
provider_check_secret(const struct provider *provider, bool has,
	const char *secret, struct fault *fault)
{
	bool wanted = strcmp(provider->authentication, "none") != 0;

	if (secret != NULL)
		has = secret[0] != '\0';
	if (secret != NULL && has && !is_text(secret, PROVIDER_SECRET_BYTES))
		return bad(fault, "clientSecret",
			"The secret has up to 1024 printable characters.");
	if (wanted && !has)
		return bad(fault, "clientSecret",
			"The client secret that the provider gave is needed.");
	return RC_OK;
}
