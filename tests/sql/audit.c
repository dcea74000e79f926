/* audit: rows that only come, the chain behind them, and what breaks it, on a
 * real server with the rights that the services really have. */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "model/audit.h"
#include "model/audit_chain.h"
#include "model/audit_checkpoint.h"
#include "model/audit_row.h"
#include "model/audit_verify.h"
#include "tests/sql/cluster.h"

enum { STMT_NEWEST, STMT_LINKED, STMT_PEEK };

static const struct stmt test_stmts[] = {
	[STMT_NEWEST] = {"test_newest", "",
		"SELECT" AUDIT_ROW_COLUMNS "FROM audit_entry AS entry"
		" ORDER BY id DESC LIMIT 1"},
	[STMT_LINKED] = {"test_linked", "", "SELECT count(*) FROM audit_link"},
	[STMT_PEEK] = {"test_peek", "", "SELECT count(*) FROM audit_entry"},
	STMT_END,
};

static const struct stmt *const sets[] = {audit_stmts, audit_chain_stmts,
	audit_checkpoint_stmts, audit_verify_stmts, test_stmts, NULL};
static const struct stmt *const service_sets[] = {
	audit_stmts, test_stmts, NULL};

static const struct audit_actor alice = {.kind = "user",
	.name = "alice",
	.subject = "6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001",
	.client = "grafana",
	.address = "192.0.2.7",
	.request = "0123456789abcdef"};

static struct {
	struct arena *arena;
	struct db *master; /* who can change everything */
	struct db *owner;
	struct db *hub;
	struct db *keeper;
	struct audit_signer signer;
	struct audit_verifier verifier;
	struct fault fault;
} grid;

static void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

static void
load_keys(void)
{
	const char *secret_line;
	const char *public_line;
	char path[] = "/tmp/fieldgrid-audit-XXXXXX";
	struct audit_verifiers verifiers;
	int file = mkstemp(path);

	assert_true(file >= 0);
	close(file);
	audit_signer_new(grid.arena, &secret_line, &public_line);
	good(file_write(path, secret_line, 0400, &grid.fault));
	good(audit_signer_load(grid.arena, path, &grid.signer, &grid.fault));
	good(file_write(path, public_line, 0400, &grid.fault));
	good(audit_verifiers_load(grid.arena, path, &verifiers, &grid.fault));
	assert_int_equal(verifiers.count, 1);
	grid.verifier = verifiers.items[0];
	unlink(path);
}

static int
set_up(void **state)
{
	(void)state;
	cluster_start();
	grid.arena = arena_new();
	grid.master = cluster_open("postgres", sets);
	grid.owner = cluster_open("fieldgrid_owner", sets);
	grid.hub = cluster_open("fieldgrid_hub", service_sets);
	grid.keeper = cluster_open("fieldgrid_keeper", sets);
	load_keys();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(grid.keeper);
	db_close(grid.hub);
	db_close(grid.owner);
	db_close(grid.master);
	arena_free(grid.arena);
	return 0;
}

static void
write_by(struct db *db, const char *action, const char *object)
{
	const struct audit what = {.action = action,
		.object = object,
		.result = AUDIT_OK,
		.before = "{\"level\": 1}",
		.after = "{\"level\": 2}"};

	good(audit_write_by(db, &alice, &what, &grid.fault));
}

static int64_t
link_all(void)
{
	int64_t linked;

	good(audit_chain_link(grid.keeper, grid.arena, &linked, &grid.fault));
	return linked;
}

static void
checkpoint(void)
{
	struct audit_checkpoint made;
	struct audit_tip tip;

	good(audit_chain_tip(grid.keeper, grid.arena, &tip, &grid.fault));
	audit_checkpoint_sign(&grid.signer, &tip, clock_now_us(), &made);
	good(audit_checkpoint_store(grid.keeper, &made, &grid.fault));
}

static struct audit_report
verify_part(const struct audit_checkpoint_list *copies, int64_t rows_max)
{
	const struct audit_verifiers verifiers = {1, &grid.verifier};
	const struct audit_verify what = {.verifiers = &verifiers,
		.copies = copies,
		.rows_max = rows_max};
	struct audit_report report;

	good(audit_verify(grid.owner, grid.arena, &what, &report, &grid.fault));
	return report;
}

static struct audit_report
verify(const struct audit_checkpoint_list *copies)
{
	return verify_part(copies, 0);
}

