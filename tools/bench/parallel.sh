#!/bin/bash
# Clips of 30 s out of a day's MP4 (24 hours, small pictures) from nginx on loopback, all at different
# moments: one process that stays, as the service's workers do (tools/clips), beside a call of
# `ffmpeg -ss -t -c copy` for each; one after the other, and 8 at once. The index is known ("warm").
set -eu
. "$(dirname "$0")/lib"
. "$(dirname "$0")/origin"
dir=$BENCH_DIR/day
hours=${BENCH_QUICK:+2}
hours=${hours:-24}
count=${BENCH_QUICK:+16}
count=${count:-64}
calls=${BENCH_QUICK:+8}
calls=${calls:-16}
name=2026-10-05_00-00-00.mp4
files=$dir/files-$hours
every=$((hours * 3600 / (count + 2)))
[ -s "$files/$name" ] || BENCH_RUNS=1 "$(dirname "$0")/day.sh" > "$dir.log" # makes the recording

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

clips() { # COUNT THREADS: "seconds of all, seconds of the middle one"
    "$OKNO_BUILD/tools/clips" "$dir/data" day "$(date -u -d 2026-10-05T00:00:10Z +%s)000000" "${every}000000" "$1" "$2" "$dir"
}

one_call() { # NUMBER
    ffmpeg -nostdin -v error -ss $((10 + $1 * every)) -i "http://127.0.0.1:$port/$name" -t 30 -map 0:v -c copy \
        -movflags +faststart -y "$dir/ffmpeg-$1.mp4"
    rm -f "$dir/ffmpeg-$1.mp4"
}
export -f one_call
export every port name dir
calls_at_once() { seq "$calls" | xargs -P "$1" -I{} bash -c 'one_call {}'; }

origin_serve "$files"
make_data
runs=${EXTRACT_RUNS:-${BENCH_QUICK:+1}}
runs=${runs:-9}
clips "$count" 1 > /dev/null
echo "machine load $(cut -d' ' -f1-3 /proc/loadavg), $count clips, $calls calls of ffmpeg, the middle one of $runs runs"
for threads in 1 8; do
    rm -f "$dir"/*.rate "$dir/one"
    for run in $(seq "$runs"); do
        if [ $((run % 2)) = 0 ]; then echo "$calls $(seconds calls_at_once $threads)" >> "$dir/ffmpeg.rate"; fi
        read -r took one <<< "$(clips "$count" $threads)"
        echo "$count $took" >> "$dir/okno.rate"
        echo "$one" >> "$dir/one"
        if [ $((run % 2)) = 1 ]; then echo "$calls $(seconds calls_at_once $threads)" >> "$dir/ffmpeg.rate"; fi
    done
    ours=$(awk '{printf "%.1f\n", $1 / $2}' "$dir/okno.rate" | middle)
    theirs=$(awk '{printf "%.1f\n", $1 / $2}' "$dir/ffmpeg.rate" | middle)
    case $threads in
    1) at_most "a clip of a day's MP4, warm, resident: milliseconds against 5" "$(middle < "$dir/one" | awk '{printf "%.1f", $1 * 1000}')" 5 ms 1 ;;
    esac
    [ $threads = 1 ] && for_information "clips a second, resident, one at a time" "$ours" "$theirs" clips
    [ $threads = 1 ] || at_least "clips a second, resident, 8 at once" "$ours" "$theirs" clips 6
done
