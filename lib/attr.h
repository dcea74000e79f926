/* attr: compiler attributes under one set of names. */
#ifndef FG_LIB_ATTR_H
#define FG_LIB_ATTR_H

#define MUST_CHECK         __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define NO_RETURN          __attribute__((noreturn))
#define ARRAY_LENGTH(list) (sizeof(list) / sizeof((list)[0]))

#endif
