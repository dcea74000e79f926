/* ctl_node_change: a node's words and certificates, and removing it. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl_node.h"
#include "model/audit.h"
#include "model/enrolment_issue.h"
#include "model/event.h"
#include "model/node_view.h"

const struct stmt *const ctl_node_change_stmts[] = {audit_stmts,
	enrolment_issue_stmts, enrolment_stmts, event_write_stmts,
	node_view_stmts, NULL};

/* What one command does to the node it has found. */
typedef enum rc work_fn(struct ctl *ctl, const struct enrolled *node);

/* In one transaction with its record. */
static enum rc
work(struct ctl *ctl, work_fn *step, const char *action, const char *words)
{
	struct enrolled node;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = ctl_node_find(ctl, &node);
	if (rc == RC_OK)
		rc = step(ctl, &node);
	if (rc == RC_OK)
		rc = ctl_node_record(ctl, action, node.name, NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Node %s %s.\n", node.name, words);
	return rc;
}

static enum rc
change(struct ctl *ctl, const struct enrolled *node)
{
	const char *approval = ctl_option_or(
		ctl, "approval", node->needs_approval ? "yes" : "no");
	struct enrolment_new wanted = {
		.name = ctl_option_or(ctl, "name", node->name),
		.needs_approval = strcmp(approval, "yes") == 0,
	};
	struct node_view before;
	enum rc rc = node_view_find(
		ctl->db, ctl->arena, node->id, &before, &ctl->fault);

	if (rc == RC_OK && !wanted.needs_approval &&
		strcmp(approval, "no") != 0)
		return fault_set(
			&ctl->fault, RC_BAD_INPUT, "--approval is yes or no");
	if (rc != RC_OK)
		return rc;
	wanted.description =
		ctl_option_or(ctl, "description", before.description);
	return enrolment_change(ctl->db, node->id, &wanted, &ctl->fault);
}

enum rc
ctl_node_change(struct ctl *ctl)
{
	return work(ctl, change, "node.change", "is changed");
}

static enum rc
remove_node(struct ctl *ctl, const struct enrolled *node)
{
	return enrolment_remove(ctl->db, node->id, &ctl->fault);
}

enum rc
ctl_node_remove(struct ctl *ctl)
{
	return work(ctl, remove_node, "node.remove", "is gone");
}

static enum rc
revoke(struct ctl *ctl, const struct enrolled *node)
{
	const char *text = ctl->arguments[1];
	size_t bytes = 0;
	const uint8_t *fingerprint =
		decode_hex(ctl->arena, text, strlen(text), &bytes);
	enum rc rc;

	if (fingerprint == NULL || bytes != TLS_FINGERPRINT_BYTES)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"a fingerprint has 64 hexadecimal letters");
	rc = enrolment_revoke(ctl->db, node->id, fingerprint, &ctl->fault);
	if (rc == RC_NOT_FOUND)
		return fault_set(&ctl->fault, rc,
			"the node %s has no such certificate that counts",
			node->name);
	return rc;
}

enum rc
ctl_node_revoke(struct ctl *ctl)
{
	return work(ctl, revoke, "node.revoke",
		"is not let in with this certificate any more");
}
