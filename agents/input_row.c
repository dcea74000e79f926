/* input_row: one row of the variables CSV. */

#include <math.h>
#include <string.h>
#include <strings.h>

#include "agents/input_parts.h"
#include "lib/word.h"

#define UNIT_BYTES_MAX        64
#define DESCRIPTION_BYTES_MAX 1024
#define WHOLE_MAX             9007199254740992.0 /* 2^53: doubles count exactly */

const char *const input_column_names[INPUT_COLUMNS] = {
	[INPUT_NAME] = "name",
	[INPUT_ADDRESS] = "address",
	[INPUT_TYPE] = "type",
	[INPUT_UNIT] = "unit",
	[INPUT_DECIMALS] = "decimals",
	[INPUT_SCALE] = "scale",
	[INPUT_OFFSET] = "offset",
	[INPUT_MINIMUM] = "minimum",
	[INPUT_MAXIMUM] = "maximum",
	[INPUT_DEAD_BAND] = "dead_band",
	[INPUT_ACCESS] = "access",
	[INPUT_STEPPED] = "stepped",
	[INPUT_DESCRIPTION] = "description",
};

static const char *const type_names[] = {
	[VALUE_NONE] = "",
	[VALUE_BOOL] = "bool",
	[VALUE_FLOAT] = "float",
	[VALUE_INT] = "int",
	[VALUE_STRING] = "string",
};

const char *
input_type(const struct input *input)
{
	return type_names[input->kind];
}

const char *
input_cell(const struct input_load *load, enum input_column column)
{
	return csv_table_cell(&load->table, column);
}

enum rc
input_refuse(struct input_load *load, enum input_column column, const char *why)
{
	return csv_table_refuse(&load->table, column, why, load->fault);
}

static enum rc
take_number(struct input_load *load, enum input_column column, double *number)
{
	const char *text = input_cell(load, column);

	if (text[0] == '\0' || word_number(text, number))
		return RC_OK;
	return input_refuse(load, column, "is not a number");
}

static enum rc
take_decimals(struct input_load *load, struct input *input)
{
	double number = input->kind == VALUE_FLOAT ? 2 : 0;
	enum rc rc = take_number(load, INPUT_DECIMALS, &number);

	if (rc != RC_OK)
		return rc;
	if (number < 0 || number > 15 || number != floor(number))
		return input_refuse(load, INPUT_DECIMALS,
			"must be a whole number from 0 to 15");
	input->decimals = (int)number;
	return RC_OK;
}

static enum rc
take_type(struct input_load *load, struct input *input)
{
	for (size_t kind = 1; kind < ARRAY_LENGTH(type_names); kind++)
		if (strcasecmp(input_cell(load, INPUT_TYPE),
			    type_names[kind]) == 0) {
			input->kind = (enum value_kind)kind;
			return RC_OK;
		}
	return input_refuse(
		load, INPUT_TYPE, "must be bool, float, int or string");
}

static enum rc
take_access(struct input_load *load, struct input *input)
{
	static const char *const names[] = {"read", "none", "read_write"};
	const char *text = input_cell(load, INPUT_ACCESS);

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcasecmp(text, names[i]) == 0 ||
			(i == 0 && text[0] == '\0')) {
			input->access = names[i];
			return RC_OK;
		}
	return input_refuse(
		load, INPUT_ACCESS, "must be none, read or read_write");
}

static enum rc
take_stepped(struct input_load *load, struct input *input)
{
	const char *text = input_cell(load, INPUT_STEPPED);

	/* What is not a float does not move between its samples. */
	input->stepped = input->kind != VALUE_FLOAT;
	if (text[0] == '\0' || word_truth(text, &input->stepped))
		return RC_OK;
	return input_refuse(load, INPUT_STEPPED, "must be yes or no");
}

