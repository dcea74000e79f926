/* identity_sign: access and ID tokens, and the key that signs them. */

#include "fcgi/identity_sign.h"

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "lib/clock.h"
#include "lib/jsonw.h"
#include "lib/jwt.h"
#include "lib/tls.h"
#include "model/policy.h"

#define ID_TOKEN_S 3600
/* Who is in more groups finds them in userinfo: tokens stay small. */
#define NAMES_BYTES_MAX 3072
#define HALF_SHA256     (SECRET_HASH_BYTES / 2)

void
identity_forget_signers(const struct identity *identity)
{
	struct identity_memory *memory = identity->memory;

	for (size_t i = 0; memory != NULL && i < IDENTITY_SIGNERS; i++) {
		jwt_signer_free(memory->signers[i]);
		memory->signers[i] = NULL;
	}
}

void
identity_rights_changed(const void *app)
{
	const struct identity *identity = app;

	identity_forget_signers(identity);
	caller_gate_forget(identity->gate);
}

static enum rc
read_signer(struct req *req, const char *algorithm, struct jwt_signer **signer)
{
	struct signing_key key = {.kid = NULL};
	enum rc rc = signing_key_active(req->db, req->arena,
		identity_of(req)->seal, algorithm, &key, &req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&req->fault, RC_BUG, "no active key for %s", algorithm);
	return rc == RC_OK ? jwt_signer_new(key.kid, key.algorithm,
				     key.private_pem, signer, &req->fault)
			   : rc;
}

/* Kept until a key changes: every loop hears of that before its next request
 * (identity_forget_signers). */
static enum rc
find_signer(struct req *req, const char *algorithm,
	const struct jwt_signer **signer)
{
	struct identity_memory *memory = identity_of(req)->memory;
	size_t place = 0;
	enum rc rc = RC_OK;

	while (signing_key_algorithms[place] != NULL &&
		strcmp(signing_key_algorithms[place], algorithm) != 0)
		place++;
	if (place >= IDENTITY_SIGNERS)
		return fault_set(
			&req->fault, RC_BUG, "algorithm %s", algorithm);
	if (memory->signers[place] == NULL)
		rc = read_signer(req, algorithm, &memory->signers[place]);
	if (rc == RC_OK)
		*signer = memory->signers[place];
	return rc;
}

static void
free_buf(void *buf)
{
	buf_free(buf);
}

/* Claims in the making; the buffer goes with the request. */
struct claims {
	struct buf *text;
	struct jsonw json;
};

static void
claims_begin(
	struct req *req, struct claims *claims, const char *use, int64_t life_s)
{
	int64_t now_s = clock_now_us() / CLOCK_SECOND_US;

	claims->text = arena_alloc(req->arena, sizeof(*claims->text));
	buf_init(claims->text, JWT_TOKEN_BYTES_MAX);
	arena_defer(req->arena, free_buf, claims->text);
	jsonw_init(&claims->json, claims->text);
	jsonw_open_obj(&claims->json, NULL);
	jsonw_str(&claims->json, "iss", identity_of(req)->conf->issuer);
	jsonw_str(&claims->json, "token_use", use);
	jsonw_int(&claims->json, "iat", now_s);
	jsonw_int(&claims->json, "nbf", now_s);
	jsonw_int(&claims->json, "exp", now_s + life_s);
}

static enum rc
claims_sign(struct req *req, struct claims *claims, const struct client *client,
	const char **token)
{
	const struct jwt_signer *signer = NULL;
	enum rc rc = find_signer(req, client->algorithm, &signer);

	jsonw_close_obj(&claims->json);
	if (rc != RC_OK)
		return rc;
	if (claims->text->overflow)
		return fault_set(&req->fault, RC_BUG, "claims are too long");
	return jwt_sign(
		req->arena, signer, claims->text->data, token, &req->fault);
}

static const char *
uuid_text(struct arena *arena, const uint8_t uuid[UUID_BYTES])
{
	char *text = arena_alloc(arena, UUID_TEXT_BYTES);

	uuid_format(text, uuid);
	return text;
}

static void
write_audience(struct jsonw *json, const struct bearer *bearer)
{
	bool hub = client_list_has(bearer->scopes, CALLER_SCOPE_HUB);

	jsonw_str(json, "aud", hub ? CALLER_AUDIENCE_HUB : CALLER_AUDIENCE_API);
}

static void
write_user(struct req *req, struct jsonw *json, const struct bearer *bearer)
{
	const struct grant *grant = bearer->grant;

	jsonw_str(json, "sub", uuid_text(req->arena, bearer->user->uuid));
	jsonw_int(json, "user_epoch", bearer->user->epoch);
	jsonw_str(json, "sid", uuid_text(req->arena, grant->sid));
	jsonw_str(json, "fam", uuid_text(req->arena, grant->family));
	jsonw_int(json, "auth_time", grant->auth_time_us / CLOCK_SECOND_US);
}

