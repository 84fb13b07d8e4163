#define _POSIX_C_SOURCE 200809L
/* Drawing the sample of a frozen frame, and what follows from it. */
#include "okno/audit.h"

#include "okno/mem.h"
#include "okno/sampler.h"
#include "room.h"

#include <string.h>

OKNO_VEC(text_vec, char *);

/* The frame in memory, in its order. */
struct frame {
    struct text_vec surveys, strata; /* texts owned */
};

static void texts_free(struct text_vec *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        free(texts->items[i]);
    text_vec_free(texts);
}

static void frame_free(struct frame *frame)
{
    texts_free(&frame->surveys);
    texts_free(&frame->strata);
}

static int push_text(struct text_vec *texts, const char *text, struct okno_err *err)
{
    char *copy = strdup(text);
    if (copy && text_vec_push(texts, copy) == 0)
        return 0;
    free(copy);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
}

static int load_frame(struct okno_db *db, const char *audit, struct frame *frame,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.frame_lines", &rows, err, OKNO_TEXT("audit", audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = push_text(&frame->surveys, okno_stmt_text(rows, "survey"), err);
        if (rc == 0)
            rc = push_text(&frame->strata, okno_stmt_text(rows, "stratum"), err);
    }
    return rc;
}

static int add_jobs(struct okno_db *db, const char *audit, const char *survey, int64_t now_us,
                    struct okno_err *err)
{
    static const char *const kinds[] = {"clip", "still"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(kinds); i++)
        rc = OKNO_DB_RUN(db, "audit.add_job", NULL, err, OKNO_TEXT("kind", kinds[i]),
                         OKNO_TEXT("survey", survey), OKNO_TEXT("audit", audit),
                         OKNO_INT("now", now_us));
    return rc;
}

static int store_draw(struct okno_db *db, const char *audit, const struct frame *frame,
                      const struct okno_draw *draw, int64_t now_us, struct okno_err *err)
{
    const char *survey = frame->surveys.items[draw->index];
    int rc = OKNO_DB_RUN(db, "audit.add_sample", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_INT("rank", (int64_t)draw->rank), OKNO_TEXT("survey", survey),
                         OKNO_TEXT("stratum", frame->strata.items[draw->index]),
                         OKNO_TEXT("ticket", draw->ticket));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.add_item", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("survey", survey), OKNO_INT("place", (int64_t)draw->rank));
    return rc < 0 ? rc : add_jobs(db, audit, survey, now_us, err);
}

static int draw_sample(struct okno_db *db, const struct audit_row *row, int64_t now_us,
                       int64_t *ret_size, struct okno_err *err)
{
    __attribute__((cleanup(frame_free))) struct frame frame = {0};
    OKNO_AUTO_DRAWS draws = {0};
    int rc = load_frame(db, row->audit, &frame, err);
    if (rc < 0)
        return rc;
    size_t size = (size_t)row->size;
    const struct okno_draw_request request = {.seed = row->seed,
                                              .ids = (const char *const *)frame.surveys.items,
                                              .count = frame.surveys.len,
                                              .size = size < frame.surveys.len ? size
                                                                               : frame.surveys.len};
    rc = okno_sampler_draw(&request, &draws, err);
    for (size_t i = 0; rc == 0 && i < draws.len; i++)
        rc = store_draw(db, row->audit, &frame, &draws.items[i], now_us, err);
    if (rc == 0)
        *ret_size = (int64_t)draws.len;
    return rc;
}

static int draw(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                int64_t *ret_size, struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_enter(db, audit, "draw", &row, err);
    if (rc == 0)
        rc = draw_sample(db, &row, now_us, ret_size, err);
    if (rc == 0)
        rc = audit_double(db, &row, 1, err);
    if (rc < 0)
        return rc;
    return audit_done(db, audit, "draw", author, now_us,
                      json_pack("{s:I, s:I, s:i}", "size", (json_int_t)*ret_size, "planned",
                                (json_int_t)row.size, "round", 1),
                      err);
}

int okno_audit_draw(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                    int64_t *ret_size, struct okno_err *err)
{
    int64_t size = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = draw(db, audit, author, now_us, &size, err);
    rc = audit_finish(db, rc, err);
    if (rc == 0)
        *ret_size = size;
    return rc;
}
