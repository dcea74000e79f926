/* grant: sessions, codes, refresh tokens and devices on a real server. */

#include "tests/unit/unit.h"

#include <ctype.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"
#include "model/device.h"
#include "tests/sql/accounts.h"

/* --- sessions ---------------------------------------------------------- */

static void
age_sessions(int minutes)
{
	good(db_script(grid.owner,
		arena_printf(grid.arena,
			"UPDATE session SET seen_at = seen_at"
			" - interval '%d min'",
			minutes),
		&grid.fault));
}

static void
test_session_ends_when_unused(void **state)
{
	struct user user = make_user("dora", false);
	struct session session;
	struct session found;

	(void)state;
	good(session_create(grid.identity, grid.arena, log_in_as(user.id),
		&session, &grid.fault));
	age_sessions(29);
	good(session_find(grid.identity, grid.arena, session.cookie, &found,
		&grid.fault));
	age_sessions(29); /* it was used in between */
	good(session_find(grid.identity, grid.arena, session.cookie, &found,
		&grid.fault));
	age_sessions(31);
	assert_int_equal(session_find(grid.identity, grid.arena, session.cookie,
				 &found, &grid.fault),
		RC_NOT_FOUND);
}

static void
test_session_login_waits_grow_and_end(void **state)
{
	int64_t before = 0;
	int64_t wait_s = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		good(session_login_failed(grid.identity, grid.arena, "eve",
			"192.0.2.7", &grid.fault));
		good(session_login_wait(grid.identity, grid.arena, "eve",
			"192.0.2.7", &wait_s, &grid.fault));
		assert_true(i < 4 ? wait_s == 0 : wait_s + 5 >= before);
		before = wait_s;
	}
	assert_true(wait_s > 30 && wait_s <= 60);
	good(session_login_wait(grid.identity, grid.arena, "eve", "192.0.2.8",
		&wait_s, &grid.fault));
	assert_int_equal(wait_s, 0);
	good(session_login_worked(
		grid.identity, grid.arena, "eve", "192.0.2.7", &grid.fault));
	good(session_login_wait(grid.identity, grid.arena, "eve", "192.0.2.7",
		&wait_s, &grid.fault));
	assert_int_equal(wait_s, 0);
}

/* --- grants ------------------------------------------------------------ */

static void
test_grant_code_works_once(void **state)
{
	struct session session;
	struct grant given;
	struct grant got;
	const char *code;

	(void)state;
	make_grant(&given, &session);
	good(grant_code_create(
		grid.identity, grid.arena, &given, &code, &grid.fault));
	good(grant_code_use(
		grid.identity, grid.arena, code, &got, &grid.fault));
	assert_memory_equal(got.family, given.family, UUID_BYTES);
	assert_memory_equal(got.sid, session.sid, UUID_BYTES);
	assert_string_equal(got.scopes[1], "API");
	assert_string_equal(got.nonce, "n");
	assert_null(got.challenge);
	assert_int_equal(grant_code_use(grid.identity, grid.arena, code, &got,
				 &grid.fault),
		RC_CONFLICT);
	assert_int_equal(grant_code_use(grid.identity, grid.arena, "guess",
				 &got, &grid.fault),
		RC_NOT_FOUND);
}

static const char *
make_refresh(struct grant *grant)
{
	static const char *const amr[] = {"otp", NULL};
	const char *token = secret_token(grid.arena);

	grant->amr = amr;
	grant->dies_us = clock_now_us() + CLOCK_DAY_US;
	good(grant_refresh_create(
		grid.identity, grant, 3600, token, &grid.fault));
	return token;
}

static void
test_grant_refresh_dies_with_its_family_and_session(void **state)
{
	struct session session;
	struct grant grant;
	struct grant got = {.client_id = 0};
	const char *first;
	const char *second;

	(void)state;
	make_grant(&grant, &session);
	memcpy(grant.sid, session.sid, UUID_BYTES);
	first = make_refresh(&grant);
	good(grant_refresh_use(grid.identity, grid.arena, first,
		grant.client_id, &got, &grid.fault));
	assert_string_equal(got.amr[0], "otp");
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, first,
				 grant.client_id, &got, &grid.fault),
		RC_CONFLICT);
	good(grant_revoke(grid.identity, got.family, &grid.fault));
	second = make_refresh(&grant);
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, second,
				 grant.client_id, &got, &grid.fault),
		RC_NOT_FOUND);
	uuid_random(grant.family);
	second = make_refresh(&grant);
	good(session_end(grid.identity, &session, &grid.fault));
	assert_int_equal(grant_refresh_use(grid.identity, grid.arena, second,
				 grant.client_id, &got, &grid.fault),
		RC_NOT_FOUND);
}

