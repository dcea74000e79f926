/*
 * screen_clean: an SVG from outside, rewritten with what is harmless.
 *
 * The result is put into an HTML page as it is, so everything is by
 * allow-list, and the text is written anew: comments, processing instructions
 * and namespaces of editors never get through.
 */

#include <expat.h>
#include <string.h>

#include "model/screen.h"

#define SVG_SPACE    "http://www.w3.org/2000/svg"
#define XLINK_SPACE  "http://www.w3.org/1999/xlink"
#define XML_SPACE    "http://www.w3.org/XML/1998/namespace"
#define SPACE_END    '|'
#define DEPTH_MAX    64
#define ELEMENTS_MAX 20000

#define STYLE_BYTES_MAX 4096
#define PROPERTIES_MAX  128

struct cleaner {
	XML_Parser parser;
	struct buf *out;
	struct fault *fault;
	enum rc rc;
	size_t depth;
	size_t skip_depth; /* > 0: inside of something that is left out */
	size_t text_depth; /* > 0: inside of title or desc: text only */
	size_t elements;
	size_t dropped;
};

/* --- lists ------------------------------------------------------------- */

static const char *const elements[] = {"a", "circle", "clipPath", "defs",
	"desc", "ellipse", "g", "line", "linearGradient", "marker", "path",
	"pattern", "polygon", "polyline", "radialGradient", "rect", "stop",
	"svg", "symbol", "text", "title", "tspan", "use", NULL};

/* Left out with all they hold: what editors keep for themselves. */
static const char *const left_out[] = {"metadata", NULL};

static const char *const attributes[] = {"class", "clip-path", "clip-rule",
	"clipPathUnits", "cx", "cy", "d", "display", "dominant-baseline", "dx",
	"dy", "fill", "fill-opacity", "fill-rule", "font-family", "font-size",
	"font-style", "font-weight", "fx", "fy", "gradientTransform",
	"gradientUnits", "height", "id", "letter-spacing", "marker-end",
	"marker-mid", "marker-start", "markerHeight", "markerUnits",
	"markerWidth", "offset", "opacity", "orient", "pathLength",
	"patternContentUnits", "patternTransform", "patternUnits", "points",
	"preserveAspectRatio", "r", "refX", "refY", "role", "rotate", "rx",
	"ry", "shape-rendering", "spreadMethod", "stop-color", "stop-opacity",
	"stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
	"stroke-linejoin", "stroke-miterlimit", "stroke-opacity",
	"stroke-width", "tabindex", "text-anchor", "textLength", "lengthAdjust",
	"transform", "vector-effect", "viewBox", "visibility", "width", "x",
	"x1", "x2", "y", "y1", "y2", NULL};

static bool
listed(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/* --- faults ------------------------------------------------------------ */

static void
refuse(struct cleaner *cleaner, const char *why, const char *what)
{
	if (cleaner->rc != RC_OK)
		return;
	cleaner->rc = fault_tell(cleaner->fault, RC_BAD_INPUT, "BadScreen",
		NULL, "%lu:%lu: %s: %.80s",
		(unsigned long)XML_GetCurrentLineNumber(cleaner->parser),
		(unsigned long)XML_GetCurrentColumnNumber(cleaner->parser) + 1,
		why, what);
	XML_StopParser(cleaner->parser, XML_FALSE);
}

/* --- writing ----------------------------------------------------------- */

static void
write_text(struct buf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		switch (text[i]) {
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
			buf_char(out, text[i]);
		}
}

static void
write_attribute(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, " %s=\"", name);
	write_text(out, value, strlen(value));
	buf_char(out, '"');
}

/* --- attributes -------------------------------------------------------- */

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_plain_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
	       strlen(name);
}

/* url(...) may point into the picture and nowhere else. */
static bool
links_inside(const char *value)
{
	for (const char *url = value; (url = strstr(url, "url(")) != NULL;
		url += 4)
		if (url[4] != '#')
			return false;
	/* CSS escapes could spell url in another way */
	return strchr(value, '\\') == NULL;
}

