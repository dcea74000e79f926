/*
 * place: where an agent runs, so that the hub can tell a copy of it from the
 * same one after a restart.
 */
#ifndef FG_AGENTS_PLACE_H
#define FG_AGENTS_PLACE_H

#define PLACE_BYTES 96

/* This start of this machine, and the folder itself, whatever it is called:
 * the same for every process that uses it, another one for every copy. */
void place_of(const char *folder, char place[PLACE_BYTES]);

#endif
