/*
 * licence: what the grid's owner has bought.
 *
 * There is no licensing yet: every feature is allowed to everybody. This is
 * the one place that is asked, so that a licence can be refused here later
 * without a change of any caller.
 */
#ifndef FG_MODEL_LICENCE_H
#define FG_MODEL_LICENCE_H

#include <stdbool.h>
#include <stdint.h>

/* May anybody do this (bits of enum policy_action)? Always true. */
bool licence_allows(uint32_t actions);

#endif