static enum rc
take_scaling(struct input_load *load, struct input *input)
{
	enum rc rc;

	input->scale = 1;
	input->offset = 0;
	rc = take_number(load, INPUT_SCALE, &input->scale);
	if (rc == RC_OK)
		rc = take_number(load, INPUT_OFFSET, &input->offset);
	if (rc != RC_OK)
		return rc;
	if (input->scale == 0)
		return input_refuse(load, INPUT_SCALE, "must not be 0");
	if (input->kind == VALUE_INT && (input->scale != trunc(input->scale) ||
						fabs(input->scale) > WHOLE_MAX))
		return input_refuse(load, INPUT_SCALE,
			"must be a whole number for an int; or make it a "
			"float");
	if (input->kind == VALUE_INT &&
		(input->offset != trunc(input->offset) ||
			fabs(input->offset) > WHOLE_MAX))
		return input_refuse(load, INPUT_OFFSET,
			"must be a whole number for an int; or make it a "
			"float");
	return RC_OK;
}

static enum rc
take_range(struct input_load *load, struct input *input)
{
	enum rc rc;

	input->minimum = input->maximum = input->dead_band = NAN;
	rc = take_number(load, INPUT_MINIMUM, &input->minimum);
	if (rc == RC_OK)
		rc = take_number(load, INPUT_MAXIMUM, &input->maximum);
	if (rc == RC_OK)
		rc = take_number(load, INPUT_DEAD_BAND, &input->dead_band);
	if (rc != RC_OK)
		return rc;
	if (input->maximum <= input->minimum)
		return input_refuse(
			load, INPUT_MAXIMUM, "must be above the minimum");
	if (input->dead_band < 0)
		return input_refuse(
			load, INPUT_DEAD_BAND, "must not be negative");
	return RC_OK;
}

/* Numbers in the row of something that is not a number are a mistake. */
static enum rc
refuse_numeric_cells(struct input_load *load, const struct input *input)
{
	static const enum input_column numeric[] = {
		INPUT_SCALE, INPUT_OFFSET, INPUT_MINIMUM, INPUT_MAXIMUM};

	if (input->kind == VALUE_FLOAT || input->kind == VALUE_INT)
		return RC_OK;
	for (size_t i = 0; i < ARRAY_LENGTH(numeric); i++)
		if (input_cell(load, numeric[i])[0] != '\0')
			return input_refuse(load, numeric[i],
				"a bool or string has none; leave it empty");
	return RC_OK;
}

static enum rc
take_name(struct input_load *load, struct input *input)
{
	const char *name = input_cell(load, INPUT_NAME);
	size_t length = strlen(name);
	bool has_address = input_cell(load, INPUT_ADDRESS)[0] != '\0';
	const struct csv_field *place = csv_table_field(
		&load->table, has_address ? INPUT_ADDRESS : INPUT_NAME);

	if (length == 0 || length > INPUT_NAME_BYTES_MAX)
		return input_refuse(
			load, INPUT_NAME, "must have 1 to 256 bytes");
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return input_refuse(
				load, INPUT_NAME, "holds a control character");
	input->name = arena_strdup(load->arena, name);
	input->address = has_address ? arena_strdup(load->arena,
					       input_cell(load, INPUT_ADDRESS))
				     : input->name;
	input->line = place->line;
	input->column = place->column;
	return RC_OK;
}

enum rc
input_take_row(struct input_load *load, struct input *input)
{
	enum rc rc;

	memset(input, 0, sizeof(*input));
	rc = take_name(load, input);
	if (rc == RC_OK)
		rc = take_type(load, input);
	if (rc == RC_OK)
		rc = refuse_numeric_cells(load, input);
	if (rc == RC_OK)
		rc = take_decimals(load, input);
	if (rc == RC_OK)
		rc = take_scaling(load, input);
	if (rc == RC_OK)
		rc = take_range(load, input);
	if (rc == RC_OK)
		rc = take_access(load, input);
	if (rc == RC_OK)
		rc = take_stepped(load, input);
	if (rc == RC_OK &&
		strlen(input_cell(load, INPUT_UNIT)) > UNIT_BYTES_MAX)
		rc = input_refuse(load, INPUT_UNIT, "has more than 64 bytes");
	if (rc == RC_OK && strlen(input_cell(load, INPUT_DESCRIPTION)) >
				   DESCRIPTION_BYTES_MAX)
		rc = input_refuse(
			load, INPUT_DESCRIPTION, "has more than 1024 bytes");
	input->unit = arena_strdup(load->arena, input_cell(load, INPUT_UNIT));
	input->description =
		arena_strdup(load->arena, input_cell(load, INPUT_DESCRIPTION));
	return rc;
}