static void
assert_sound(void)
{
	struct audit_report report = verify(NULL);

	if (report.findings != 0)
		fail_msg("%s", report.texts[0]);
}

/* --- writing ----------------------------------------------------------- */

static void
test_audit_keeps_who_did_what(void **state)
{
	struct audit_row row;
	struct rows *rows;

	(void)state;
	write_by(grid.hub, "variable.write", "variable:plant/Pump.Level");
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_NEWEST],
		NO_PARAMS, &rows, &grid.fault));
	row = audit_row_take(rows, 0, 0);
	assert_string_equal(row.writer, "fieldgrid_hub");
	assert_true(llabs(row.at_us - clock_now_us()) < 5 * CLOCK_SECOND_US);
	assert_string_equal(row.actor_kind, "user");
	assert_string_equal(row.actor, "alice");
	assert_string_equal(row.subject, alice.subject);
	assert_string_equal(row.client, "grafana");
	assert_string_equal(row.address, "192.0.2.7");
	assert_string_equal(row.request, "0123456789abcdef");
	assert_string_equal(row.action, "variable.write");
	assert_string_equal(row.object, "variable:plant/Pump.Level");
	assert_string_equal(row.result, "ok");
	assert_string_equal(row.before, "{\"level\": 1}");
	assert_string_equal(row.after, "{\"level\": 2}");
}

/* Names come from whoever tries to log in. */
static void
test_audit_takes_any_name(void **state)
{
	char name[1000];
	char value[40000];
	const struct audit_actor actor = {.kind = "nobody", .name = name};
	const struct audit what = {.action = "login.refused",
		.object = "user:\xff\n\xc3\xa4",
		.result = AUDIT_REFUSED,
		.after = value};
	struct audit_row row;
	struct rows *rows;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(value, ' ', sizeof(value));
	memcpy(value, "{}", 2);
	value[sizeof(value) - 1] = '\0';
	good(audit_write_by(grid.hub, &actor, &what, &grid.fault));
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_NEWEST],
		NO_PARAMS, &rows, &grid.fault));
	row = audit_row_take(rows, 0, 0);
	assert_int_equal(strlen(row.actor), 159);
	assert_string_equal(row.object, "user:?\?\xc3\xa4");
	assert_string_equal(row.after, "{\"bytes\":39999}");
}

static void
test_audit_values_are_json(void **state)
{
	(void)state;
	assert_string_equal(audit_values(grid.arena, "a\"", "b\n", "c", NULL,
				    "d", "", NULL),
		"{\"a\\\"\":\"b\\n\",\"c\":null,\"d\":\"\"}");
}

/* What cannot be recorded is not done. */
static void
test_audit_that_fails_undoes_the_action(void **state)
{
	const struct audit wrong = {
		.action = "No Action", .object = "", .result = AUDIT_OK};
	int64_t before;
	struct rows *rows;

	(void)state;
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_PEEK], NO_PARAMS,
		&rows, &grid.fault));
	before = rows_int(rows, 0, 0);
	good(db_begin(grid.hub, DB_READ_COMMITTED, &grid.fault));
	write_by(grid.hub, "role.create", "role:x");
	assert_int_equal(
		audit_write_by(grid.hub, &alice, &wrong, &grid.fault), RC_DB);
	assert_int_equal(db_commit(grid.hub, &grid.fault), RC_DB);
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_PEEK], NO_PARAMS,
		&rows, &grid.fault));
	assert_int_equal(rows_int(rows, 0, 0), before);
}

/* By grant to a service, by trigger to the owner. */
static void
test_asvs_16_4_2_audit_is_only_added_to(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit_entry SET actor = 'bob'",
		"DELETE FROM audit_entry",
		"TRUNCATE audit_entry",
		"UPDATE audit_link SET position = position + 1",
		"DELETE FROM audit_link",
		"TRUNCATE audit_link",
		"UPDATE audit_checkpoint SET position = 1",
		"DELETE FROM audit_checkpoint",
		"TRUNCATE audit_checkpoint",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
		struct db *const who[] = {grid.hub, grid.keeper, grid.owner};

		for (size_t j = 0; j < ARRAY_LENGTH(who); j++) {
			assert_int_equal(
				db_script(who[j], changes[i], &grid.fault),
				RC_DB);
			assert_non_null(strstr(grid.fault.text,
				who[j] == grid.owner ? "only added to"
						     : "permission denied"));
		}
	}
}

