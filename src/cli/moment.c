#define _XOPEN_SOURCE 700 /* realpath */
#include "moment.h"

#include "okno/evidence.h"
#include "okno/file.h"
#include "okno/json.h"
#include "okno/sandbox.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int moment_open(struct cli *cli, struct moment *moment, struct okno_err *err)
{
    int64_t length_us = moment->to_us - moment->from_us;
    int rc = okno_work_open(cli->data_dir, cli->conf, &moment->work, err);
    if (rc == 0)
        rc = okno_work_camera_at(moment->work, moment->camera, moment->from_us,
                                 moment->camera_clock, &moment->found, &moment->from_us, err);
    if (rc < 0)
        return rc;
    moment->to_us = moment->from_us + length_us;
    moment->budget = okno_conf_budget(cli->conf, NULL);
    moment->view = (struct okno_extract_camera){.budget = &moment->budget,
                                                .archive = moment->found.archive,
                                                .channel = moment->found.camera.channel,
                                                .index_offset_us = moment->found.offset.offset_us,
                                                .index_dir = okno_work_index_dir(moment->work),
                                                .index_key = okno_work_index_key(moment->work),
                                                .archive_id = moment->found.camera.archive.archive,
                                                .archive_url = moment->found.camera.archive.url};
    return 0;
}

void moment_close(struct moment *moment)
{
    okno_work_close(moment->work);
    moment->work = NULL;
}

int moment_explain(const struct moment *moment, struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char now[OKNO_TIME_TEXT];
    const struct okno_err why = *err;
    int64_t now_us = okno_time_now();
    if (why.code != OKNO_NO_COVERAGE)
        return why.code;
    okno_err_clear(err);
    if (moment->from_us > now_us)
        return okno_fail(err, why.code, "%s: %s is still to come, now is %s", why.text,
                         okno_time_format(moment->from_us, from), okno_time_format(now_us, now));
    return okno_fail(err, why.code, "%s; `okno archive test %s --at %s` lists what there is",
                     why.text, moment->found.camera.archive.archive,
                     okno_time_format(moment->to_us + OKNO_DAY_US / 2, from));
}

static void gaps_text(const struct okno_interval_vec *gaps, char *ret_text, size_t size)
{
    size_t used = (size_t)snprintf(ret_text, size, "[");
    for (size_t i = 0; i < gaps->len && used + 48 < size; i++)
        used +=
            (size_t)snprintf(ret_text + used, size - used, "%s[%lld,%lld]", i ? "," : "",
                             (long long)gaps->items[i].from_us, (long long)gaps->items[i].to_us);
    (void)snprintf(ret_text + used, size - used, "]");
}

/* Hash and size of the file as it lies there, on disk from here on. */
static int look_at(const char *path, struct okno_evidence *e, struct okno_err *err)
{
    struct stat st;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot read %s", path);
    e->bytes = st.st_size;
    return okno_file_settle(fd, e->sha256, err);
}

static void print_text(const char *path, const struct okno_evidence *e, bool still,
                       const struct okno_media_result *media)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    if (still)
        printf("%s: frame of %s, %dx%d, %lld bytes\n", path,
               okno_time_format(media->first_frame_us, from), media->width, media->height,
               (long long)e->bytes);
    else
        printf("%s: %s..%s, %lld frames of %s %dx%d, %lld bytes\n", path,
               okno_time_format(media->got_from_us, from), okno_time_format(media->got_to_us, to),
               (long long)media->frames, media->codec, media->width, media->height,
               (long long)e->bytes);
    for (size_t i = 0; i < media->gaps.len; i++)
        printf("  no picture %s..%s\n", okno_time_format(media->gaps.items[i].from_us, from),
               okno_time_format(media->gaps.items[i].to_us, to));
}

static int print_result(const struct moment *moment, const char *kind,
                        const struct okno_extract_result *result, struct okno_err *err)
{
    const struct okno_media_result *media = &result->media;
    bool still = strcmp(kind, "still") == 0;
    struct okno_evidence e = {.asked_from_us = moment->from_us,
                              .asked_to_us = moment->to_us,
                              .got_from_us = media->got_from_us,
                              .got_to_us = media->got_to_us,
                              .frame_at_us = still ? media->first_frame_us : 0,
                              .index_offset_us = moment->found.offset.offset_us,
                              .uncertainty_us = moment->found.offset.uncertainty_us,
                              .requests = result->requests,
                              .bytes_read = result->bytes_read};
    (void)snprintf(e.kind, sizeof(e.kind), "%s", kind);
    (void)snprintf(e.codec, sizeof(e.codec), "%s", media->codec);
    gaps_text(&media->gaps, e.gaps, sizeof(e.gaps));
    okno_autofree char *path = realpath(moment->out, NULL);
    if (!path)
        return okno_fail_errno(err, errno, "cannot find %s", moment->out);
    int rc = look_at(path, &e, err);
    if (rc < 0)
        return rc;
    if (!moment->json) {
        print_text(path, &e, still, media);
        return 0;
    }
    okno_autojson json_t *json = okno_evidence_json("", &e);
    if (!json || json_object_set_new(json, "path", json_string(path)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
    return okno_json_print(json, stdout, err);
}

int moment_print(const struct moment *moment, const char *kind, struct okno_extract_result *result,
                 struct okno_err *err)
{
    size_t gaps = result->media.gaps.len;
    okno_sandbox_leave();
    int rc = print_result(moment, kind, result, err);
    okno_extract_result_free(result);
    if (rc == 0 && gaps > 0)
        rc = okno_fail(err, OKNO_PARTIAL, "%zu part(s) of the interval have no picture", gaps);
    return rc;
}
