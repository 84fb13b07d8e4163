/* What the kinds written in C for recorders with an HTTP interface share: a connection, the zone of
 * the recorder's times, requests that are answered in JSON or by a download. Private to
 * video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_REACH_H
#define OKNO_VIDEO_ARCHIVE_REACH_H

#include "okno/archive.h"
#include "okno/json.h"
#include "okno/net.h"
#include "okno/zone.h"

struct reach {
    struct okno_net *net;                    /* owned */
    struct okno_zone *zone;                  /* owned; archives.csv's time_zone */
    char *url, *user, *password, *spool_dir; /* owned; the url without a slash at its end */
    int64_t deadline_us;                     /* of one request */
    const struct okno_budget *budget;        /* of the handle */
};

/* OKNO_INVALID names the field. `base` as of options_open_net: what signs keeps the login to
 * itself. `reach` is zeroed before; closed by the caller also when this fails. */
OKNO_CHECK int reach_open(struct reach *reach, const struct okno_archive_config *config,
                          struct okno_budget *budget, const struct okno_net_config *base,
                          struct okno_err *err);
void reach_close(struct reach *reach);

/* The `sign` of a kind whose login travels in bodies or URLs: no Basic beside it. */
int reach_sign_nothing(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                       struct okno_err *err);

/* For what a recorder must be told also when the work was stopped or its time is over: `own` lets
 * the requests that follow take `for_us` of their own, uncancelled, until the budget that is
 * returned is given back with okno_net_set_budget. */
struct okno_budget *reach_apart(struct reach *reach, struct okno_budget *own, int64_t for_us);

/* One of two words of the options; *ret_second is true for the second. Without one: the first. */
OKNO_CHECK int reach_choose(const char *options, const char *name, const char *first,
                            const char *second, bool *ret_second, struct okno_err *err);

/* Ask; the answer as JSON, at most some MiB and half a million values. OKNO_PROTOCOL when it is
 * none. The caller drops *ret_json. */
OKNO_CHECK int reach_json(struct reach *reach, const struct okno_net_ask *ask, json_t **ret_json,
                          struct okno_err *err);
/* The same from text. Pure. */
OKNO_CHECK int reach_json_read(const char *text, size_t len, json_t **ret_json,
                               struct okno_err *err);

/* Ask for a recording that comes in one go, as a source. OKNO_GONE for a 404, or for nothing;
 * OKNO_PROTOCOL for text, XML or JSON. */
OKNO_CHECK int reach_fetch(struct reach *reach, const struct okno_net_ask *ask, const char *name,
                           struct okno_source **ret_source, struct okno_err *err);

/* "2026-03-10 14:03:20" of a zone: the instants that it may mean, as okno_zone_to_utc. A time with
 * an offset of its own has one. OKNO_PROTOCOL. */
OKNO_CHECK int reach_time(const struct okno_zone *zone, const char *text, int64_t ret_us[2],
                          int *ret_count, struct okno_err *err);

/* Whole seconds as strftime spells them; `up` to the next one when there is a rest. */
void reach_format(const char *format, const struct okno_zone *zone, int64_t us, bool up,
                  char ret_text[80]);

/* Local seconds that hold every meaning of an instant's neighbourhood: an hour that happens twice
 * is asked for as a whole. `up`: of an end. */
void reach_wide(const struct okno_zone *zone, int64_t us, bool up, struct okno_civil *ret_civil);

/* A look at a clock that tells whole seconds: it was `told_us` at some moment of the exchange. */
struct okno_archive_clock reach_clock(int64_t told_us, int64_t begun_us, const char *method);

#endif