/* Two tabs asked at once, or an answer was lost. */
static void
test_grant_refresh_works_again_within_its_grace(void **state)
{
	struct session session;
	struct grant grant;
	struct grant got = {.client_id = 0};
	const char *first;
	const char *next;

	(void)state;
	make_grant(&grant, &session);
	memcpy(grant.sid, session.sid, UUID_BYTES);
	first = make_refresh(&grant);
	next = secret_derive(grid.arena, seal.key, "fgrefres", first);
	assert_string_equal(
		next, secret_derive(grid.arena, seal.key, "fgrefres", first));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 10, next, &got, &grid.fault),
		RC_NOT_FOUND);
	good(grant_refresh_use(grid.identity, grid.arena, first,
		grant.client_id, &got, &grid.fault));
	good(grant_refresh_create(
		grid.identity, &grant, 3600, next, &grid.fault));
	good(grant_refresh_again(grid.identity, grid.arena, first,
		grant.client_id, 10, next, &got, &grid.fault));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 0, next, &got, &grid.fault),
		RC_NOT_FOUND);
	good(grant_refresh_use(grid.identity, grid.arena, next, grant.client_id,
		&got, &grid.fault));
	assert_int_equal(grant_refresh_again(grid.identity, grid.arena, first,
				 grant.client_id, 10, next, &got, &grid.fault),
		RC_NOT_FOUND);
}

/* --- devices ----------------------------------------------------------- */

static void
poll_says(const char *code, int64_t client_id, enum device_state expected)
{
	enum device_state state;
	struct grant grant;

	good(device_poll(grid.identity, grid.arena, code, client_id, &grant,
		&state, &grid.fault));
	assert_int_equal(state, expected);
}

static void
poll_finds_nothing(const char *code, int64_t client_id)
{
	enum device_state state;
	struct grant grant;

	assert_int_equal(device_poll(grid.identity, grid.arena, code, client_id,
				 &grant, &state, &grid.fault),
		RC_NOT_FOUND);
}

static void
make_device(const struct grant *grant, struct device_codes *codes)
{
	good(device_create(grid.identity, grid.arena, grant->client_id,
		grant->scopes, "::1", codes, &grid.fault));
	assert_int_equal(strlen(codes->user_code), 9);
	assert_int_equal(codes->user_code[4], '-');
}

/* As if the last poll had been a minute ago. */
static void
let_a_minute_pass(void)
{
	good(db_script(grid.owner,
		"UPDATE device_code SET polled_at = polled_at"
		" - interval '1 minute'",
		&grid.fault));
}

static void
test_device_waits_until_somebody_decides(void **state)
{
	struct session session;
	struct grant given;
	struct grant got;
	struct device_codes codes;
	struct device device;
	enum device_state polled;
	char *typed;

	(void)state;
	make_grant(&given, &session);
	make_device(&given, &codes);
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	poll_finds_nothing(codes.device_code, given.client_id + 1);
	poll_finds_nothing("guess", given.client_id);
	typed = arena_printf(
		grid.arena, " %.4s%s", codes.user_code, codes.user_code + 5);
	for (char *at = typed; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	good(device_find(
		grid.identity, grid.arena, typed, &device, &grid.fault));
	assert_string_equal(device.scopes[1], "API");
	good(device_approve(grid.identity, &device, &session, &grid.fault));
	assert_int_equal(
		device_deny(grid.identity, &device, &session, &grid.fault),
		RC_NOT_FOUND);
	assert_int_equal(device_find(grid.identity, grid.arena, typed, &device,
				 &grid.fault),
		RC_NOT_FOUND);
	let_a_minute_pass();
	good(device_poll(grid.identity, grid.arena, codes.device_code,
		given.client_id, &got, &polled, &grid.fault));
	assert_int_equal(polled, DEVICE_GRANTED);
	assert_int_equal(got.user_id, session.user_id);
	assert_string_equal(got.scopes[1], "API");
	let_a_minute_pass();
	poll_finds_nothing(codes.device_code, given.client_id);
}

static void
test_device_that_polls_too_soon_slows_down_for_good(void **state)
{
	struct session session;
	struct grant given;
	struct device_codes codes;
	struct device device;

	(void)state;
	make_grant(&given, &session);
	make_device(&given, &codes);
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	poll_says(codes.device_code, given.client_id, DEVICE_SLOW_DOWN);
	good(db_script(grid.owner,
		"UPDATE device_code SET polled_at = now() - interval '7 s'",
		&grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_SLOW_DOWN);
	let_a_minute_pass();
	poll_says(codes.device_code, given.client_id, DEVICE_PENDING);
	good(device_find(grid.identity, grid.arena, codes.user_code, &device,
		&grid.fault));
	good(device_deny(grid.identity, &device, &session, &grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_DENIED);
	good(db_script(grid.owner, "UPDATE device_code SET expires_at = now()",
		&grid.fault));
	poll_says(codes.device_code, given.client_id, DEVICE_EXPIRED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_ends_when_unused),
		cmocka_unit_test(test_session_login_waits_grow_and_end),
		cmocka_unit_test(test_grant_code_works_once),
		cmocka_unit_test(
			test_grant_refresh_dies_with_its_family_and_session),
		cmocka_unit_test(
			test_grant_refresh_works_again_within_its_grace),
		cmocka_unit_test(test_device_waits_until_somebody_decides),
		cmocka_unit_test(
			test_device_that_polls_too_soon_slows_down_for_good),
	};

	return cmocka_run_group_tests(
		tests, accounts_set_up, accounts_tear_down);
}