/* A service cannot say when or as whom it wrote, nor look. */
static void
test_asvs_16_4_2_services_do_not_choose_the_time(void **state)
{
	static const char *const tries[] = {
		"INSERT INTO audit_entry (at) VALUES (now())",
		"INSERT INTO audit_entry (writer) VALUES ('x')",
		"INSERT INTO audit_entry (id) OVERRIDING SYSTEM VALUE"
		" VALUES (1)",
		"INSERT INTO audit_link VALUES (1, 1, '')",
		"INSERT INTO audit_pending VALUES (1)",
		"DELETE FROM audit_pending",
		"SELECT * FROM audit_entry",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(tries); i++) {
		assert_int_equal(
			db_script(grid.hub, tries[i], &grid.fault), RC_DB);
		assert_non_null(strstr(grid.fault.text, "permission denied"));
	}
}

/* --- the chain --------------------------------------------------------- */

static void
test_audit_chain_is_sound(void **state)
{
	struct audit_report report;

	(void)state;
	link_all();
	for (int i = 0; i < 5; i++)
		write_by(grid.hub, "token.issue", "client:grafana");
	assert_int_equal(link_all(), 5);
	assert_int_equal(link_all(), 0);
	checkpoint();
	report = verify(NULL);
	assert_int_equal(report.findings, 0);
	assert_int_equal(report.checkpoints, 1);
	assert_int_equal(report.rows, report.position);
	assert_true(report.rows >= 7);
	report = verify_part(NULL, 3);
	assert_int_equal(report.findings, 0);
	assert_int_equal(report.rows, 3);
}

/* Commits do not come in the order of ids. */
static void
test_audit_chain_takes_late_commits(void **state)
{
	struct db *slow = cluster_open("fieldgrid_api", service_sets);

	(void)state;
	good(db_begin(slow, DB_READ_COMMITTED, &grid.fault));
	write_by(slow, "archive.create", "archive:slow");
	write_by(grid.hub, "archive.create", "archive:fast");
	assert_int_equal(link_all(), 1);
	good(db_commit(slow, &grid.fault));
	assert_int_equal(link_all(), 1);
	assert_sound();
	db_close(slow);
}

static void
test_audit_chain_has_one_owner(void **state)
{
	(void)state;
	write_by(grid.hub, "node.block", "node:north");
	good(db_begin(grid.owner, DB_READ_COMMITTED, &grid.fault));
	good(db_script(grid.owner,
		"SELECT pg_advisory_xact_lock(hashtext('fieldgrid audit'))",
		&grid.fault));
	assert_int_equal(link_all(), 0);
	db_rollback(grid.owner);
	assert_int_equal(link_all(), 1);
}

/* More rows than one batch. */
static void
test_audit_chain_goes_on_in_batches(void **state)
{
	char sql[400];

	(void)state;
	snprintf(sql, sizeof(sql),
		"INSERT INTO audit_entry (actor_kind, actor, subject, client,"
		" address, request, action, object, result) SELECT 'nobody',"
		" '', '', '', '', '', 'login.refused', 'user:' || n, 'refused'"
		" FROM generate_series(1, %d) n",
		AUDIT_CHAIN_BATCH + 10);
	good(db_script(grid.owner, sql, &grid.fault));
	assert_int_equal(link_all(), AUDIT_CHAIN_BATCH);
	assert_int_equal(link_all(), 10);
	assert_sound();
}

/* --- what breaks it ---------------------------------------------------- */

#define SAVE                                                                   \
	"DROP TABLE IF EXISTS saved_entry, saved_link, saved_checkpoint;"      \
	"CREATE TABLE saved_entry AS TABLE audit_entry;"                       \
	"CREATE TABLE saved_link AS TABLE audit_link;"                         \
	"CREATE TABLE saved_checkpoint AS TABLE audit_checkpoint;"             \
	"ALTER TABLE audit_entry DISABLE TRIGGER USER;"                        \
	"ALTER TABLE audit_link DISABLE TRIGGER USER;"                         \
	"ALTER TABLE audit_checkpoint DISABLE TRIGGER USER;"

