/* mustache_lex: the text of a template as a list of tokens. */

#include "lib/mustache_lex.h"

#include <string.h>

#define DELIMITER_BYTES_MAX 16

struct lexer {
	struct arena *arena;
	const char *name;
	const char *at;
	const char *end;
	size_t line;
	size_t column;
	struct span open;
	struct span close;
	struct token *first;
	struct token *last;
	struct fault *fault;
};

enum rc
mustache_refuse(struct fault *fault, const char *name, size_t line,
	size_t column, const char *why, struct span what)
{
	int shown = what.length > 60 ? 60 : (int)what.length;

	if (shown == 0)
		return fault_set(fault, RC_BAD_INPUT, "%s:%zu:%zu: %s", name,
			line, column, why);
	return fault_set(fault, RC_BAD_INPUT, "%s:%zu:%zu: %s: %.*s", name,
		line, column, why, shown, what.data);
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool
span_blank(struct span span)
{
	for (size_t i = 0; i < span.length; i++)
		if (!is_blank(span.data[i]))
			return false;
	return true;
}

static struct span
trim(struct span span)
{
	while (span.length > 0 && is_blank(span.data[0])) {
		span.data++;
		span.length--;
	}
	while (span.length > 0 && is_blank(span.data[span.length - 1]))
		span.length--;
	return span;
}

/* Where "what" next begins, or NULL. */
static const char *
find(const char *from, const char *end, struct span what)
{
	while ((size_t)(end - from) >= what.length) {
		from = memchr(from, what.data[0],
			(size_t)(end - from) - what.length + 1);
		if (from == NULL)
			return NULL;
		if (memcmp(from, what.data, what.length) == 0)
			return from;
		from++;
	}
	return NULL;
}

static void
advance(struct lexer *lexer, const char *to)
{
	for (; lexer->at < to; lexer->at++) {
		if (*lexer->at == '\n') {
			lexer->line++;
			lexer->column = 1;
		} else {
			lexer->column++;
		}
	}
}

static struct token *
append(struct lexer *lexer, char kind, struct span text)
{
	struct token *token = arena_alloc(lexer->arena, sizeof(*token));

	token->kind = kind;
	token->text = text;
	token->line = lexer->line;
	token->column = lexer->column;
	token->prev = lexer->last;
	token->first = lexer->last == NULL || lexer->last->ends_line;
	if (lexer->last == NULL)
		lexer->first = token;
	else
		lexer->last->next = token;
	lexer->last = token;
	return token;
}

/* The text up to "to", one token a line. */
static void
lex_text(struct lexer *lexer, const char *to)
{
	while (lexer->at < to) {
		size_t left = (size_t)(to - lexer->at);
		const char *newline = memchr(lexer->at, '\n', left);
		const char *stop = newline == NULL ? to : newline + 1;
		struct token *token = append(lexer, TOKEN_TEXT,
			(struct span){lexer->at, (size_t)(stop - lexer->at)});

		token->ends_line = newline != NULL;
		advance(lexer, stop);
	}
}

static enum rc
refuse(struct lexer *lexer, const char *why, struct span what)
{
	return mustache_refuse(lexer->fault, lexer->name, lexer->line,
		lexer->column, why, what);
}

/* {{=<% %>=}}: "content" is what stands between the equal signs. */
static enum rc
set_delimiters(struct lexer *lexer, struct span content)
{
	struct span open = content;
	struct span close;
	size_t i = 0;

	while (i < content.length && !is_blank(content.data[i]))
		i++;
	open.length = i;
	close = trim((struct span){content.data + i, content.length - i});
	if (open.length == 0 || close.length == 0)
		return refuse(lexer, "two delimiters are needed", content);
	if (open.length > DELIMITER_BYTES_MAX ||
		close.length > DELIMITER_BYTES_MAX)
		return refuse(lexer, "delimiter too long", content);
	for (i = 0; i < close.length; i++)
		if (is_blank(close.data[i]))
			return refuse(lexer, "blank in a delimiter", content);
	if (memchr(content.data, '=', content.length) != NULL)
		return refuse(lexer, "= in a delimiter", content);
	lexer->open = open;
	lexer->close = close;
	return RC_OK;
}

/* A name is one word; "*" before it may stand apart. */
static enum rc
check_name(struct lexer *lexer, char kind, struct span name)
{
	if ((kind == '>' || kind == '<' || kind == '/') && name.length > 0 &&
		name.data[0] == '*')
		name = trim((struct span){name.data + 1, name.length - 1});
	if (name.length == 0)
		return refuse(lexer, "tag without a name", name);
	for (size_t i = 0; i < name.length; i++)
		if (is_blank(name.data[i]) || name.data[i] == '\0')
			return refuse(lexer, "blank in a name", name);
	return RC_OK;
}

/* The bytes that end a tag of this kind. */
static struct span
tag_end(const struct lexer *lexer, char kind, char *room)
{
	if (kind != '=' && kind != '{')
		return lexer->close;
	room[0] = kind == '{' ? '}' : '=';
	memcpy(room + 1, lexer->close.data, lexer->close.length);
	return (struct span){room, lexer->close.length + 1};
}

static char
tag_kind(const char *at, const char *end)
{
	if (at < end && *at != '\0' && strchr("#^/><$!=&{", *at) != NULL)
		return *at;
	return TOKEN_VALUE;
}

static enum rc
lex_tag(struct lexer *lexer)
{
	char room[DELIMITER_BYTES_MAX + 1];
	const char *start = lexer->at + lexer->open.length;
	const char *stop;
	struct span end;
	struct span content;
	char kind;
	enum rc rc = RC_OK;

	while (start < lexer->end && is_blank(*start))
		start++;
	kind = tag_kind(start, lexer->end);
	if (kind != TOKEN_VALUE)
		start++;
	end = tag_end(lexer, kind, room);
	stop = find(start, lexer->end, end);
	if (stop == NULL)
		return refuse(lexer, "tag is not closed", lexer->open);
	content = trim((struct span){start, (size_t)(stop - start)});

	if (kind == '=')
		rc = set_delimiters(lexer, content);
	else if (kind != '!')
		rc = check_name(lexer, kind, content);
	if (rc != RC_OK)
		return rc;
	append(lexer, kind, content);
	advance(lexer, stop + end.length);
	return RC_OK;
}

enum rc
mustache_lex(struct arena *arena, const char *name, struct span text,
	struct token **tokens, struct fault *fault)
{
	struct lexer lexer = {
		.arena = arena,
		.name = name,
		.at = text.data,
		.end = text.data + text.length,
		.line = 1,
		.column = 1,
		.open = {"{{", 2},
		.close = {"}}", 2},
		.fault = fault,
	};
	enum rc rc;

	while (lexer.at < lexer.end) {
		const char *tag = find(lexer.at, lexer.end, lexer.open);

		lex_text(&lexer, tag == NULL ? lexer.end : tag);
		if (tag == NULL)
			break;
		rc = lex_tag(&lexer);
		if (rc != RC_OK)
			return rc;
	}
	*tokens = lexer.first;
	return RC_OK;
}
