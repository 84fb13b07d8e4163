/* What recorders with interfaces of their own answer: ZoneMinder's events, Dahua's recordings,
 * ONVIF's services. */
#include "fuzz.h"

#include "../../src/video/archive/dahua.h"
#include "../../src/video/archive/events.h"
#include "../../src/video/archive/onvif.h"
#include "../../src/video/archive/profile.h"
#include "../../src/video/archive/reach.h"
#include "../../src/video/archive/soap.h"

#include <stdlib.h>
#include <string.h>

static struct okno_zone *zone_of_fuzz(void)
{
    static struct okno_zone *zone;
    if (!zone)
        FUZZ_HOLDS(okno_zone_open("Europe/Berlin", &zone, NULL) == 0);
    return zone;
}

static void zoneminder(const char *text, size_t size)
{
    const int64_t now_us = INT64_C(1773151400000000);
    okno_autojson json_t *answer = NULL;
    OKNO_AUTO_VEC(event_vec) events = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    struct okno_err err = {0};
    bool more = false;
    const struct events_request request = {
        .zone = zone_of_fuzz(), .from_us = INT64_MIN / 4, .to_us = INT64_MAX / 4, .now_us = now_us};
    if (reach_json_read(text, size, &answer, NULL) < 0)
        return;
    int rc = events_read(answer, &events, &more, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(rc == 0 || events.len == 0);
    if (rc < 0)
        return;
    rc = events_pieces(&events, &request, &pieces, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(pieces.len <= 2 * events.len);
    for (size_t i = 0; i < pieces.len; i++) {
        FUZZ_HOLDS(pieces.items[i].from_us < pieces.items[i].to_us);
        FUZZ_HOLDS(i == 0 || pieces.items[i - 1].from_us <= pieces.items[i].from_us);
        FUZZ_HOLDS(strncmp(pieces.items[i].name, "event ", 6) == 0 && pieces.items[i].error_us > 0);
    }
}

static void dahua(const uint8_t *data, size_t size)
{
    okno_autofree char *text = fuzz_text(data, size);
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    struct okno_err err = {0};
    struct okno_civil c = {0};
    int found = -1;
    int rc = dahua_read_found(text, zone_of_fuzz(), &spans, &found, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(rc < 0 || (found >= 0 && spans.len <= (size_t)found));
    for (size_t i = 0; i < spans.len; i++)
        FUZZ_HOLDS(spans.items[i].from_us < spans.items[i].to_us);
    if (dahua_read_date(data, size, &c))
        FUZZ_HOLDS(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.hour < 24 && c.second < 60);
}

static void onvif_events(const char *text, size_t size, const struct onvif_recording *recording)
{
    const int64_t from_us = INT64_C(1773151400000000);
    const int64_t to_us = from_us + INT64_C(3600000000);
    OKNO_AUTO_VEC(onvif_event_vec) events = {0};
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    struct okno_err err = {0};
    bool done = false;
    int rc = onvif_read_events(text, size, recording->track, &events, &done, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    if (rc < 0)
        return;
    rc = onvif_spans(&events, recording, from_us, to_us, to_us, &spans, NULL);
    FUZZ_HOLDS(rc == 0);
    for (size_t i = 0; i < spans.len; i++) {
        FUZZ_HOLDS(spans.items[i].from_us < spans.items[i].to_us);
        FUZZ_HOLDS(spans.items[i].from_us >= from_us && spans.items[i].to_us <= to_us);
        FUZZ_HOLDS(i == 0 || spans.items[i - 1].to_us <= spans.items[i].from_us);
    }
}

static void onvif(const char *text, size_t size)
{
    struct onvif_services services = {0};
    struct onvif_recording recording = {0};
    char names[ONVIF_NAMES] = "";
    char uri[ONVIF_URL] = "", url[ONVIF_URL] = "";
    bool done = false;
    (void)!onvif_read_services(text, size, &services, NULL);
    (void)!onvif_read_recording(text, size, &recording, NULL);
    (void)!onvif_read_names(text, size, names, &done, NULL);
    FUZZ_HOLDS(strlen(names) < sizeof(names));
    if (onvif_read_text(text, size, "Uri", uri, sizeof(uri), NULL) == 0 &&
        onvif_at_home("http://nvr", uri, "rtsp", "", url, sizeof(url), NULL) == 0)
        FUZZ_HOLDS(strncmp(url, "rtsp://nvr", 10) == 0 && strchr(":/?", url[10]));
    FUZZ_HOLDS(soap_fault(text, size, NULL) <= 0);
    onvif_events(text, size, &recording);
}

/* An address that is made of a row holds nothing but what addresses are made of. */
static void row_address(const struct profile *profile, const struct profile_values *all,
                        const struct profile_row *row)
{
    struct profile_values values = *all;
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(4096);
    values.row = row->row;
    values.row_us = row->span.from_us;
    if (profile_expand(profile, profile->clip, &values, PROFILE_PATH, &path, NULL) < 0)
        return;
    for (size_t i = 0; i < path.len; i++)
        FUZZ_HOLDS((unsigned char)path.data[i] > ' ' && (unsigned char)path.data[i] < 0x7f &&
                   path.data[i] != '#');
}

static void rows(const char *text, size_t size)
{
    static const struct profile profiles[] = {
        {.answer = "xml",
         .rows = "root.recordings.recording",
         .row_channel = "source",
         .from = "starttime",
         .to = "stoptime",
         .row_times = {"rfc3339"},
         .times = {"rfc3339"},
         .length = "s",
         .clip = "/x?id={row.recordingid}&d={row.diskid}&f={from}"},
        {.rows = "recordings",
         .from = "startTime90k",
         .to = "endTime90k",
         .row_times = {"unix_90k"},
         .times = {"unix_90k"},
         .length = "90k",
         .clip = "/v?s={row.startId}-{row.endId|startId}.{skip}-{until}"},
        {.rows = "0.ranges",
         .from = "from",
         .row_length = "duration",
         .row_times = {"unix_s"},
         .times = {"unix_s"},
         .length = "s",
         .clip = "/a-{from}-{length}"}};
    const struct profile_values values = {.channel = "1",
                                          .user = "",
                                          .password = "",
                                          .zone = zone_of_fuzz(),
                                          .from_us = INT64_C(1773151400000000),
                                          .to_us = INT64_C(1773237800000000)};
    for (size_t i = 0; i < OKNO_COUNT(profiles); i++) {
        struct okno_err err = {0};
        okno_autojson json_t *root = NULL;
        OKNO_AUTO_VEC(profile_row_vec) found = {0};
        OKNO_AUTO_VEC(okno_span_vec) spans = {0};
        int rc = profile_rows(&profiles[i], text, size, &values, &root, &found, &err);
        FUZZ_HOLDS((rc < 0) == (err.code != 0));
        FUZZ_HOLDS(rc == 0 || found.len == 0);
        for (size_t k = 0; k < found.len; k++)
            row_address(&profiles[i], &values, &found.items[k]);
        (void)!profile_spans(&profiles[i], text, size, &values, &spans, NULL);
        for (size_t k = 0; k < spans.len; k++) {
            FUZZ_HOLDS(spans.items[k].from_us < spans.items[k].to_us);
            FUZZ_HOLDS(spans.items[k].from_us >= values.from_us);
            FUZZ_HOLDS(k == 0 || spans.items[k - 1].to_us < spans.items[k].from_us);
        }
    }
}

void fuzz_recorders(const uint8_t *data, size_t size)
{
    zoneminder((const char *)data, size);
    dahua(data, size);
    rows((const char *)data, size);
    onvif((const char *)data, size);
}