#define RESTORE                                                                \
	"TRUNCATE audit_entry, audit_link, audit_checkpoint, audit_pending;"   \
	"INSERT INTO audit_entry OVERRIDING SYSTEM VALUE"                      \
	" SELECT * FROM saved_entry;"                                          \
	"INSERT INTO audit_link SELECT * FROM saved_link;"                     \
	"INSERT INTO audit_checkpoint SELECT * FROM saved_checkpoint;"         \
	"ALTER TABLE audit_entry ENABLE TRIGGER USER;"                         \
	"ALTER TABLE audit_link ENABLE TRIGGER USER;"                          \
	"ALTER TABLE audit_checkpoint ENABLE TRIGGER USER;"

/* What the checkpoint file holds at this moment. */
static struct audit_checkpoint_list
copies(void)
{
	struct audit_checkpoint_list list;

	good(audit_checkpoint_query(
		grid.keeper, grid.arena, 0, &list, &grid.fault));
	return list;
}

/* Verify after "sql" was done by somebody who may do everything. */
static struct audit_report
tamper(const char *sql, const struct audit_checkpoint_list *kept)
{
	struct audit_report report;

	good(db_script(grid.master, SAVE, &grid.fault));
	good(db_script(grid.master, sql, &grid.fault));
	report = verify(kept);
	good(db_script(grid.master, RESTORE, &grid.fault));
	assert_sound();
	return report;
}

static void
assert_found(const struct audit_report *report, const char *words)
{
	for (int64_t i = 0; i < report->findings && i < AUDIT_FINDINGS_MAX; i++)
		if (strstr(report->texts[i], words) != NULL)
			return;
	fail_msg("not found: %s; %d findings, the first: %s", words,
		(int)report->findings,
		report->findings > 0 ? report->texts[0] : "-");
}

#define ROW(n) "(SELECT entry_id FROM audit_link WHERE position = " #n ")"

static void
test_audit_verify_finds_an_edited_row(void **state)
{
	static const char *const edits[] = {"actor = 'bob'", "result = 'ok'",
		"at = at + interval '1 microsecond'",
		"new_value = '{\"level\":2}'", "old_value = NULL",
		"writer = 'fieldgrid_web'", "repeats = 2", "object = 'user:'",
		"client = 'grafanb'", "subject = ''", "address = '192.0.2.8'",
		"request = ''", "actor_kind = 'client'",
		"action = 'token.revoke'"};

	(void)state;
	write_by(grid.hub, "token.issue", "client:grafana");
	good(db_script(grid.owner,
		"INSERT INTO audit_entry (actor_kind, actor, subject, client,"
		" address, request, action, object, result, old_value)"
		" VALUES ('user', 'a', 's', 'c', '::1', 'r', 'x.y', 'z:z',"
		" 'failed', '1')",
		&grid.fault));
	link_all();
	checkpoint();
	for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
		char sql[300];
		struct audit_report report;

		snprintf(sql, sizeof(sql),
			"UPDATE audit_entry SET %s WHERE action = 'x.y'",
			edits[i]);
		report = tamper(sql, NULL);
		assert_int_equal(report.findings, 1);
		assert_found(&report, "was edited or is in another place");
	}
}

static void
test_audit_verify_finds_a_removed_row(void **state)
{
	struct audit_report report =
		tamper("DELETE FROM audit_entry WHERE id = " ROW(3), NULL);

	(void)state;
	assert_int_equal(report.findings, 1);
	assert_found(&report, "(position 3) was removed");
	/* With its link, and the rest renumbered as if nothing was missing. */
	report = tamper("DELETE FROM audit_entry WHERE id = " ROW(
				3) ";DELETE FROM audit_link WHERE position = 3",
		NULL);
	assert_found(&report, "positions 3 to 3 of the chain are missing");
	report = tamper("DELETE FROM audit_entry WHERE id = " ROW(
				3) ";DELETE FROM audit_link WHERE position = 3"
				   ";UPDATE audit_link SET position = position "
				   "+ 1000000"
				   " WHERE position > 3"
				   ";UPDATE audit_link SET position = position "
				   "- 1000001"
				   " WHERE position > 1000000",
		NULL);
	assert_found(&report, "(position 3) was edited or is in another place");
}

static void
test_audit_verify_finds_exchanged_rows(void **state)
{
	struct audit_report report = tamper(
		"CREATE TEMP TABLE pair AS SELECT position, entry_id"
		" FROM audit_link WHERE position IN (3, 4);"
		"UPDATE audit_link SET entry_id = -entry_id"
		" WHERE position IN (3, 4);"
		"UPDATE audit_link SET entry_id = (SELECT entry_id FROM pair"
		" WHERE pair.position = 7 - audit_link.position)"
		" WHERE position IN (3, 4); DROP TABLE pair",
		NULL);

	(void)state;
	assert_int_equal(report.findings, 2);
	assert_found(&report, "(position 3) was edited or is in another place");
	assert_found(&report, "(position 4) was edited or is in another place");
}

