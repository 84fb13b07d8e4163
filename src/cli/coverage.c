/* okno coverage: when a camera recorded. */
#include "moment.h"
#include "options.h"

#include "okno/json.h"
#include "okno/time.h"

static json_t *flags_json(unsigned flags)
{
    json_t *array = json_array();
    if (flags & OKNO_SPAN_GROWING)
        json_array_append_new(array, json_string("growing"));
    if (flags & OKNO_SPAN_AMBIGUOUS)
        json_array_append_new(array, json_string("ambiguous"));
    return array;
}

static int print_span(const struct moment *m, const struct okno_extract_span *span,
                      struct okno_err *err)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    int64_t error_ms = span->error_us / OKNO_MS_US;
    if (!m->json) {
        printf("%s..%s +-%lld ms%s%s\n", okno_time_format(span->from_us, from),
               okno_time_format(span->to_us, to), (long long)error_ms,
               span->flags & OKNO_SPAN_GROWING ? " growing" : "",
               span->flags & OKNO_SPAN_AMBIGUOUS ? " ambiguous" : "");
        return 0;
    }
    okno_autojson json_t *json =
        json_pack("{s:s, s:o, s:o, s:I, s:o, s:I, s:I}", "camera", m->camera, "from",
                  okno_json_time(span->from_us), "to", okno_json_time(span->to_us), "error_ms",
                  (json_int_t)error_ms, "flags", flags_json(span->flags), "offset_ms",
                  (json_int_t)(m->found.offset.offset_us / OKNO_MS_US), "uncertainty_ms",
                  (json_int_t)(m->found.offset.uncertainty_us / OKNO_MS_US));
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
    return okno_json_print(json, stdout, err);
}

static void tell_nothing(const struct moment *m)
{
    struct okno_err why = {0};
    (void)okno_fail(&why, OKNO_NO_COVERAGE, "nothing is recorded in that time");
    (void)moment_explain(m, &why);
    (void)fprintf(stderr, "okno coverage: %s\n", why.text);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    MOMENT_AUTO m = {.from_us = -1, .to_us = -1};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--camera", .text = &m.camera},
        {.name = "--from", .time_us = &m.from_us}, {.name = "--to", .time_us = &m.to_us},
        {.name = "--camera-clock", .flag = &m.camera_clock}, {.name = "--json", .flag = &m.json});
    if (rc == 0 && (rest > 0 || !m.camera || m.from_us < 0 || m.to_us <= m.from_us))
        rc = okno_fail(err, OKNO_USAGE, "give --camera ID --from TIME --to TIME, the later last");
    if (rc == 0)
        rc = moment_open(cli, &m, err);
    if (rc == 0)
        rc = okno_extract_spans(&m.view, m.from_us, m.to_us, &spans, err);
    for (size_t i = 0; rc == 0 && i < spans.len; i++)
        rc = print_span(&m, &spans.items[i], err);
    if (rc == 0 && spans.len == 0 && !m.json)
        tell_nothing(&m);
    return rc;
}

const struct cli_command cli_coverage = {
    .name = "coverage",
    .media = true,
    .summary = "list when a camera recorded",
    .help =
        "usage: okno coverage --camera ID --from TIME --to TIME [--camera-clock] [--json]\n"
        "\n"
        "Prints the recorded spans in UTC, corrected by the camera's measured clock, with how\n"
        "far their ends may be off; `growing` is still being recorded, `ambiguous` lies in the\n"
        "doubled hour of autumn. --json: one object a line. Exit 0 also when there is none.\n"
        "\n"
        "example: okno coverage --camera till-1 --from 2026-03-10T00:00:00Z \\\n"
        "             --to 2026-03-11T00:00:00Z\n",
    .run = run,
};
