/*
 * mustache_parse: tokens into a tree of nodes.
 *
 * Three passes: tags are paired, tags that stand alone on their lines are
 * marked and the blanks around them dropped, then the tree is built.
 */

#include <string.h>

#include "lib/mustache_lex.h"
#include "lib/mustache_node.h"

struct parser {
	struct arena *arena;
	const char *name;
	struct token *at;
	struct fault *fault;
};

static enum rc
refuse(const struct parser *parser, const struct token *token, const char *why)
{
	return mustache_refuse(parser->fault, parser->name, token->line,
		token->column, why, token->text);
}

/* --- pairs ------------------------------------------------------------- */

static bool
opens(const struct token *token)
{
	return strchr("#^<$", token->kind) != NULL;
}

static bool
is_dynamic(const struct token *token)
{
	return strchr("></", token->kind) != NULL && token->text.length > 0 &&
	       token->text.data[0] == '*';
}

/* The name of a tag without a '*' before it. */
static struct span
bare_name(const struct token *token)
{
	struct span name = token->text;

	if (!is_dynamic(token))
		return name;
	do {
		name.data++;
		name.length--;
	} while (name.length > 0 && span_blank((struct span){name.data, 1}));
	return name;
}

static bool
same_name(const struct token *open, const struct token *close)
{
	struct span left = bare_name(open);
	struct span right = bare_name(close);

	return is_dynamic(open) == is_dynamic(close) &&
	       left.length == right.length &&
	       memcmp(left.data, right.data, left.length) == 0;
}

static enum rc
pair_tags(const struct parser *parser, struct token *tokens)
{
	struct token *open[MUSTACHE_DEPTH_MAX];
	size_t depth = 0;

	for (struct token *token = tokens; token; token = token->next) {
		if (opens(token)) {
			if (depth == MUSTACHE_DEPTH_MAX)
				return refuse(parser, token, "nested too deep");
			open[depth++] = token;
		} else if (token->kind == '/') {
			if (depth == 0)
				return refuse(parser, token, "nothing to end");
			depth--;
			if (!same_name(open[depth], token))
				return refuse(parser, token,
					"ends another section than the last");
			open[depth]->match = token;
			token->match = open[depth];
		}
	}
	if (depth > 0)
		return refuse(parser, open[depth - 1], "section has no end");
	return RC_OK;
}

/* --- lines ------------------------------------------------------------- */

static bool
blank_text(const struct token *token)
{
	return token->kind == TOKEN_TEXT && span_blank(token->text);
}

static bool
blank_before(const struct token *token)
{
	const struct token *prev = token->prev;

	return token->first || (prev->first && blank_text(prev));
}

static bool
blank_after(const struct token *token)
{
	const struct token *next = token->next;

	return next == NULL ||
	       (blank_text(next) && (next->ends_line || next->next == NULL));
}

static void
drop_before(struct token *token)
{
	if (!token->first)
		token->prev->dropped = true;
	token->standalone = true;
}

static void
drop_after(struct token *token)
{
	if (token->next != NULL)
		token->next->dropped = true;
}

static void
mark_line(struct token *token)
{
	if (blank_before(token) && blank_after(token)) {
		drop_before(token);
		drop_after(token);
	}
}

/* A parent stands alone with all that it holds. */
static void
mark_parent(struct token *token)
{
	if (blank_before(token) && blank_after(token->match)) {
		drop_before(token);
		drop_after(token->match);
	}
}

/* What stands around a block is not written when it is an argument, so only
 * its own ends of the lines count. */
static void
mark_block(struct token *token, bool argument)
{
	bool multiline = token->next->ends_line && blank_after(token);

	if (multiline && (argument || blank_before(token))) {
		if (blank_before(token))
			drop_before(token);
		token->standalone = true;
		drop_after(token);
	}
	if (argument && blank_before(token->match))
		drop_before(token->match);
	else
		mark_line(token->match);
}

static void
mark_lines(struct token *tokens)
{
	struct token *inside[MUSTACHE_DEPTH_MAX + 1] = {NULL};
	size_t depth = 0;

	for (struct token *token = tokens; token; token = token->next) {
		struct token *outer = inside[depth];

		if (strchr("!=>#^", token->kind) != NULL)
			mark_line(token);
		else if (token->kind == '<')
			mark_parent(token);
		else if (token->kind == '$')
			mark_block(token, outer != NULL && outer->kind == '<');
		else if (token->kind == '/' &&
			 strchr("#^", token->match->kind) != NULL)
			mark_line(token);
		if (opens(token))
			inside[++depth] = token;
		else if (token->kind == '/')
			depth--;
	}
}

/* --- indentation ------------------------------------------------------- */

static struct span
leading_blanks(struct span text)
{
	size_t length = 0;

	while (length < text.length &&
		(text.data[length] == ' ' || text.data[length] == '\t'))
		length++;
	return (struct span){text.data, length};
}

static size_t
common_prefix(struct span left, struct span right)
{
	size_t length = 0;

	while (length < left.length && length < right.length &&
		left.data[length] == right.data[length])
		length++;
	return length;
}

/* The blanks before a tag that stands alone. */
static struct span
blanks_before(const struct token *token)
{
	if (token->first || !token->prev->first || !blank_text(token->prev))
		return (struct span){"", 0};
	return token->prev->text;
}

/* Does this token begin a line that will be written? */
static bool
begins_line(const struct token *token)
{
	return token->first && !token->dropped && !token->standalone &&
	       !(token->kind == TOKEN_TEXT && token->ends_line &&
		       span_blank(token->text));
}

