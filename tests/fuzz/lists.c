/* What archives list: playlists, XML, index pages, WebDAV, LIST, ListObjectsV2. */
#include "fuzz.h"

#include "../../src/video/archive/listing.h"
#include "../../src/video/archive/playlist.h"
#include "../../src/video/archive/xml.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_US_SECONDS = 3600 };

static struct okno_zone *zone_of_fuzz(void)
{
    static struct okno_zone *zone;
    if (!zone)
        FUZZ_HOLDS(okno_zone_open("Europe/Berlin", &zone, NULL) == 0);
    return zone;
}

void fuzz_playlist(const uint8_t *data, size_t size)
{
    PLAYLIST_AUTO list = {0};
    struct okno_err err = {0};
    int rc = playlist_parse((const char *)data, size, zone_of_fuzz(), &list, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(rc == 0 || list.segments.len == 0);
    for (size_t i = 0; i < list.segments.len; i++) {
        const struct playlist_segment *s = &list.segments.items[i];
        FUZZ_HOLDS(s->length_us >= 0 && s->length_us <= MOST_US_SECONDS * OKNO_SECOND_US);
        FUZZ_HOLDS(s->map < (int)list.maps.len);
        FUZZ_HOLDS(s->part.offset >= 0 && s->part.len != 0 && s->error_us >= 0);
        FUZZ_HOLDS(s->part.uri >= list.text && s->part.uri < list.text + size + 1);
    }
}

static void check_listing(int rc, const struct okno_err *err, struct listing *listing)
{
    FUZZ_HOLDS((rc < 0) == (err->code != 0));
    for (size_t i = 0; i < listing->files.len; i++) {
        const struct listing_file *file = &listing->files.items[i];
        FUZZ_HOLDS(file->name[0] && !strchr(file->name, '/') && strlen(file->name) <= 255);
        FUZZ_HOLDS(file->size >= -1);
    }
    listing_free(listing);
}

void fuzz_listing(const uint8_t *data, size_t size)
{
    const int64_t now_us = INT64_C(1773151400000000);
    const char *text = (const char *)data;
    char more[1024] = "";
    struct okno_err err = {0};
    struct listing listing = {0};
    int rc = listing_parse(text, size, "fuzz", &listing, &err);
    check_listing(rc, &err, &listing);
    listing = (struct listing){0};
    err = (struct okno_err){0};
    rc = listing_parse_html(text, size, "fuzz", now_us, &listing, &err);
    check_listing(rc, &err, &listing);
    listing = (struct listing){0};
    err = (struct okno_err){0};
    rc = listing_parse_dav(text, size, "fuzz", &listing, &err);
    check_listing(rc, &err, &listing);
    listing = (struct listing){0};
    err = (struct okno_err){0};
    rc = listing_parse_ls(text, size, "fuzz", now_us, &listing, &err);
    check_listing(rc, &err, &listing);
    listing = (struct listing){.now_us = now_us};
    err = (struct okno_err){0};
    rc = listing_parse_s3(text, size, "fuzz", "a/", &listing, more, &err);
    check_listing(rc, &err, &listing);
}

void fuzz_xml(const uint8_t *data, size_t size)
{
    struct xml *xml = malloc(sizeof(*xml));
    enum xml_kind kind = XML_BROKEN;
    char value[200];
    int depth = 0;
    FUZZ_HOLDS(xml != NULL);
    xml_begin(xml, (const char *)data, size);
    while ((kind = xml_next(xml)) != XML_END && kind != XML_BROKEN) {
        depth += kind == XML_OPEN ? 1 : -1;
        FUZZ_HOLDS(xml->depth == depth && depth >= 0 && depth <= XML_DEPTH);
        if (kind == XML_OPEN)
            (void)xml_attribute(xml, "name", value, sizeof(value));
    }
    FUZZ_HOLDS(kind == XML_BROKEN || depth == 0);
    free(xml);
}
