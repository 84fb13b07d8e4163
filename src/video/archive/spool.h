/* Bytes that come once and in order, kept so that they can be read at random: in memory up to some
 * MiB, then in a file without a name. Within the budget of the archive. Private to video/archive.
 */
#ifndef OKNO_VIDEO_ARCHIVE_SPOOL_H
#define OKNO_VIDEO_ARCHIVE_SPOOL_H

#include "okno/archive.h"
#include "okno/net.h"

struct spool;

/* `dir` as of okno_archive_config.spool_dir. */
OKNO_CHECK int spool_new(const char *dir, struct spool **ret_spool, struct okno_err *err);
/* Sources of it keep what they need. NULL allowed. */
void spool_free(struct spool *spool);
OKNO_CLEANUP(spool, spool_free);

/* OKNO_NO_SPACE, OKNO_IO; OKNO_TOO_LARGE past what may lie in memory when there is no folder. */
OKNO_CHECK int spool_add(struct spool *spool, const void *bytes, size_t len, struct okno_err *err);
int64_t spool_size(const struct spool *spool);

/* Append all that a stream brings, each part within deadline_us. *ret_len: how much; may be NULL.
 */
OKNO_CHECK int spool_drain(struct spool *spool, struct okno_net_stream *stream, int64_t deadline_us,
                           int64_t *ret_len, struct okno_err *err);

/* Ask, and append the body. What the reply said through ret_reply, may be NULL. */
OKNO_CHECK int spool_fetch(struct spool *spool, struct okno_net *net,
                           const struct okno_net_ask *ask, int64_t deadline_us,
                           struct okno_net_reply *ret_reply, struct okno_err *err);

/* Read [from, to) of what is there now as a source; `requests` is what it cost. */
OKNO_CHECK int spool_source(struct spool *spool, int64_t from, int64_t to, int64_t requests,
                            struct okno_source **ret_source, struct okno_err *err);

#endif
