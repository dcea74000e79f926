/* guard: keep what a process knows inside of it. */
#ifndef FG_LIB_GUARD_H
#define FG_LIB_GUARD_H

/*
 * No other process of the same user may read our memory or trace us, and no
 * core dump is written: there are keys and passwords in it. Root can still
 * attach a debugger. Called first thing in every program.
 */
void guard_process(void);

#endif
