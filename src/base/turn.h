/* Whose turn it is to write. SQLite lets one writer in and has the others try again and again, so a
 * thread that writes often keeps out those that wait. Threads of one process take turns instead, in
 * the order in which they came; other processes wait as SQLite has it. */
#ifndef OKNO_BASE_TURN_H
#define OKNO_BASE_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn;

/* The turns of one database, the same for every handle; NULL without memory. Any thread. */
struct turn *turn_join(const char *database);
/* NULL allowed. */
void turn_leave(struct turn *turn);

/* Wait for it. False when wait_us passed. */
bool turn_take(struct turn *turn, int64_t wait_us);
/* To the one that waits longest. */
void turn_give(struct turn *turn);

#endif
