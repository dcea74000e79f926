/* enrolment: tokens, certificates and the authority, as the database keeps
 * them. */

#include "tests/sql/cluster.h"
#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"
#include "lib/tls_key.h"
#include "model/authority.h"
#include "model/client.h"
#include "model/enrolment_access.h"
#include "model/enrolment_code.h"
#include "model/enrolment_issue.h"
#include "model/node.h"

static const struct stmt *const sets[] = {authority_stmts, client_stmts,
	enrolment_access_stmts, enrolment_issue_stmts, enrolment_stmts, NULL};
static const struct stmt *const hub_sets[] = {node_stmts, NULL};

static struct {
	struct arena *arena;
	struct db *db;  /* of the controller's role */
	struct db *hub; /* of the hub's */
	struct seal seal;
	struct tls_identity root;
	struct fault fault;
	int nodes;
} grid;

#define good(call) assert_int_equal((call), RC_OK)

static int
set_up_group(void **state)
{
	(void)state;
	cluster_start();
	grid.arena = arena_new();
	grid.db = cluster_open("fieldgrid_controller", sets);
	grid.hub = cluster_open("fieldgrid_hub", hub_sets);
	secret_random(grid.seal.key, sizeof(grid.seal.key));
	good(tls_issue_root(grid.arena, "Root", 3650, &grid.root, &grid.fault));
	return 0;
}

static int
tear_down_group(void **state)
{
	(void)state;
	db_close(grid.hub);
	db_close(grid.db);
	arena_free(grid.arena);
	return 0;
}

static struct enrolled
new_node(bool needs_approval)
{
	struct enrolled node;
	const struct enrolment_new wanted = {
		.name = arena_printf(grid.arena, "node-%d", ++grid.nodes),
		.kind = "ingress",
		.needs_approval = needs_approval};

	good(enrolment_create(
		grid.db, grid.arena, &wanted, &node, &grid.fault));
	return node;
}

static void
new_request(struct tls_request *request)
{
	struct tls_key key;
	const char *csr = NULL;
	uint8_t hash[TLS_KEY_HASH_BYTES];

	good(tls_key_new(grid.arena, TLS_EC_P256, &key, &grid.fault));
	good(tls_request_write(
		grid.arena, key.private_pem, "x", &csr, hash, &grid.fault));
	good(tls_request_read(
		grid.arena, csr, strlen(csr), request, &grid.fault));
}

static struct enrolment_signer
signer_of(int64_t life_s)
{
	struct enrolment_signer signer = {.life_s = life_s};

	good(authority_load(grid.db, grid.arena, &grid.seal,
		&signer.authority_id, &signer.identity, &grid.fault));
	return signer;
}

static enum rc
admit(const struct enrolled *node, const struct tls_request *request,
	struct enrolment_answer *answer)
{
	const struct enrolment_signer signer = signer_of(3600);
	const struct enrolment_asked asked = {request, "192.0.2.1"};

	return enrolment_admit(grid.db, grid.arena, &signer, node, &asked,
		answer, &grid.fault);
}

/* --- the authority -------------------------------------------------------- */

static void
test_authority_newest_signs_and_needs_its_seal(void **state)
{
	struct seal other = {{1}};
	struct authority_list list;
	struct tls_identity made, loaded;
	int64_t id = 0;

	(void)state;
	assert_int_equal(authority_load(grid.db, grid.arena, &grid.seal, &id,
				 &loaded, &grid.fault),
		RC_NOT_FOUND);
	for (int i = 0; i < 2; i++) {
		good(tls_issue_authority(grid.arena, &grid.root, "Nodes", 30,
			&made, &grid.fault));
		good(authority_add(
			grid.db, grid.arena, &grid.seal, &made, &grid.fault));
	}
	good(authority_load(
		grid.db, grid.arena, &grid.seal, &id, &loaded, &grid.fault));
	assert_string_equal(loaded.certificate_pem, made.certificate_pem);
	assert_string_equal(loaded.private_pem, made.private_pem);
	assert_int_equal(authority_load(grid.db, grid.arena, &other, &id,
				 &loaded, &grid.fault),
		RC_BUG);
	good(authority_list(grid.db, grid.arena, &list, &grid.fault));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].id, id);
}

