/* Times as people of a place read them. */
#ifndef OKNO_CLI_LOCAL_TIME_H
#define OKNO_CLI_LOCAL_TIME_H

enum { CLI_LOCAL_TIME_TEXT = 64 };

/* A time of a JSON answer (ISO 8601) by a zone's clocks: `2026-03-01 00:00:00 +03:00`; as it is
 * where either cannot be read. Returns ret_text. */
const char *cli_local_time(const char *iso, const char *zone, char ret_text[CLI_LOCAL_TIME_TEXT]);

#endif
