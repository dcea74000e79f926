/*
 * policy_around: the SQL that finds everything that reaches a subject.
 *
 * Gives, for a subject of kind $1 (everyone, user, group, client, node) with
 * id $2: around(id), its groups, nested ones as well; subject(kind, id),
 * itself, everyone, and those groups; held(role_id, datasource_id, kind, id),
 * the roles they hold, where (NULL = everywhere) and by whom.
 */
#ifndef FG_MODEL_POLICY_AROUND_H
#define FG_MODEL_POLICY_AROUND_H

#define POLICY_AROUND                                                          \
	"WITH RECURSIVE around(id) AS ("                                       \
	"     SELECT group_id FROM group_account"                              \
	"      WHERE $1 = 'user' AND account_id = $2"                          \
	"      UNION"                                                          \
	"     SELECT $2 WHERE $1 = 'group'"                                    \
	"      UNION"                                                          \
	"     SELECT nesting.group_id FROM group_nesting AS nesting"           \
	"       JOIN around ON nesting.member_id = around.id)"                 \
	", subject(kind, id) AS ("                                             \
	"     SELECT $1, $2"                                                   \
	"      UNION SELECT 'everyone', 0"                                     \
	"      UNION SELECT 'group', id FROM around)"                          \
	", held(role_id, datasource_id, kind, id) AS ("                        \
	"     SELECT role_id, datasource_id, subject.kind, subject.id"         \
	"       FROM role_grant"                                               \
	"       JOIN subject ON subject.kind = subject_kind"                   \
	"        AND subject.id = subject_id) "

#endif