static void
test_authority_list_is_made_anew_when_something_changes(void **state)
{
	struct enrolled node = new_node(false);
	struct enrolment_token token;
	struct enrolment_answer answer;
	struct tls_request request;
	struct authority_crl one, two;

	(void)state;
	new_request(&request);
	good(enrolment_offer(
		grid.db, grid.arena, node.id, &token, &grid.fault));
	good(admit(&node, &request, &answer));
	good(authority_crl(grid.db, grid.arena, &grid.seal, &one, &grid.fault));
	good(authority_crl(grid.db, grid.arena, &grid.seal, &two, &grid.fault));
	assert_int_equal(one.number, two.number);
	assert_int_equal(two.next_us - two.made_us, 2 * CLOCK_DAY_US);
	good(enrolment_turn(grid.db, node.id, ENROLMENT_BLOCK, &grid.fault));
	good(authority_crl(grid.db, grid.arena, &grid.seal, &two, &grid.fault));
	assert_int_equal(two.number, one.number + 1);
}

/* --- tokens --- */

static void
test_enrolment_token_dies_after_five_wrong_ones(void **state)
{
	struct enrolled node = new_node(false);
	struct enrolled found;
	struct enrolment_token token;

	(void)state;
	good(enrolment_offer(
		grid.db, grid.arena, node.id, &token, &grid.fault));
	for (int i = 0; i < ENROLMENT_WRONG_MAX - 1; i++)
		assert_int_equal(enrolment_check(grid.db, grid.arena, node.uuid,
					 "wrong", &found, &grid.fault),
			RC_UNAUTHENTICATED);
	good(enrolment_check(grid.db, grid.arena, node.uuid, token.secret,
		&found, &grid.fault));
	assert_int_equal(found.id, node.id);
	assert_int_equal(enrolment_check(grid.db, grid.arena, node.uuid,
				 "wrong", &found, &grid.fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(enrolment_check(grid.db, grid.arena, node.uuid,
				 token.secret, &found, &grid.fault),
		RC_UNAUTHENTICATED);
}

static void
test_enrolment_code_is_read_as_it_was_written(void **state)
{
	static const char *const broken[] = {"", ".", "..", "a.b.c",
		"AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AAAA"};
	struct enrolment_code code = {.secret = "AAECAwQFBgcICQoLDA0ODw"};
	struct enrolment_code again;

	(void)state;
	uuid_random(code.uuid);
	secret_random(code.pin, sizeof(code.pin));
	good(enrolment_code_read(grid.arena,
		enrolment_code_write(grid.arena, &code), &again, &grid.fault));
	assert_memory_equal(again.uuid, code.uuid, UUID_BYTES);
	assert_memory_equal(again.pin, code.pin, sizeof(code.pin));
	assert_string_equal(again.secret, code.secret);
	for (size_t i = 0; i < ARRAY_LENGTH(broken); i++)
		assert_int_equal(enrolment_code_read(grid.arena, broken[i],
					 &again, &grid.fault),
			RC_BAD_INPUT);
}

/* --- certificates --- */

static void
test_enrolment_old_certificate_ends_when_the_next_is_seen(void **state)
{
	struct enrolled node = new_node(false);
	struct enrolment_token token;
	struct enrolment_answer answer;
	struct enrolment_signer signer = signer_of(3600);
	struct tls_request request;
	struct tls_facts one, two;
	const char *next = NULL;

	(void)state;
	new_request(&request);
	good(enrolment_offer(
		grid.db, grid.arena, node.id, &token, &grid.fault));
	good(admit(&node, &request, &answer));
	good(tls_read(grid.arena, answer.certificate_pem, &one, &grid.fault));
	good(node_note_certificate(grid.hub, &one, &grid.fault));
	new_request(&request);
	good(enrolment_renew(grid.db, grid.arena, &signer, &node,
		one.fingerprint, &request, &next, &grid.fault));
	good(tls_read(grid.arena, next, &two, &grid.fault));
	/* Both count: what is seen again changes nothing. */
	good(node_note_certificate(grid.hub, &one, &grid.fault));
	good(node_note_certificate(grid.hub, &two, &grid.fault));
	assert_int_equal(enrolment_revoke(grid.db, node.id, one.fingerprint,
				 &grid.fault),
		RC_NOT_FOUND);
	good(enrolment_revoke(grid.db, node.id, two.fingerprint, &grid.fault));
}

static void
test_enrolment_key_of_another_node_is_refused(void **state)
{
	struct enrolled one = new_node(false);
	struct enrolled two = new_node(false);
	struct enrolment_token token;
	struct enrolment_answer answer;
	struct tls_request request;

	(void)state;
	new_request(&request);
	good(enrolment_offer(grid.db, grid.arena, one.id, &token, &grid.fault));
	good(enrolment_offer(grid.db, grid.arena, two.id, &token, &grid.fault));
	good(admit(&one, &request, &answer));
	assert_int_equal(admit(&two, &request, &answer), RC_DENIED);
	assert_string_equal(grid.fault.code, "KeyRefused");
}

static void
test_enrolment_access_is_given_until_the_node_is_heard(void **state)
{
	struct enrolled node = new_node(false);
	struct enrolment_token token;
	struct enrolment_answer answer;
	struct enrolment_access one, two;
	struct tls_request request;
	struct tls_facts facts;

	(void)state;
	new_request(&request);
	good(enrolment_offer(
		grid.db, grid.arena, node.id, &token, &grid.fault));
	good(admit(&node, &request, &answer));
	good(tls_read(grid.arena, answer.certificate_pem, &facts, &grid.fault));
	good(enrolment_access_fetch(grid.db, grid.arena, &node,
		facts.fingerprint, &one, &grid.fault));
	good(enrolment_access_fetch(grid.db, grid.arena, &node,
		facts.fingerprint, &two, &grid.fault));
	assert_string_equal(one.client_id, two.client_id);
	assert_string_not_equal(one.secret, two.secret);
	good(node_note_certificate(grid.hub, &facts, &grid.fault));
	assert_int_equal(enrolment_access_fetch(grid.db, grid.arena, &node,
				 facts.fingerprint, &two, &grid.fault),
		RC_CONFLICT);
}

static void
test_enrolment_states_follow_each_other(void **state)
{
	static const struct {
		enum enrolment_verb verb;
		enum rc rc;
		const char *then;
	} steps[] = {
		{ENROLMENT_UNBLOCK, RC_CONFLICT, "pending"},
		{ENROLMENT_BLOCK, RC_OK, "blocked"},
		{ENROLMENT_UNBLOCK, RC_OK, "pending"},
		{ENROLMENT_AUTHORISE, RC_OK, "authorised"},
		{ENROLMENT_RETIRE, RC_OK, "retired"},
		{ENROLMENT_UNBLOCK, RC_CONFLICT, "retired"},
		{ENROLMENT_AUTHORISE, RC_CONFLICT, "retired"},
		{ENROLMENT_BLOCK, RC_CONFLICT, "retired"},
	};
	struct enrolled node = new_node(false);

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		assert_int_equal(enrolment_turn(grid.db, node.id, steps[i].verb,
					 &grid.fault),
			steps[i].rc);
		good(enrolment_find(
			grid.db, grid.arena, node.name, &node, &grid.fault));
		assert_string_equal(node.state, steps[i].then);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_authority_newest_signs_and_needs_its_seal),
		cmocka_unit_test(
			test_authority_list_is_made_anew_when_something_changes),
		cmocka_unit_test(
			test_enrolment_token_dies_after_five_wrong_ones),
		cmocka_unit_test(test_enrolment_code_is_read_as_it_was_written),
		cmocka_unit_test(
			test_enrolment_old_certificate_ends_when_the_next_is_seen),
		cmocka_unit_test(test_enrolment_key_of_another_node_is_refused),
		cmocka_unit_test(
			test_enrolment_access_is_given_until_the_node_is_heard),
		cmocka_unit_test(test_enrolment_states_follow_each_other),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