enum rc
identity_sign_access(struct req *req, struct bearer *bearer, const char **token)
{
	const struct client *client = bearer->client;
	struct claims claims;
	struct jsonw *json = &claims.json;

	claims_begin(req, &claims, "access", client->access_token_s);
	uuid_random(bearer->jti);
	jsonw_str(json, "jti", uuid_text(req->arena, bearer->jti));
	jsonw_str(json, "client_id", client->client_id);
	jsonw_int(json, "client_epoch", client->epoch);
	jsonw_str(json, "scope", oauth_join(req->arena, bearer->scopes));
	write_audience(json, bearer);
	if (bearer->user != NULL)
		write_user(req, json, bearer);
	else
		jsonw_str(json, "sub", client->client_id);
	if (bearer->fingerprint != NULL) {
		jsonw_open_obj(json, "cnf");
		jsonw_str(json, "x5t#S256",
			encode_base64url(req->arena, bearer->fingerprint,
				TLS_FINGERPRINT_BYTES));
		jsonw_close_obj(json);
	}
	return claims_sign(req, &claims, client, token);
}

/* The left half of the hash ties the two tokens together (Core 3.1.3.6). */
static const char *
access_hash(struct req *req, const char *access)
{
	uint8_t hash[SECRET_HASH_BYTES];

	secret_hash(hash, access, strlen(access));
	return encode_base64url(req->arena, hash, HALF_SHA256);
}

static void
write_names(struct jsonw *json, const char *key, const char *const *names)
{
	jsonw_open_arr(json, key);
	for (; *names != NULL; names++)
		jsonw_str(json, NULL, *names);
	jsonw_close_arr(json);
}

static void
write_person(struct jsonw *json, const struct user *user)
{
	const char *name =
		user->full_name[0] != '\0' ? user->full_name : user->name;

	jsonw_str(json, "name", name);
	jsonw_str(json, "preferred_username", user->name);
}

static size_t
bytes_of(const char *const *names)
{
	size_t bytes = 0;

	for (; *names != NULL; names++)
		bytes += strlen(*names) + 3;
	return bytes;
}

/* Administrators and directories give addresses; what a provider upstream
 * calls one may be what its user typed. */
static bool
is_email_ours(const struct user *user)
{
	return strncmp(user->source, "oidc:", 5) != 0;
}

/* Groups and roles are for applications such as Grafana, which know the users
 * of the grid by nothing else. */
enum rc
identity_write_profile(struct req *req, struct jsonw *json,
	const struct user *user, const struct identity_claims *wanted)
{
	struct policy_names names;
	enum rc rc = RC_OK;

	if (wanted->profile)
		write_person(json, user);
	if (wanted->email && user->email[0] != '\0') {
		jsonw_str(json, "email", user->email);
		jsonw_bool(json, "email_verified", is_email_ours(user));
	}
	if (!wanted->roles)
		return RC_OK;
	rc = policy_names(req->db, req->arena, CALLER_USER, user->id, &names,
		&req->fault);
	if (rc != RC_OK)
		return rc;
	if (wanted->names_bytes_max != 0 &&
		bytes_of((const char *const *)names.groups) +
				bytes_of((const char *const *)names.roles) >
			wanted->names_bytes_max)
		return RC_OK;
	write_names(json, "groups", (const char *const *)names.groups);
	write_names(json, "roles", (const char *const *)names.roles);
	return RC_OK;
}

static void
write_amr(struct jsonw *json, const char *const *amr)
{
	if (amr != NULL && *amr != NULL)
		write_names(json, "amr", amr);
}

static struct identity_claims
wanted_claims(const struct bearer *bearer)
{
	bool profile = client_list_has(bearer->scopes, "profile");

	return (struct identity_claims){
		.profile = profile,
		.email = client_list_has(bearer->scopes, "email"),
		.roles = profile || client_list_has(bearer->scopes, "roles"),
		.names_bytes_max = NAMES_BYTES_MAX,
	};
}

enum rc
identity_sign_id(struct req *req, const struct bearer *bearer,
	const char *access, const char **token)
{
	const struct identity_claims wanted = wanted_claims(bearer);
	const struct grant *grant = bearer->grant;
	struct claims claims;
	struct jsonw *json = &claims.json;
	enum rc rc;

	claims_begin(req, &claims, "id", ID_TOKEN_S);
	jsonw_str(json, "sub", uuid_text(req->arena, bearer->user->uuid));
	jsonw_str(json, "aud", bearer->client->client_id);
	jsonw_str(json, "sid", uuid_text(req->arena, grant->sid));
	jsonw_int(json, "auth_time", grant->auth_time_us / CLOCK_SECOND_US);
	write_amr(json, grant->amr);
	jsonw_str(json, "at_hash", access_hash(req, access));
	if (grant->nonce != NULL)
		jsonw_str(json, "nonce", grant->nonce);
	rc = identity_write_profile(req, json, bearer->user, &wanted);
	if (rc != RC_OK)
		return rc;
	return claims_sign(req, &claims, bearer->client, token);
}
