#!/bin/bash
# The photos of 1,000 ratings of one camera-day (24 recordings of an hour, 1080p15 H.264 at 2 Mbit/s, key
# frame every 4 s) through a link of 20 ms and 100 Mbit/s (tools/link): `okno extract --stills` beside one
# ffmpeg call for each; of those, CALLS are made and multiplied. Bytes are counted on the link. The
# floor is what lies between the key frame and the wanted frame, each GOP once.
set -eu
. "$(dirname "$0")/lib"
. "$(dirname "$0")/origin"
dir=$BENCH_DIR/stills
hours=${BENCH_QUICK:+3}
hours=${hours:-24}
minutes=${BENCH_QUICK:+5}
minutes=${minutes:-60}
stills=${STILLS:-${BENCH_QUICK:+40}}
stills=${stills:-1000}
calls=${CALLS:-${BENCH_QUICK:+5}}
calls=${calls:-30}
files=$dir/files-$minutes-$hours
epoch=$(date -u -d 2026-10-05T00:00:00Z +%s)

# One hour is made, the others are the same file under other names.
make_files() {
    mkdir -p "$files"
    [ -s "$dir/minute.mp4" ] || {
        ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1920x1080:r=15:d=60 -vf noise=alls=8:allf=t \
            -c:v libx264 -preset ultrafast -x264-params keyint=60:min-keyint=60:scenecut=0 \
            -b:v 2M -maxrate 2.4M -bufsize 2M -pix_fmt yuv420p -y "$dir/part.mp4"
        mv "$dir/part.mp4" "$dir/minute.mp4"
    }
    [ -s "$dir/hour-$minutes.mp4" ] || {
        ffmpeg -nostdin -v error -stream_loop $((minutes - 1)) -i "$dir/minute.mp4" -c copy \
            -movflags +faststart -y "$dir/part.mp4"
        mv "$dir/part.mp4" "$dir/hour-$minutes.mp4"
        touch -d '2026-10-06 00:00:00Z' "$dir/hour-$minutes.mp4"
    }
    for hour in $(seq 0 $((hours - 1))); do
        ln -f "$dir/hour-$minutes.mp4" "$files/$(printf '2026-10-05_%02d-00-00.mp4' "$hour")"
    done
}

# Seconds of the recorded time, spread by a fixed rule; a rating every 20 s at least.
moments() {
    awk -v n="$stills" -v hours="$hours" -v minutes="$minutes" 'BEGIN {
        span = hours * (minutes * 60 - 90); step = span / n
        for (i = 0; i < n; i++) {
            at = i * step + (i * 7919 % 1000) / 1000 * (step > 40 ? step - 40 : 0)
            hour = int(at / (minutes * 60 - 90))
            printf "%d\n", hour * 3600 + 40 + at - hour * (minutes * 60 - 90) } }'
}

make_data() {
    rm -rf "$dir/data"
    echo 'correct horse battery' | "$OKNO" --data "$dir/data" init --password-stdin > /dev/null 2>&1
    printf 'site,name,time_zone\ns,Shop,UTC\n' > "$dir/sites.csv"
    printf 'point,site,name\np,s,Till\n' > "$dir/points.csv"
    printf 'archive,kind,url,files,time_zone\na,dir,http://127.0.0.1:%s/,%%Y-%%m-%%d_%%H-%%M-%%S.mp4,UTC\n' \
        "$link_port" > "$dir/archives.csv"
    printf 'camera,site,archive,channel\nc,s,a,c\n' > "$dir/cameras.csv"
    printf 'point,camera,from\np,c,2026-01-01T00:00:00Z\n' > "$dir/placements.csv"
    printf 'device,point,from\nd,p,2026-01-01T00:00:00Z\n' > "$dir/devices.csv"
    printf 'target,at,offset_ms,uncertainty_ms\narchive:a,2026-01-01T00:00:00Z,0,50\ndevice:d,2026-01-01T00:00:00Z,0,50\n' \
        > "$dir/clocks.csv"
    moments | awk -v epoch="$epoch" 'BEGIN { print "device,seq,time,kind" } {
        printf "d,%d,%s,press\nd,%d,%s,yes\n", 2 * NR, strftime("%Y-%m-%dT%H:%M:%SZ", epoch + $1 - 4, 1),
            2 * NR + 1, strftime("%Y-%m-%dT%H:%M:%SZ", epoch + $1, 1) }' > "$dir/events.csv"
    for kind in sites points archives cameras devices placements clocks events; do
        "$OKNO" --data "$dir/data" import $kind "$dir/$kind.csv" > "$dir/import.log" 2>&1 || { cat "$dir/import.log"; return 1; }
    done
    "$OKNO" --data "$dir/data" link > "$dir/link.log" 2>&1 || { cat "$dir/link.log"; return 1; }
}

ours() {
    "$OKNO" --data "$dir/data" extract --stills --from 2026-10-05T00:00:00Z --to 2026-10-06T00:00:00Z --json
}

theirs() {
    moments | awk -v every=$((stills / calls)) 'NR % every == 1 || every == 1' | head -n "$calls" > "$dir/some"
    while read -r at; do
        ffmpeg -nostdin -v error -ss $((at % 3600)) \
            -i "http://127.0.0.1:$link_port/$(printf '2026-10-05_%02d-00-00.mp4' $((at / 3600)))" \
            -frames:v 1 -q:v 5 -y "$dir/ffmpeg.jpg" < /dev/null
    done < "$dir/some"
}

down() { curl -sf "http://127.0.0.1:$control/reset" | jq -r .bytes_down; }

make_files
origin_serve "$files"
origin_link
make_data
down > /dev/null
our_s=$(seconds ours)
our_bytes=$(down)
got=$(jq -s '[.[] | select(.kind == "still")] | length' "$BENCH_DIR/last")
their_s=$(seconds theirs)
their_bytes=$(down)
made=$(wc -l < "$dir/some")
size=$(stat -c %s "$dir/hour-$minutes.mp4")
# Of each 4 s GOP the bytes up to the last wanted frame, and of each recording its index (0.1 % of it).
floor=$(moments | awk -v rate="$(echo "$size $minutes" | awk '{print $1 / $2 / 60}')" -v size="$size" -v hours="$hours" '
    { gop = int($1 / 4); into = $1 - gop * 4 + 0.07; if (into > most[gop]) most[gop] = into }
    END { for (gop in most) sum += most[gop] * rate; printf "%.0f", sum + hours * size / 1000 }')
echo "machine load $(cut -d' ' -f1-3 /proc/loadavg); $got of $stills stills; $made ffmpeg calls took $their_s s"
[ "$got" -eq "$stills" ]
at_most "$stills stills of a day: seconds" "$our_s" "$(echo "$their_s $made $stills" | awk '{print $1 / $2 * $3}')" s 0.1
at_most "$stills stills of a day: bytes against the floor" "$(echo "$our_bytes" | awk '{printf "%.1f", $1 / 1e6}')" \
    "$(echo "$floor" | awk '{printf "%.1f", $1 / 1e6}')" MB 1.2
for_information "$stills stills of a day: bytes against ffmpeg" "$(echo "$our_bytes" | awk '{printf "%.1f", $1 / 1e6}')" \
    "$(echo "$their_bytes $made $stills" | awk '{printf "%.1f", $1 / $2 * $3 / 1e6}')" MB
