/* keeper_keys: the staged life of the keys that sign tokens. */
#ifndef FG_FCGI_KEEPER_KEYS_H
#define FG_FCGI_KEEPER_KEYS_H

#include "fcgi/keeper.h"

/*
 * Do what is due (model/signing_key.h) and record every change of a key in the
 * audit. Without a seal there is nothing to do.
 * Fails: as signing_key_rotate; nothing has changed then.
 */
MUST_CHECK enum rc keeper_keys_rotate(
	struct keeper *keeper, struct fault *fault);

#endif
