/* enrol_files: the folder of a node. */

#include "agents/enrol_files.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

#define AGENT_USER  "fieldgrid_agent"
#define TEXT_BYTES  ((size_t)256 * 1024)
#define FOLDER_MODE 0750

static const char *
path_of(struct arena *arena, const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Root works for the agent, who must be able to renew its files. */
static void
give_away(const char *path)
{
	const struct passwd *user =
		geteuid() == 0 ? getpwnam(AGENT_USER) : NULL;

	if (user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
}

enum rc
enrol_files_folder(struct arena *arena, const char *path, struct fault *fault)
{
	char *part = arena_strdup(arena, path);

	for (char *slash = part + 1; slash != NULL && *slash != '\0';) {
		slash = strchr(slash, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(part, FOLDER_MODE) == 0)
			give_away(part);
		else if (errno != EEXIST)
			return fault_set(
				fault, RC_IO, "%s: %s", part, strerror(errno));
		if (slash != NULL)
			*slash++ = '/';
	}
	return RC_OK;
}

enum rc
enrol_files_read(struct arena *arena, const char *folder, const char *name,
	const char **text, struct fault *fault)
{
	const char *path = path_of(arena, folder, name);
	char *read = NULL;
	enum rc rc = RC_OK;

	if (exists(path))
		rc = file_read(arena, path, TEXT_BYTES, &read, NULL, fault);
	*text = read;
	return rc;
}

enum rc
enrol_files_write(struct arena *arena, const char *folder, const char *name,
	const char *text, mode_t mode, struct fault *fault)
{
	const char *path = path_of(arena, folder, name);
	enum rc rc = file_write(path, text, mode, fault);

	if (rc == RC_OK)
		give_away(path);
	return rc;
}

/* --- the configuration -------------------------------------------------- */

static const char *
conf_name(struct arena *arena, const struct enrol_kind *kind)
{
	return arena_printf(arena, "%s.conf", kind->kind);
}

enum rc
enrol_files_configure(struct arena *arena, const char *folder,
	const struct enrol_kind *kind, const struct enrol_node *node,
	struct fault *fault)
{
	enum rc rc = enrol_files_write(arena, folder, "client_secret",
		arena_printf(arena, "%s\n", node->client_secret), 0600, fault);

	if (rc == RC_OK)
		rc = enrol_files_write(arena, folder, kind->list,
			kind->write_list(arena, node), 0644, fault);
	if (rc == RC_OK)
		rc = enrol_files_write(arena, folder, conf_name(arena, kind),
			kind->write_conf(arena, node), 0644, fault);
	return rc;
}

/* --- moving ------------------------------------------------------------- */

static enum rc
move(const char *from, const char *to, struct fault *fault)
{
	if (rename(from, to) != 0)
		return fault_set(fault, RC_IO, "%s: %s", to, strerror(errno));
	return RC_OK;
}

static enum rc
move_file(struct arena *arena, const struct enrol_kind *kind, const char *from,
	const char *to, const char *name, struct fault *fault)
{
	const char *source = path_of(arena, from, name);
	const char *target = path_of(arena, to, name);
	enum rc rc = RC_OK;

	if (!exists(source))
		return RC_OK; /* moved before */
	if (strcmp(name, kind->list) == 0 && exists(target)) {
		unlink(source);
		return RC_OK;
	}
	if (strcmp(name, conf_name(arena, kind)) == 0 && exists(target))
		rc = move(target, arena_printf(arena, "%s.before", target),
			fault);
	return rc == RC_OK ? move(source, target, fault) : rc;
}

enum rc
enrol_files_move(struct arena *arena, const struct enrol_kind *kind,
	const char *from, const char *to, struct fault *fault)
{
	/* In this order: whoever sees the configuration finds all the rest. */
	const char *const files[] = {"ca.pem", "node.key", "node.pem",
		"client_secret", kind->list, conf_name(arena, kind)};
	enum rc rc = RC_OK;

	unlink(path_of(arena, from, "access.json"));
	if (!exists(to) && rename(from, to) == 0)
		return RC_OK;
	rc = enrol_files_folder(arena, to, fault);
	/* A renewal of the node before is none of this one. */
	unlink(path_of(arena, to, "node.pem.next"));
	unlink(path_of(arena, to, "node.key.next"));
	for (size_t i = 0; rc == RC_OK && i < ARRAY_LENGTH(files); i++)
		rc = move_file(arena, kind, from, to, files[i], fault);
	if (rc == RC_OK)
		rmdir(from);
	return rc;
}

bool
enrol_files_taken(
	struct arena *arena, const struct enrol_kind *kind, const char *folder)
{
	return exists(path_of(arena, folder, conf_name(arena, kind)));
}