static void
test_audit_verify_finds_removed_links(void **state)
{
	struct audit_report report =
		tamper("DELETE FROM audit_link WHERE position IN (3, 4)", NULL);

	(void)state;
	assert_found(&report, "positions 3 to 4 of the chain are missing");
	assert_found(&report, "its link was removed");
	report = tamper("TRUNCATE audit_link", NULL);
	assert_found(&report, "the end of the audit was cut off before it");
	assert_found(&report, "its link was removed");
	report = tamper("DELETE FROM audit_link WHERE position ="
			" (SELECT max(position) FROM audit_link)",
		NULL);
	assert_found(&report, "its link was removed");
}

static void
test_audit_verify_finds_a_cut_off_end(void **state)
{
	struct audit_checkpoint_list kept;
	struct audit_report report;
	static const char *const cut =
		"DELETE FROM audit_checkpoint WHERE position > 5;"
		"DELETE FROM audit_entry WHERE id IN"
		" (SELECT entry_id FROM audit_link WHERE position > 5);"
		"DELETE FROM audit_link WHERE position > 5";

	(void)state;
	kept = copies();
	report = tamper(cut, &kept);
	assert_found(&report, "the end of the audit was cut off before it");
	assert_found(&report, "in the file");
	report = tamper(
		"TRUNCATE audit_entry, audit_link, audit_checkpoint", &kept);
	assert_found(&report, "the end of the audit was cut off before it");
	/* Nothing in the database itself tells. */
	report = tamper(cut, NULL);
	assert_int_equal(report.findings, 0);
}

/* Whoever may change everything can compute hashes as well. */
static void
relink(void)
{
	struct audit_tip tip = {.position = 0};
	struct arena *arena = arena_new();
	struct rows *rows;
	struct buf scratch;
	static const struct stmt all[] = {
		{"test_all", "",
			"SELECT link.position," AUDIT_ROW_COLUMNS
			"FROM audit_link AS link JOIN audit_entry AS entry"
			" ON entry.id = link.entry_id ORDER BY link.position"},
		{"test_put", "ib",
			"UPDATE audit_link SET hash = $2 WHERE position = $1"},
		STMT_END};
	const struct stmt *const own[] = {all, NULL};
	struct db *master = cluster_open("postgres", own);

	good(db_query(master, arena, &all[0], NO_PARAMS, &rows, &grid.fault));
	buf_init(&scratch, 0);
	good(db_begin(master, DB_READ_COMMITTED, &grid.fault));
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct audit_row row = audit_row_take(rows, i, 1);

		audit_row_hash(&row, rows_int(rows, i, 0), tip.hash, &scratch,
			tip.hash);
		good(db_exec(master, &all[1],
			PARAMS(P_INT(rows_int(rows, i, 0)),
				P_BYTES(tip.hash, sizeof(tip.hash))),
			NULL, &grid.fault));
	}
	good(db_commit(master, &grid.fault));
	buf_free(&scratch);
	db_close(master);
	arena_free(arena);
}

static void
test_audit_verify_finds_a_chain_made_anew(void **state)
{
	struct audit_checkpoint_list kept = copies();
	struct audit_report report;

	(void)state;
	good(db_script(grid.master, SAVE, &grid.fault));
	good(db_script(grid.master,
		"UPDATE audit_entry SET actor = 'bob' WHERE id = " ROW(3),
		&grid.fault));
	relink();
	report = verify(NULL);
	assert_true(report.findings > 0);
	assert_found(&report, "the chain was made anew");
	/* Also when the checkpoints of the table go. */
	good(db_script(grid.master, "TRUNCATE audit_checkpoint", &grid.fault));
	assert_int_equal(verify(NULL).findings, 0);
	report = verify(&kept);
	assert_found(&report, "the chain was made anew");
	/* And are made anew with another key. */
	load_keys();
	checkpoint();
	report = verify(&kept);
	assert_found(&report, "in the file");
	good(db_script(grid.master, RESTORE, &grid.fault));
	report = verify(NULL);
	assert_found(&report, "signed with an unknown key");
	good(db_script(grid.master,
		SAVE "TRUNCATE audit_checkpoint,"
		     " saved_checkpoint;" RESTORE,
		&grid.fault));
	assert_sound();
}

