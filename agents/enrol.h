/*
 * enrol: "fieldgrid-ingress enrol": this machine becomes a node.
 *
 * Every step leaves its result in a folder beside the one that is made, so
 * that the same command goes on where it was cut off.
 */
#ifndef FG_AGENTS_ENROL_H
#define FG_AGENTS_ENROL_H

/* The words behind "fieldgrid-ingress"; returns the exit code. */
int enrol_main(int argc, char **argv);

#endif
