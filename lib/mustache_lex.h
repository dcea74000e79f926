/*
 * mustache_lex: the text of a template as a list of tokens, where each text
 * token ends at a tag or behind a newline. Only for lib/mustache*.c.
 */
#ifndef FG_LIB_MUSTACHE_LEX_H
#define FG_LIB_MUSTACHE_LEX_H

#include "lib/mustache_node.h"

#define TOKEN_TEXT  't'
#define TOKEN_VALUE 'v'

struct token {
	char kind; /* TOKEN_TEXT, TOKEN_VALUE or one of # ^ / > < $ ! = & { */
	struct span text; /* what a tag holds, without blanks around it */
	size_t line;
	size_t column;
	bool first;      /* of its line */
	bool ends_line;  /* a text token with a newline */
	bool dropped;    /* belongs to the line of a tag that stands alone */
	bool standalone; /* a tag whose line is not written */
	struct token *match; /* of # ^ < $: the end tag; of /: its start */
	struct token *prev;
	struct token *next;
};

/* Fails: RC_BAD_INPUT "name:line:column: why". */
MUST_CHECK enum rc mustache_lex(struct arena *arena, const char *name,
	struct span text, struct token **tokens, struct fault *fault);

/* RC_BAD_INPUT at a place in a template. */
enum rc mustache_refuse(struct fault *fault, const char *name, size_t line,
	size_t column, const char *why, struct span what);

bool span_blank(struct span span);

#endif