static void
test_audit_verify_finds_a_forged_checkpoint(void **state)
{
	struct audit_report report;

	(void)state;
	checkpoint();
	report = tamper("UPDATE audit_checkpoint SET made_at = made_at"
			" - interval '1 day'",
		NULL);
	assert_found(&report, "its signature is wrong");
}

static void
test_audit_verify_finds_rows_beside_the_chain(void **state)
{
	static const char *const insert =
		"INSERT INTO audit_entry (actor_kind, actor, subject, client,"
		" address, request, action, object, result) VALUES ('user',"
		" 'eve', '', '', '', '', 'login.ok', 'user:eve', 'ok')";
	struct audit_report report = tamper(insert, NULL);

	(void)state;
	assert_int_equal(report.findings, 1);
	assert_found(&report, "added beside it");
	report = tamper("INSERT INTO audit_pending VALUES (999999)", NULL);
	assert_found(&report, "row 999999 was removed before it was linked");
}

static void
test_audit_verify_tells_when_nobody_links(void **state)
{
	struct audit_report report;

	(void)state;
	write_by(grid.hub, "node.block", "node:south");
	assert_sound();
	good(db_script(grid.master,
		"ALTER TABLE audit_entry DISABLE TRIGGER USER;"
		"UPDATE audit_entry SET at = at - interval '2 minutes'"
		" WHERE object = 'node:south';"
		"ALTER TABLE audit_entry ENABLE TRIGGER USER",
		&grid.fault));
	report = verify(NULL);
	assert_int_equal(report.findings, 1);
	assert_found(&report, "does the keeper run?");
	assert_int_equal(link_all(), 1);
	assert_sound();
}

static void
test_audit_checkpoint_survives_as_text(void **state)
{
	struct audit_checkpoint_list list = copies();
	const struct audit_verifiers verifiers = {1, &grid.verifier};
	struct audit_checkpoint read;
	const char *line;

	(void)state;
	assert_true(list.count > 0);
	line = arena_printf(grid.arena, "Nov 21 06:00:00 host keeper[7]: %s\n",
		audit_checkpoint_line(grid.arena, &list.items[0]));
	assert_true(audit_checkpoint_parse(grid.arena, line, &read));
	assert_memory_equal(&read, &list.items[0], sizeof(read));
	assert_int_equal(
		audit_checkpoint_trust(&read, &verifiers), AUDIT_TRUSTED);
	read.position++;
	assert_int_equal(
		audit_checkpoint_trust(&read, &verifiers), AUDIT_FORGED);
	assert_false(audit_checkpoint_parse(
		grid.arena, "fieldgrid-audit v1 position=1 hash=00", &read));
	assert_false(audit_checkpoint_parse(grid.arena, "", &read));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audit_keeps_who_did_what),
		cmocka_unit_test(test_audit_takes_any_name),
		cmocka_unit_test(test_audit_values_are_json),
		cmocka_unit_test(test_audit_that_fails_undoes_the_action),
		cmocka_unit_test(test_asvs_16_4_2_audit_is_only_added_to),
		cmocka_unit_test(
			test_asvs_16_4_2_services_do_not_choose_the_time),
		cmocka_unit_test(test_audit_chain_is_sound),
		cmocka_unit_test(test_audit_chain_takes_late_commits),
		cmocka_unit_test(test_audit_chain_has_one_owner),
		cmocka_unit_test(test_audit_chain_goes_on_in_batches),
		cmocka_unit_test(test_audit_verify_finds_an_edited_row),
		cmocka_unit_test(test_audit_verify_finds_a_removed_row),
		cmocka_unit_test(test_audit_verify_finds_exchanged_rows),
		cmocka_unit_test(test_audit_verify_finds_removed_links),
		cmocka_unit_test(test_audit_verify_finds_a_cut_off_end),
		cmocka_unit_test(test_audit_verify_finds_a_chain_made_anew),
		cmocka_unit_test(test_audit_verify_finds_a_forged_checkpoint),
		cmocka_unit_test(test_audit_verify_finds_rows_beside_the_chain),
		cmocka_unit_test(test_audit_verify_tells_when_nobody_links),
		cmocka_unit_test(test_audit_checkpoint_survives_as_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
