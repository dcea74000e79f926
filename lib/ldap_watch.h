/*
 * ldap_watch: the last guard against a server that falls silent.
 *
 * libldap's own time limits do not hold in every place (in a TLS handshake, in
 * the middle of a message). One thread of the process cuts the connection when
 * an operation has passed its time; the operation then fails by itself. One
 * operation at a time is watched.
 */
#ifndef FG_LIB_LDAP_WATCH_H
#define FG_LIB_LDAP_WATCH_H

#include <stdint.h>

/* From now on the socket, -1 when it is not there yet, is cut after "us". */
void ldap_watch_begin(int socket, int64_t us);
/* The socket of the operation that is being watched; -1 when it closes. */
void ldap_watch_socket(int socket);
void ldap_watch_end(void);

#endif