/* What every line between the tags of a block starts with. */
static struct span
block_indent(const struct token *open)
{
	struct span indent = {NULL, 0};

	for (const struct token *token = open->next; token != open->match;
		token = token->next) {
		struct span blanks;

		if (begins_line(token))
			blanks = token->kind == TOKEN_TEXT
					 ? leading_blanks(token->text)
					 : (struct span){"", 0};
		else if (token->standalone && strchr("><$", token->kind))
			blanks = blanks_before(token);
		else
			continue;
		if (indent.data == NULL)
			indent = blanks;
		else
			indent.length = common_prefix(indent, blanks);
	}
	return indent.data == NULL ? blanks_before(open) : indent;
}

static struct span
without_prefix(struct span text, struct span prefix)
{
	size_t length = common_prefix(text, prefix);

	return (struct span){text.data + length, text.length - length};
}

/* --- tree -------------------------------------------------------------- */

static struct node *
append(struct parser *parser, struct node ***tail, enum node_kind kind,
	const struct token *token)
{
	struct node *node = arena_alloc(parser->arena, sizeof(*node));

	node->kind = kind;
	node->line = token->line;
	node->column = token->column;
	**tail = node;
	*tail = &node->next;
	return node;
}

static enum rc
set_path(const struct parser *parser, struct node *node,
	const struct token *token)
{
	struct span name = bare_name(token);
	char *text = arena_strndup(parser->arena, name.data, name.length);
	const char **path;
	size_t count = 1;

	node->dynamic = is_dynamic(token);
	node->name = arena_strdup(parser->arena, text);
	if (strcmp(text, ".") == 0)
		return RC_OK;
	for (size_t i = 0; i < name.length; i++)
		count += text[i] == '.';
	path = arena_array(parser->arena, count, sizeof(*path));
	for (size_t i = 0; i < count; i++) {
		path[i] = text;
		text += strcspn(text, ".");
		*text++ = '\0';
		if (path[i][0] == '\0')
			return refuse(parser, token, "empty part in a name");
	}
	node->path = path;
	node->path_count = count;
	return RC_OK;
}

static enum node_kind
node_kind(char kind)
{
	switch (kind) {
	case '#':
		return NODE_SECTION;
	case '^':
		return NODE_INVERTED;
	case '>':
		return NODE_PARTIAL;
	case '<':
		return NODE_PARENT;
	case '$':
		return NODE_BLOCK;
	case '&':
	case '{':
		return NODE_RAW;
	default:
		return NODE_VALUE;
	}
}

static enum rc build(struct parser *parser, const struct token *stop,
	struct span dedent, struct node **list);

/* Of a parent only the blocks count. */
static void
keep_blocks(struct node **list)
{
	while (*list != NULL)
		if ((*list)->kind == NODE_BLOCK)
			list = &(*list)->next;
		else
			*list = (*list)->next;
}

static enum rc
build_children(struct parser *parser, struct node *node,
	const struct token *open, struct span dedent)
{
	enum rc rc;

	if (node->kind == NODE_BLOCK) {
		node->indent = blanks_before(open);
		if (open->standalone) {
			struct span inner = block_indent(open);

			node->indent = without_prefix(inner, dedent);
			dedent = inner;
		}
	}
	parser->at = open->next;
	rc = build(parser, open->match, dedent, &node->children);
	if (rc == RC_OK && node->kind == NODE_PARENT)
		keep_blocks(&node->children);
	return rc;
}

static enum rc
build_tag(struct parser *parser, struct node ***tail, const struct token *token,
	struct span dedent)
{
	struct node *node = append(parser, tail, node_kind(token->kind), token);
	enum rc rc = set_path(parser, node, token);

	if (rc != RC_OK)
		return rc;
	node->standalone = token->standalone;
	if (token->standalone)
		node->indent = without_prefix(blanks_before(token), dedent);
	if (opens(token))
		return build_children(parser, node, token, dedent);
	return RC_OK;
}

/* Build the nodes of the tokens up to "stop". */
static enum rc
build(struct parser *parser, const struct token *stop, struct span dedent,
	struct node **list)
{
	struct node **tail = list;

	while (parser->at != stop) {
		struct token *token = parser->at;
		enum rc rc;

		parser->at = token->next;
		if (token->dropped || token->kind == '/')
			continue;
		if (begins_line(token))
			append(parser, &tail, NODE_LINE, token);
		if (token->kind == TOKEN_TEXT) {
			struct span text = token->text;

			if (token->first)
				text = without_prefix(text, dedent);
			if (text.length > 0)
				append(parser, &tail, NODE_TEXT, token)->text =
					text;
			continue;
		}
		if (strchr("!=", token->kind) != NULL)
			continue;
		rc = build_tag(parser, &tail, token, dedent);
		if (rc != RC_OK)
			return rc;
	}
	/* An end tag that begins a line begins it inside of its section. */
	if (stop != NULL && begins_line(stop))
		append(parser, &tail, NODE_LINE, stop);
	return RC_OK;
}

enum rc
mustache_compile(struct arena *arena, const char *name, const char *text,
	size_t length, struct node **nodes, struct fault *fault)
{
	struct parser parser = {.arena = arena, .name = name, .fault = fault};
	struct span whole = {text, length};
	struct token *tokens = NULL;
	enum rc rc;

	*nodes = NULL;
	rc = mustache_lex(arena, name, whole, &tokens, fault);
	if (rc == RC_OK)
		rc = pair_tags(&parser, tokens);
	if (rc != RC_OK)
		return rc;
	mark_lines(tokens);
	parser.at = tokens;
	return build(&parser, NULL, (struct span){"", 0}, nodes);
}
