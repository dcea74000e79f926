/* ctl_node_view: nodes as lines of text. */

#include <inttypes.h>
#include <stdio.h>

#include "fcgi/ctl_node.h"
#include "lib/clock.h"
#include "model/node_view.h"

const struct stmt *const ctl_node_view_stmts[] = {
	enrolment_stmts, node_view_stmts, NULL};

enum rc
ctl_node_list(struct ctl *ctl)
{
	struct enrolled_list list;
	enum rc rc = enrolment_list(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		char uuid[UUID_TEXT_BYTES];

		uuid_format(uuid, list.items[i].uuid);
		printf("%s\t%s\t%s\t%s\n", uuid, list.items[i].name,
			list.items[i].kind, list.items[i].state);
	}
	return rc;
}

static void
print_text(const char *what, const char *text)
{
	if (text != NULL && text[0] != '\0')
		printf("%s\t%s\n", what, text);
}

static void
print_time(const char *what, int64_t at_us)
{
	char text[CLOCK_TEXT_BYTES];

	if (at_us == CLOCK_NEVER)
		return;
	clock_format(text, at_us);
	printf("%s\t%s\n", what, text);
}

static void
print_count(const char *what, int64_t count)
{
	if (count >= 0)
		printf("%s\t%" PRId64 "\n", what, count);
}

static void
print_view(const struct node_view *node)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, node->uuid);
	print_text("id", uuid);
	print_text("name", node->name);
	print_text("kind", node->kind);
	print_text("state", node->state);
	print_time("since", node->changed_us);
	print_text("description", node->description);
	print_text("client", node->client_id);
	print_time("token until", node->token_end_us);
	print_text(node->waiting_approved ? "approved key" : "key that waits",
		node->waiting_key);
	print_text("from", node->waiting_address);
	print_time("seen", node->seen_us);
	print_text("address", node->address);
	print_text("version", node->version);
	print_count("frames in the spool", node->spool_frames);
	print_count("bytes in the spool", node->spool_bytes);
	print_time("oldest in the spool", node->spool_oldest_us);
	print_count("lost samples", node->lost_samples);
	if (node->has_clock)
		printf("clock\t%+.3f s\n",
			(double)node->clock_offset_us / CLOCK_SECOND_US);
}

static void
print_certificate(const struct node_view_certificate *certificate)
{
	char end[CLOCK_TEXT_BYTES];

	clock_format(end, certificate->not_after_us);
	printf("certificate\t%s\tuntil %s\t%s\n", certificate->fingerprint, end,
		certificate->reason != NULL           ? certificate->reason
		: certificate->seen_us == CLOCK_NEVER ? "not used yet"
						      : "in use");
}

static void
print_right(const struct node_view_right *right)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, right->datasource);
	printf("datasource\t%s\t%s\t%s%s%s\n", uuid, right->name,
		right->publish ? "publish" : "",
		right->publish && right->subscribe ? ", " : "",
		right->subscribe ? "subscribe" : "");
}

enum rc
ctl_node_certificates(struct ctl *ctl)
{
	struct node_view_certificates held = {0, NULL};
	struct enrolled node;
	enum rc rc = ctl_node_find(ctl, &node);

	if (rc == RC_OK)
		rc = node_view_certificates(
			ctl->db, ctl->arena, node.id, &held, &ctl->fault);
	for (size_t i = 0; rc == RC_OK && i < held.count; i++)
		print_certificate(&held.items[i]);
	return rc;
}

enum rc
ctl_node_show(struct ctl *ctl)
{
	struct enrolled found;
	struct node_view node;
	struct node_view_rights rights = {0, NULL};
	struct node_view_certificates held = {0, NULL};
	enum rc rc = ctl_node_find(ctl, &found);

	if (rc == RC_OK)
		rc = node_view_find(
			ctl->db, ctl->arena, found.id, &node, &ctl->fault);
	if (rc == RC_OK)
		rc = node_view_rights(
			ctl->db, ctl->arena, found.id, &rights, &ctl->fault);
	if (rc == RC_OK)
		rc = node_view_certificates(
			ctl->db, ctl->arena, found.id, &held, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	print_view(&node);
	for (size_t i = 0; i < rights.count; i++)
		print_right(&rights.items[i]);
	for (size_t i = 0; i < held.count; i++)
		print_certificate(&held.items[i]);
	return RC_OK;
}
