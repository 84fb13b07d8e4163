/* scene: an animated shop with known truth, filmed by two cameras of a recorder, for the demo and
 * the tests.
 *
 *     build/tools/scene [--minutes 30] [--seed 1] [--fps 10] [--size 640x360] [--url URL] OUT
 *
 * --help lists the rest; --no-video writes the story without filming it.
 *
 * OUT/archive: what the recorder kept, CHANNEL/%Y-%m-%d/%H-%M-%S.mp4; names and burned-in clock on
 * the camera's own clock in Europe/Moscow, files cut on its whole minute. cam1 sees till-1, lost
 * some minutes in the middle (no files, the one before ends early), and has its index in front;
 * cam2 sees till-2, runs 7.4 s ahead, and has its index at the end.
 *
 * OUT/import: CSV files for `okno import`, one per kind. archives.csv holds --url (default the word
 * "@URL@", to be replaced by where OUT/archive is served).
 *
 * OUT/truth.csv: every survey as it really was, in true UTC. reason is empty for a valid one;
 * in_hole says that it opened while its camera recorded nothing; late_at is an answer after the
 * window. OUT/truth.json: fps, offsets of the clocks, the hole, the length, answers outside
 * surveys.
 *
 * The film begins at 2026-03-10T07:00:00Z. The lowest rows of every picture carry the frame's true
 * time as blocks (tools/strip reads them): for each frame, time in the file's name plus its
 * timestamp minus the camera's offset equals the strip, exactly. The same options make the same
 * bytes. */
#define _POSIX_C_SOURCE 200809L
#include "record.h"
#include "write.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <getopt.h>
#include <libavutil/log.h>
#include <string.h>
#include <sys/wait.h>

struct options {
    int minutes;
    uint64_t seed;
    struct scene_film film;
    const char *url, *out;
    bool no_video;
};

static const char usage[] =
    "usage: scene [--minutes N] [--seed N] [--fps N] [--size WxH] [--url URL] [--b-frames N]\n"
    "             [--no-video] OUT\n"
    "Draw the animated shop and record it into the folder OUT, with import files and truth.\n"
    "  --minutes N   length, 1..1440 (30)\n"
    "  --seed N      another story (1)\n"
    "  --fps N       frames a second: 1 2 4 5 8 10 20 25 40 or 50 (10)\n"
    "  --size WxH    16:9, width a multiple of 160 from 640 to 1920 (640x360)\n"
    "  --url URL     address of the archive in import/archives.csv (@URL@)\n"
    "  --b-frames N  reorder frames, 0..3 (0)\n"
    "  --no-video    only the import files and the truth\n"
    "Example: build/tools/scene --minutes 2 /tmp/shop\n";

/* A whole number of [low, high]; wrong ones end in a message and OKNO_USAGE. */
static int number(const char *name, const char *text, int64_t low, int64_t high, int64_t *ret,
                  struct okno_err *err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return okno_fail(err, OKNO_USAGE, "--%s %s: a whole number from %lld to %lld is allowed",
                         name, text, (long long)low, (long long)high);
    *ret = value;
    return 0;
}

static int size_read(const char *text, struct scene_film *film, struct okno_err *err)
{
    for (int w = 640; w <= 1920; w += 160) {
        char allowed[32];
        (void)snprintf(allowed, sizeof(allowed), "%dx%d", w, w / 16 * 9);
        if (strcmp(text, allowed) == 0) {
            film->width = w;
            film->height = w / 16 * 9;
            return 0;
        }
    }
    return okno_fail(err, OKNO_USAGE,
                     "--size %s: 640x360, 800x450 and so on by 160 up to 1920x1080 are allowed",
                     text);
}

enum {
    OPT_MINUTES = 1,
    OPT_SEED,
    OPT_FPS,
    OPT_SIZE,
    OPT_URL,
    OPT_B_FRAMES,
    OPT_NO_VIDEO,
    OPT_HELP
};
static const struct option longs[] = {{"minutes", required_argument, NULL, OPT_MINUTES},
                                      {"seed", required_argument, NULL, OPT_SEED},
                                      {"fps", required_argument, NULL, OPT_FPS},
                                      {"size", required_argument, NULL, OPT_SIZE},
                                      {"url", required_argument, NULL, OPT_URL},
                                      {"b-frames", required_argument, NULL, OPT_B_FRAMES},
                                      {"no-video", no_argument, NULL, OPT_NO_VIDEO},
                                      {"help", no_argument, NULL, OPT_HELP},
                                      {0}};

