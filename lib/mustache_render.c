/* mustache_render: a compiled template and a view into text. */

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "lib/jsonw.h"
#include "lib/mustache_node.h"

/* Nodes written for one page; a bound for loops within loops. */
#define STEPS_MAX 4000000

/* The values that names are looked up in, innermost first. */
struct context {
	const struct context *outer;
	struct json_object *value;
};

/* What each line starts with, innermost last. */
struct indent {
	const struct indent *outer;
	struct span text;
};

/* The arguments of the parents around; the outermost wins. */
struct arguments {
	const struct arguments *outer;
	const struct node *parent;
};

/* Everything that changes on the way down. */
struct scope {
	const struct context *context;
	const struct indent *indent;
	const struct arguments *arguments;
	size_t depth; /* of partials */
};

struct render {
	const struct mustache_set *set;
	const char *name;
	struct buf *out;
	bool skip_line; /* the next line goes on where the last one stands */
	size_t steps;
	struct fault *fault;
};

static enum rc render_nodes(struct render *render, const struct node *nodes,
	const struct scope *scope);

/* --- values ------------------------------------------------------------ */

static struct json_object *
look_up(const struct context *context, const struct node *node)
{
	struct json_object *value = NULL;

	if (node->path_count == 0)
		return context->value;
	for (; context != NULL; context = context->outer)
		if (json_object_is_type(context->value, json_type_object) &&
			json_object_object_get_ex(
				context->value, node->path[0], &value))
			break;
	if (context == NULL)
		return NULL;
	for (size_t i = 1; i < node->path_count; i++)
		if (!json_object_is_type(value, json_type_object) ||
			!json_object_object_get_ex(
				value, node->path[i], &value))
			return NULL;
	return value;
}

static bool
is_true(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_object_array_length(value) > 0;
	default:
		return true;
	}
}

static void
write_escaped(struct buf *out, const char *text)
{
	for (;;) {
		size_t plain = strcspn(text, "&<>\"'");

		buf_add(out, text, plain);
		text += plain;
		switch (*text++) {
		case '\0':
			return;
		case '&':
			buf_text(out, "&amp;");
			break;
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		default:
			buf_text(out, "&#39;");
		}
	}
}

static void
write_number(struct buf *out, double number)
{
	struct jsonw json;

	if (!isfinite(number))
		return;
	jsonw_init(&json, out);
	jsonw_num(&json, NULL, number);
}

static void
write_value(struct buf *out, struct json_object *value, bool escape)
{
	const char *text;

	if (json_object_is_type(value, json_type_null))
		return;
	if (json_object_is_type(value, json_type_double)) {
		write_number(out, json_object_get_double(value));
		return;
	}
	if (json_object_is_type(value, json_type_object) ||
		json_object_is_type(value, json_type_array))
		text = json_object_to_json_string_ext(
			value, JSON_C_TO_STRING_NOSLASHESCAPE);
	else
		text = json_object_get_string(value);
	if (escape)
		write_escaped(out, text);
	else
		buf_text(out, text);
}

/* --- nodes ------------------------------------------------------------- */

static void
write_indent(struct buf *out, const struct indent *indent)
{
	if (indent == NULL)
		return;
	write_indent(out, indent->outer);
	buf_add(out, indent->text.data, indent->text.length);
}

static void
start_line(struct render *render, const struct indent *indent)
{
	if (render->skip_line)
		render->skip_line = false;
	else
		write_indent(render->out, indent);
}

static enum rc
render_section(struct render *render, const struct node *node,
	const struct scope *scope)
{
	struct json_object *value = look_up(scope->context, node);
	bool list = json_object_is_type(value, json_type_array);
	size_t count = list ? json_object_array_length(value) : 1;
	enum rc rc = RC_OK;

	if (!is_true(value))
		return RC_OK;
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		struct context context = {scope->context,
			list ? json_object_array_get_idx(value, i) : value};
		struct scope inner = *scope;

		inner.context = &context;
		rc = render_nodes(render, node->children, &inner);
	}
	return rc;
}

/* The template that a partial or parent names; NULL for none. */
static const struct node *
find_template(struct render *render, const struct node *node,
	const struct scope *scope)
{
	const struct node *nodes = NULL;
	const char *name = node->name;

	if (node->dynamic) {
		struct json_object *value = look_up(scope->context, node);

		if (json_object_is_type(value, json_type_null))
			return NULL;
		name = json_object_get_string(value);
	}
	if (!mustache_set_find(render->set, name, &nodes))
		return NULL;
	return nodes;
}

