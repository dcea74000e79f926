/* utf8: what RFC 3629 allows as text. */
#ifndef FG_LIB_UTF8_H
#define FG_LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed sequence at "text"; 0 when there is none. */
size_t utf8_sequence(const char *text, size_t length);
bool utf8_valid(const char *text, size_t length);
/* Does "text" serve as a name in lists: 1 to "max_bytes" bytes of UTF-8, no
 * control characters, no space at either end? */
bool utf8_is_name(const char *text, size_t max_bytes);

#endif