static int option_read(int option, const char *value, struct options *o, struct okno_err *err)
{
    int64_t n = 0;
    int e = 0;
    switch (option) {
    case OPT_MINUTES:
        e = number("minutes", value, 1, 1440, &n, err);
        o->minutes = (int)n;
        return e;
    case OPT_SEED:
        e = number("seed", value, 0, INT64_MAX / 4, &n, err);
        o->seed = (uint64_t)n;
        return e;
    case OPT_FPS:
        e = number("fps", value, 1, 50, &n, err);
        if (e == 0 && (n < 1 || 1000 % n))
            e = okno_fail(err, OKNO_USAGE, "--fps %s: 1 2 4 5 8 10 20 25 40 or 50 is allowed",
                          value);
        o->film.fps = (int)n;
        return e;
    case OPT_SIZE:
        return size_read(value, &o->film, err);
    case OPT_URL:
        o->url = value;
        return strpbrk(value, ",\"\r\n")
                   ? okno_fail(err, OKNO_USAGE, "--url: commas, quotes and line ends not allowed")
                   : 0;
    case OPT_B_FRAMES:
        e = number("b-frames", value, 0, 3, &n, err);
        o->film.b_frames = (int)n;
        return e;
    case OPT_NO_VIDEO:
        o->no_video = true;
        return 0;
    default:
        return okno_fail(err, OKNO_USAGE, "option not known; see --help");
    }
}

/* One process per camera; the parent waits for all. */
static int film_all(const struct scene_plan *plan, const struct options *o, struct okno_err *err)
{
    pid_t children[SCENE_POINTS];
    int e = 0;
    for (int i = 0; i < SCENE_POINTS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct okno_err own = {0};
            if (scene_film_camera(plan, &o->film, &scene_cameras[i], o->out, &own) < 0)
                (void)fprintf(stderr, "scene: %s: %s\n", scene_cameras[i].channel, own.text);
            _exit(own.code ? 1 : 0);
        }
        if (children[i] < 0)
            e = okno_fail_errno(err, errno, "cannot start the camera %s", scene_cameras[i].channel);
    }
    for (int i = 0; i < SCENE_POINTS; i++) {
        int status = 0;
        if (children[i] > 0 && (waitpid(children[i], &status, 0) < 0 || status != 0))
            e = okno_fail(err, OKNO_FAILED, "the camera %s stopped", scene_cameras[i].channel);
    }
    return e;
}

static int run(const struct options *o, struct okno_err *err)
{
    struct scene_plan plan = {0};
    struct scene_event_vec events = {0};
    int e = scene_plan_make(o->minutes, o->seed, &plan, err);
    if (e == 0)
        e = scene_events_make(&plan, &events, err);
    if (e == 0)
        e = scene_write_import(&plan, &events, o->url, o->out, err);
    if (e == 0)
        e = scene_write_truth(&plan, &events, o->film.fps, o->seed, o->out, err);
    if (e == 0 && !o->no_video)
        e = film_all(&plan, o, err);
    scene_event_vec_free(&events);
    scene_plan_free(&plan);
    return e;
}

int main(int argc, char **argv)
{
    struct options o = {
        .minutes = 30, .seed = 1, .film = {10, 640, 360, 0, "ultrafast", 23}, .url = "@URL@"};
    struct okno_err err = {0};
    opterr = 0;
    av_log_set_level(AV_LOG_ERROR);
    for (int option; !err.code && (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (option == OPT_HELP)
            return fputs(usage, stdout) < 0;
        (void)option_read(option, optarg, &o, &err);
    }
    if (!err.code && optind + 1 != argc)
        (void)okno_fail(&err, OKNO_USAGE, "give one output folder; see --help");
    if (!err.code) {
        o.out = argv[optind];
        (void)run(&o, &err);
    }
    if (!err.code)
        return 0;
    (void)fprintf(stderr, "scene: %s\n", err.text);
    return okno_code_info(err.code)->exit_code;
}