static enum rc
render_partial(struct render *render, const struct node *node,
	const struct scope *scope)
{
	const struct node *nodes = find_template(render, node, scope);
	struct indent indent = {scope->indent, node->indent};
	struct arguments arguments = {scope->arguments, node};
	struct scope inner = *scope;

	if (nodes == NULL)
		return RC_OK;
	if (scope->depth == MUSTACHE_DEPTH_MAX)
		return fault_set(render->fault, RC_BAD_INPUT,
			"%s: partials nested too deep at \"%s\" %zu:%zu",
			render->name, node->name, node->line, node->column);
	inner.depth++;
	inner.indent = node->standalone ? &indent : NULL;
	if (node->kind == NODE_PARENT)
		inner.arguments = &arguments;
	return render_nodes(render, nodes, &inner);
}

static const struct node *
find_block(const struct node *blocks, const char *name)
{
	while (blocks != NULL && strcmp(blocks->name, name) != 0)
		blocks = blocks->next;
	return blocks;
}

/*
 * What fills the block, and the arguments that count inside of it: those
 * around the place where the filling was written, not those it belongs to.
 */
static const struct node *
find_argument(const struct arguments *arguments, const char *name,
	const struct arguments **around)
{
	const struct node *found;

	if (arguments == NULL)
		return NULL;
	found = find_argument(arguments->outer, name, around);
	if (found != NULL)
		return found;
	*around = arguments->outer;
	return find_block(arguments->parent->children, name);
}

static enum rc
render_block(struct render *render, const struct node *node,
	const struct scope *scope)
{
	struct indent indent = {scope->indent, node->indent};
	struct scope inner = *scope;
	const struct arguments *around = NULL;
	const struct node *filling;
	enum rc rc;

	filling = find_argument(scope->arguments, node->name, &around);
	if (filling == NULL)
		filling = node;
	else
		inner.arguments = around;
	if (node->standalone || filling != node)
		inner.indent = &indent;
	if (!node->standalone && filling->standalone)
		render->skip_line = true;
	if (node->standalone && !filling->standalone && filling->children)
		start_line(render, &indent);
	rc = render_nodes(render, filling->children, &inner);
	render->skip_line = false;
	return rc;
}

static enum rc
render_node(struct render *render, const struct node *node,
	const struct scope *scope)
{
	switch (node->kind) {
	case NODE_LINE:
		start_line(render, scope->indent);
		return RC_OK;
	case NODE_TEXT:
		buf_add(render->out, node->text.data, node->text.length);
		return RC_OK;
	case NODE_VALUE:
	case NODE_RAW:
		write_value(render->out, look_up(scope->context, node),
			node->kind == NODE_VALUE);
		return RC_OK;
	case NODE_SECTION:
		return render_section(render, node, scope);
	case NODE_INVERTED:
		if (is_true(look_up(scope->context, node)))
			return RC_OK;
		return render_nodes(render, node->children, scope);
	case NODE_PARTIAL:
	case NODE_PARENT:
		return render_partial(render, node, scope);
	case NODE_BLOCK:
		return render_block(render, node, scope);
	}
	return RC_OK;
}

static enum rc
render_nodes(struct render *render, const struct node *nodes,
	const struct scope *scope)
{
	for (; nodes != NULL; nodes = nodes->next) {
		enum rc rc = render_node(render, nodes, scope);

		if (rc != RC_OK)
			return rc;
		if (render->out->overflow || ++render->steps > STEPS_MAX)
			return fault_set(render->fault, RC_TOO_LARGE,
				"%s: the page is too large at %zu:%zu",
				render->name, nodes->line, nodes->column);
	}
	return RC_OK;
}

enum rc
mustache_render(const struct mustache_set *set, const char *name,
	struct json_object *view, struct buf *out, struct fault *fault)
{
	struct context context = {NULL, view};
	struct scope scope = {.context = &context};
	struct render render = {
		.set = set, .name = name, .out = out, .fault = fault};
	const struct node *nodes = NULL;

	if (!mustache_set_find(set, name, &nodes))
		return fault_set(
			fault, RC_NOT_FOUND, "no template \"%s\"", name);
	return render_nodes(&render, nodes, &scope);
}
