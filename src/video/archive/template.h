/* File names with the time in them: which folders can hold an interval, and which instant a name
 * says. Pure. Private to video/archive.
 *
 * A template is a path below the root: {channel}, strftime conversions %Y %y %m %d %j %H %M %S,
 * %s (seconds since 1970, UTC), %f (microseconds, six digits), %z (Z or +hhmm, in place of
 * the archive's zone), {any} (bytes that say nothing, in file names), %% and literal text. */
#ifndef OKNO_VIDEO_ARCHIVE_TEMPLATE_H
#define OKNO_VIDEO_ARCHIVE_TEMPLATE_H

#include "okno/err.h"
#include "okno/mem.h"
#include "okno/vec.h"
#include "okno/zone.h"

#include <stdbool.h>
#include <stdint.h>

struct template; /* opaque */

/* A relative path without empty, "." or ".." parts, backslashes and control bytes. */
bool template_is_safe_path(const char *text);

/* Compile for one channel. OKNO_INVALID names the conversion or the channel at fault: a template
 * must fix a date, stay below the root, and keep %S, %s and %f out of folders. */
OKNO_CHECK int template_compile(const char *text, const char *channel,
                                struct template **ret_template, struct okno_err *err);
/* Whether it can stand for {channel}. */
OKNO_CHECK int template_channel(const char *channel, struct okno_err *err);
void template_free(struct template *template);
OKNO_CLEANUP(template, template_free);

/* What a name says. */
struct template_instant {
    int64_t us[2];    /* ascending; which are set says count */
    int count;        /* 1; 2: that local time happened twice; 0: never (us[0] as if the clocks had
                         not been changed yet) */
    int64_t error_us; /* resolution of the name */
};

/* Read a file's name inside a folder that template_folders gave. 0, or -1 for a name of another
 * form or a date that is none. */
int template_parse(const struct template *template, const struct okno_zone *zone,
                   const char *folder, const char *name, struct template_instant *ret_instant);

/* Folder paths below the root, "" for the root itself; strings owned. */
OKNO_VEC(template_folders, char *);
void template_folders_clear(struct template_folders *folders);
#define TEMPLATE_AUTO_FOLDERS                                                                      \
    __attribute__((cleanup(template_folders_clear))) struct template_folders

/* The folders in which files named after instants of [from, to) lie, in order, each once.
 * OKNO_TOO_LONG past the limit. */
OKNO_CHECK int template_folders_of(const struct template *template, const struct okno_zone *zone,
                                   int64_t from_us, int64_t to_us,
                                   struct template_folders *ret_folders, struct okno_err *err);

/* The beginning of the name that a file of a folder has at an instant, as far as names in the order
 * of their bytes are in the order of their local times; "" when that is no way, or the instant
 * belongs to another folder. */
void template_bound(const struct template *template, const struct okno_zone *zone,
                    const char *folder, int64_t us, char ret_bound[256]);

/* How long one folder lasts: a minute, an hour, a day, 31 days, 366 days; 0 when one folder holds
 * everything. */
int64_t template_folder_us(const struct template *template);

#endif
