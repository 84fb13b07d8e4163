/* The archive kinds; each is one struct of callbacks. Private to video/archive.
 * X(name of the struct, word): a new kind has its row here and its file beside this one. */
#ifndef OKNO_VIDEO_ARCHIVE_KINDS_H
#define OKNO_VIDEO_ARCHIVE_KINDS_H

#include "okno/archive.h"

/* dir: files with the time in their names; hls: segments of playlists that tell the time;
 * hikvision: ISAPI; zoneminder, shinobi: their APIs; dahua: its CGI; onvif, rtsp: replays; axxon,
 * trassir: exports. */
#define ARCHIVE_KINDS(X)                                                                           \
    X(archive_dir, "dir")                                                                          \
    X(archive_hls, "hls")                                                                          \
    X(archive_axxon, "axxon")                                                                      \
    X(archive_dahua, "dahua")                                                                      \
    X(archive_hikvision, "hikvision")                                                              \
    X(archive_onvif, "onvif")                                                                      \
    X(archive_rtsp, "rtsp")                                                                        \
    X(archive_shinobi, "shinobi")                                                                  \
    X(archive_trassir, "trassir") X(archive_zoneminder, "zoneminder") ARCHIVE_RECORDERS(X)

/* Described by data: conf/archives/WORD.json, and "profile" by a file of the user's own. */
#define ARCHIVE_RECORDERS(X)                                                                       \
    X(archive_axis, "axis")                                                                        \
    X(archive_flussonic, "flussonic")                                                              \
    X(archive_frigate, "frigate")                                                                  \
    X(archive_macroscop, "macroscop")                                                              \
    X(archive_mediamtx, "mediamtx")                                                                \
    X(archive_moonfire, "moonfire")                                                                \
    X(archive_nx, "nx")                                                                            \
    X(archive_profile, "profile")

#define ARCHIVE_KIND_DECLARE(name, word) extern const struct okno_archive_ops name;
ARCHIVE_KINDS(ARCHIVE_KIND_DECLARE)
#undef ARCHIVE_KIND_DECLARE

#endif
