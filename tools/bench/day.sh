#!/bin/bash
# 30 s out of a day: an MP4 of 24 hours (1,296,000 frames, index in front), from nginx on loopback, beside
# `ffmpeg -ss -t -c copy`. What is measured is the index: pictures are small. "cold": nothing is known of
# the file; "warm": another window of it was cut before.
set -eu
. "$(dirname "$0")/lib"
. "$(dirname "$0")/origin"
dir=$BENCH_DIR/day
hours=${BENCH_QUICK:+2}
hours=${hours:-24}
at=$((hours * 1800 + 3))
name=2026-10-05_00-00-00.mp4
files=$dir/files-$hours

make_file() {
    [ -s "$files/$name" ] && return
    mkdir -p "$files"
    ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=320x240:r=15:d=60 -c:v libx264 -preset ultrafast \
        -x264-params keyint=60:min-keyint=60:scenecut=0 -bf 2 -crf 45 -pix_fmt yuv420p -y "$dir/minute.mp4"
    ffmpeg -nostdin -v error -stream_loop $((hours * 60 - 1)) -i "$dir/minute.mp4" -c copy -movflags +faststart -y "$files/part.mp4"
    mv "$files/part.mp4" "$files/$name"
    touch -d '2026-10-06 00:00:00Z' "$files"/*
}

make_data() {
    rm -rf "$dir/data"
    echo 'correct horse battery' | "$OKNO" --data "$dir/data" init --password-stdin > /dev/null 2>&1
    printf 'site,name,time_zone\ns,Shop,UTC\n' > "$dir/sites.csv"
    printf 'archive,kind,url,files,time_zone\nday,dir,http://127.0.0.1:%s/,%%Y-%%m-%%d_%%H-%%M-%%S.mp4,UTC\n' "$port" > "$dir/archives.csv"
    printf 'camera,site,archive,channel\nday,s,day,day\n' > "$dir/cameras.csv"
    for kind in sites archives cameras; do
        "$OKNO" --data "$dir/data" import $kind "$dir/$kind.csv" > "$dir/import.log" 2>&1 || { cat "$dir/import.log"; return 1; }
    done
}

clock() { date -u -d "@$(($(date -u -d 2026-10-05T00:00:00Z +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }

okno_clip() { # AT
    rm -f "$dir/okno.mp4"
    "$OKNO" --data "$dir/data" clip --camera day --from "$(clock "$1")" --to "$(clock $(($1 + 30)))" --camera-clock -o "$dir/okno.mp4" --json
}

ffmpeg_clip() {
    ffmpeg -nostdin -v error -ss $at -i "http://127.0.0.1:$port/$name" -t 30 -map 0:v -c copy -movflags +faststart -y "$dir/ffmpeg.mp4"
}

make_file
origin_serve "$files"
runs=${EXTRACT_RUNS:-${BENCH_QUICK:+1}}
runs=${runs:-9}
rm -f "$dir"/*.seconds
echo "machine load $(cut -d' ' -f1-3 /proc/loadavg), the middle one of $runs runs"
make_data
for run in $(seq "$runs"); do
    rm -rf "$dir/data/index"
    if [ $((run % 2)) = 0 ]; then seconds ffmpeg_clip >> "$dir/ffmpeg.seconds"; fi
    seconds okno_clip $at >> "$dir/cold.seconds"
    rm -rf "$dir/data/index"
    seconds okno_clip $((at / 2)) > "$dir/other"
    seconds okno_clip $at >> "$dir/warm.seconds"
    if [ $((run % 2)) = 1 ]; then seconds ffmpeg_clip >> "$dir/ffmpeg.seconds"; fi
done
reference=$(middle < "$dir/ffmpeg.seconds")
at_most "clip of a day's MP4, cold" "$(middle < "$dir/cold.seconds")" "$reference" s 0.10
for_information "clip of a day's MP4, warm" "$(middle < "$dir/warm.seconds")" "$reference" s
rm -rf "$dir/data/index"
for when in cold warm; do
    rm -f "$dir/okno.mp4"
    ours=$(peak_mib "$OKNO" --data "$dir/data" clip --camera day --from "$(clock $at)" --to "$(clock $((at + 30)))" --camera-clock -o "$dir/okno.mp4" --json)
    at_most "clip of a day's MP4, $when: memory of its largest process, most allowed" "$ours" 64 MiB 1
done
theirs=$(peak_mib ffmpeg -nostdin -v error -ss $at -i "http://127.0.0.1:$port/$name" -t 30 -map 0:v -c copy -y "$dir/ffmpeg.mp4")
for_information "clip of a day's MP4: memory of its largest process beside ffmpeg's" "$ours" "$theirs" MiB