/* "#id", or for a link a path of this site. */
static bool
href_is_local(const char *element, const char *href)
{
	if (href[0] == '#')
		return true;
	return strcmp(element, "a") == 0 && href[0] == '/' && href[1] != '/' &&
	       strpbrk(href, "\\\t\r\n") == NULL;
}

static bool
given_has(const char **given, const char *name)
{
	for (; *given != NULL; given += 2)
		if (strcmp(*given, name) == 0)
			return true;
	return false;
}

struct property {
	char *name;
	char *value;
};

static char *
trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
		text[--length] = '\0';
	return text;
}

/* Split "style" in place; the later of two with one name counts. */
static size_t
split_style(char *style, struct property list[PROPERTIES_MAX])
{
	size_t count = 0;

	while (*style != '\0') {
		char *property = style;
		char *colon;
		size_t i = 0;

		style += strcspn(style, ";");
		if (*style != '\0')
			*style++ = '\0';
		colon = strchr(property, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		property = trim(property);
		while (i < count && strcmp(list[i].name, property) != 0)
			i++;
		if (i == PROPERTIES_MAX)
			break;
		list[i] = (struct property){property, trim(colon + 1)};
		count += i == count;
	}
	return count;
}

/* A property of a style attribute as a presentation attribute. */
static void
write_property(struct cleaner *cleaner, const char **given,
	const struct property *property)
{
	if (given_has(given, property->name))
		return; /* written as an attribute of its own */
	if (!listed(attributes, property->name) ||
		strcmp(property->name, "class") == 0 ||
		strcmp(property->name, "id") == 0)
		cleaner->dropped++;
	else if (!links_inside(property->value))
		refuse(cleaner, "style points to elsewhere", property->value);
	else
		write_attribute(cleaner->out, property->name, property->value);
}

/* The content security policy forbids style attributes. */
static void
write_style(struct cleaner *cleaner, const char **given, const char *style)
{
	struct property list[PROPERTIES_MAX];
	char copy[STYLE_BYTES_MAX];
	size_t count;

	if (strlen(style) >= sizeof(copy)) {
		refuse(cleaner, "style attribute too long", "");
		return;
	}
	memcpy(copy, style, strlen(style) + 1);
	count = split_style(copy, list);
	for (size_t i = 0; i < count; i++)
		write_property(cleaner, given, &list[i]);
}

static void
check_and_write(struct cleaner *cleaner, const char *element, const char *name,
	const char *value)
{
	bool known =
		listed(attributes, name) ||
		(is_plain_name(name) && (has_prefix(name, "data-fg-") ||
						has_prefix(name, "aria-")));

	if (has_prefix(name, "on"))
		refuse(cleaner, "event handlers are not allowed", name);
	else if (strcmp(name, "href") == 0 && !href_is_local(element, value))
		refuse(cleaner, "link to elsewhere", value);
	else if (strcmp(name, "id") == 0 && has_prefix(value, "fg-"))
		refuse(cleaner, "ids that begin with fg- are the page's",
			value);
	else if (known && !has_prefix(name, "data-fg-") && !links_inside(value))
		refuse(cleaner, "attribute points to elsewhere", value);
	else if (known || strcmp(name, "href") == 0)
		write_attribute(cleaner->out, name, value);
	else
		cleaner->dropped++;
}

/* Attributes without a namespace and xlink:href; the rest is left out. */
static void
write_attributes(
	struct cleaner *cleaner, const char *element, const char **given)
{
	for (const char **pair = given; *pair != NULL; pair += 2) {
		const char *name = pair[0];

		if (strcmp(name, XLINK_SPACE "|href") == 0) {
			if (given_has(given, "href"))
				continue;
			name = "href";
		}
		if (strcmp(name, "style") == 0)
			write_style(cleaner, given, pair[1]);
		else if (strchr(name, SPACE_END) == NULL)
			check_and_write(cleaner, element, name, pair[1]);
		else if (!has_prefix(name, XML_SPACE))
			cleaner->dropped++;
	}
}

/* --- elements ---------------------------------------------------------- */

/* The name without its namespace; NULL for what is not SVG. */
static const char *
svg_name(const char *name)
{
	size_t length = strlen(SVG_SPACE);

	if (strncmp(name, SVG_SPACE, length) != 0 || name[length] != SPACE_END)
		return NULL;
	return name + length + 1;
}

static void
start_element(void *context, const char *full_name, const char **given)
{
	struct cleaner *cleaner = context;
	const char *name = svg_name(full_name);

	cleaner->depth++;
	if (cleaner->rc != RC_OK || cleaner->skip_depth > 0)
		return;
	if (cleaner->depth == 1 && (name == NULL || strcmp(name, "svg") != 0)) {
		refuse(cleaner, "not an SVG document", full_name);
		return;
	}
	if (name == NULL || listed(left_out, name)) {
		cleaner->skip_depth = cleaner->depth;
		cleaner->dropped++;
		return;
	}
	if (!listed(elements, name)) {
		refuse(cleaner, "element is not allowed", name);
		return;
	}
	if (cleaner->text_depth > 0) {
		refuse(cleaner, "only text is allowed in title and desc", name);
		return;
	}
	if (cleaner->depth > DEPTH_MAX || ++cleaner->elements > ELEMENTS_MAX) {
		refuse(cleaner, "too many or too deep elements", name);
		return;
	}
	if (strcmp(name, "title") == 0 || strcmp(name, "desc") == 0)
		cleaner->text_depth = cleaner->depth;
	buf_printf(cleaner->out, "<%s", name);
	if (cleaner->depth == 1)
		write_attribute(cleaner->out, "xmlns", SVG_SPACE);
	write_attributes(cleaner, name, given);
	buf_char(cleaner->out, '>');
}

static void
end_element(void *context, const char *full_name)
{
	struct cleaner *cleaner = context;
	const char *name = svg_name(full_name);

	if (cleaner->rc == RC_OK && cleaner->skip_depth == 0 && name != NULL)
		buf_printf(cleaner->out, "</%s>", name);
	if (cleaner->skip_depth == cleaner->depth)
		cleaner->skip_depth = 0;
	if (cleaner->text_depth == cleaner->depth)
		cleaner->text_depth = 0;
	cleaner->depth--;
}

static void
character_data(void *context, const char *text, int length)
{
	struct cleaner *cleaner = context;

	if (cleaner->rc == RC_OK && cleaner->skip_depth == 0 &&
		cleaner->depth > 0)
		write_text(cleaner->out, text, (size_t)length);
}

/* Entities of a document type could grow without end or read files. */
static void
start_doctype(void *context, const char *name, const char *system_id,
	const char *public_id, int has_internal_subset)
{
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	refuse(context, "a document type is not allowed", name);
}

/* --- document ---------------------------------------------------------- */

enum rc
screen_clean(const char *svg, size_t length, struct buf *out, size_t *dropped,
	struct fault *fault)
{
	struct cleaner cleaner = {.out = out, .fault = fault, .rc = RC_OK};

	if (length > SCREEN_BYTES_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A screen may have %zu bytes.", SCREEN_BYTES_MAX);
	cleaner.parser = XML_ParserCreateNS("UTF-8", SPACE_END);
	if (cleaner.parser == NULL)
		return fault_set(fault, RC_BUG, "no XML parser");
	XML_SetUserData(cleaner.parser, &cleaner);
	XML_SetElementHandler(cleaner.parser, start_element, end_element);
	XML_SetCharacterDataHandler(cleaner.parser, character_data);
	XML_SetStartDoctypeDeclHandler(cleaner.parser, start_doctype);
	if (XML_Parse(cleaner.parser, svg, (int)length, XML_TRUE) !=
		XML_STATUS_OK)
		refuse(&cleaner, "not well-formed",
			XML_ErrorString(XML_GetErrorCode(cleaner.parser)));
	XML_ParserFree(cleaner.parser);
	if (cleaner.rc == RC_OK && out->overflow)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"The screen is too large.");
	if (cleaner.rc == RC_OK && dropped != NULL)
		*dropped = cleaner.dropped;
	return cleaner.rc;
}
