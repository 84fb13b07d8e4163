#!/bin/bash
# A window of 30 s out of an hour of 1080p15 H.264 at 2 Mbit/s (key frame every 4 s), through a link of
# 20 ms and 100 Mbit/s (tools/link): okno beside `ffmpeg -ss -t -c copy`, in turns, one archive for each
# container. Bytes and requests are counted on the link, okno's listing of the folder included. "cold":
# nothing is known of the file; "warm": another window of it was cut before. Stills of the same recording (a key
# frame; the last frame before the next one) and playlists follow. "-vbr": minutes of moving pictures among minutes
# of one that stands still. CASES='mp4-front ts still hls-ts' picks some; EXTRACT_RUNS=9 (the middle one counts);
# SLOW_RUNS=1: of ffmpeg where one call takes half a minute; FINDS=20 windows for the requests of 90%.
set -eu
. "$(dirname "$0")/lib"
. "$(dirname "$0")/origin"
dir=$BENCH_DIR/extract
minutes=${BENCH_QUICK:+10}
minutes=${minutes:-60}
at=$((minutes * 30 + 3))
files=$dir/files-$minutes
runs=${EXTRACT_RUNS:-${BENCH_QUICK:+1}}
runs=${runs:-9}
slow_runs=${SLOW_RUNS:-1}
finds=${FINDS:-${BENCH_QUICK:+3}}
finds=${finds:-20}
cases=${CASES:-mp4-front mp4-end fmp4-sidx fmp4-bare fmp4-vbr ts ts-vbr mkv still hls-ts hls-fmp4}

# --- recordings: one minute is encoded, the rest are copies of it; times go on ---

encode() {
    [ -s "$dir/minute.mp4" ] && return
    ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1920x1080:r=15:d=60 \
        -f lavfi -i sine=frequency=440:duration=60:sample_rate=48000 -vf noise=alls=8:allf=t \
        -c:v libx264 -preset ultrafast -x264-params keyint=60:min-keyint=60:scenecut=0 \
        -b:v 2M -maxrate 2.4M -bufsize 2M -pix_fmt yuv420p -c:a aac -b:a 64k -y "$dir/part.mp4"
    mv "$dir/part.mp4" "$dir/minute.mp4"
}

# A minute of one picture, by the same encoder: what the list of minutes is made of.
encode_still() {
    [ -s "$dir/quiet.mp4" ] && return
    ffmpeg -nostdin -v error -f lavfi -i color=c=gray:s=1920x1080:r=15:d=60 \
        -f lavfi -i sine=frequency=440:duration=60:sample_rate=48000 \
        -c:v libx264 -preset ultrafast -x264-params keyint=60:min-keyint=60:scenecut=0 \
        -b:v 2M -maxrate 2.4M -bufsize 2M -pix_fmt yuv420p -c:a aac -b:a 64k -y "$dir/part.mp4"
    mv "$dir/part.mp4" "$dir/quiet.mp4"
}

list_minutes() { # CASE: the same minute over and over, or moving and still ones by a fixed rule
    for minute in $(seq 0 $((minutes - 1))); do
        case $1-$(((minute * 7919 + 7) % 10)) in *-vbr-[0-5]) echo "file quiet.mp4" ;; *) echo "file minute.mp4" ;; esac
    done > "$dir/minutes.txt"
}

make_file() { # CASE ENDING OPTIONS...
    folder=$files/$1 ending=$2
    list_minutes "$1"
    shift 2
    [ -s "$folder/2026-10-05_06-00-00.$ending" ] && return
    mkdir -p "$folder"
    ffmpeg -nostdin -v error -f concat -i "$dir/minutes.txt" -c copy "$@" -y "$folder/part.$ending"
    mv "$folder/part.$ending" "$folder/2026-10-05_06-00-00.$ending"
    touch -d '2026-10-05 07:00:00Z' "$folder"/*
}

make_files() {
    mkdir -p "$files"
    encode
    encode_still
    make_file mp4-front mp4 -movflags +faststart
    make_file mp4-end mp4
    make_file fmp4-sidx mp4 -movflags +frag_keyframe+empty_moov+default_base_moof+global_sidx
    make_file fmp4-bare mp4 -movflags +frag_keyframe+empty_moov+default_base_moof+skip_trailer
    make_file fmp4-vbr mp4 -movflags +frag_keyframe+empty_moov+default_base_moof+skip_trailer
    make_file ts ts
    make_file ts-vbr ts
    make_file mkv mkv
    make_playlist hls-ts -hls_segment_filename "$files/hls-ts/%05d.ts"
    make_playlist hls-fmp4 -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 -hls_segment_filename "$files/hls-fmp4/%05d.m4s"
}

# A playlist of 4 s segments beside its segments, which tells the time.
make_playlist() { # CASE OPTIONS...
    folder=$files/$1
    shift
    [ -s "$folder/index.m3u8" ] && return
    mkdir -p "$folder"
    ffmpeg -nostdin -v error -stream_loop $((minutes - 1)) -i "$dir/minute.mp4" -c copy -f hls -hls_time 4 \
        -hls_list_size 0 -hls_playlist_type vod "$@" -y "$folder/part.m3u8"
    # One time tag at the top: the rest follows from the segments' lengths.
    sed '0,/^#EXTINF/s//#EXT-X-PROGRAM-DATE-TIME:2026-10-05T06:00:00.000Z\n#EXTINF/' "$folder/part.m3u8" > "$folder/index.m3u8"
}

# --- okno's side: an archive and a camera for each case ---

ending() { case $1 in ts*) echo ts ;; mkv) echo mkv ;; *) echo mp4 ;; esac; }
place() { case $1 in hls-*) echo "$1/index.m3u8" ;; *) echo "$1/2026-10-05_06-00-00.$(ending "$1")" ;; esac; }

make_data() {
    rm -rf "$dir/data"
    echo 'correct horse battery' | "$OKNO" --data "$dir/data" init --password-stdin > /dev/null 2>&1
    echo "site,name,time_zone
s,Shop,UTC" > "$dir/sites.csv"
    echo "archive,kind,url,files,time_zone" > "$dir/archives.csv"
    echo "camera,site,archive,channel" > "$dir/cameras.csv"
    for case in $(printf '%s\n' mp4-front $cases | sort -u); do
        case $case in
        still) continue ;;
        hls-*) echo "$case,hls,http://127.0.0.1:$link_port/,{channel}/index.m3u8,UTC" >> "$dir/archives.csv" ;;
        *) echo "$case,dir,http://127.0.0.1:$link_port/,{channel}/%Y-%m-%d_%H-%M-%S.$(ending "$case"),UTC" >> "$dir/archives.csv" ;;
        esac
        echo "$case,s,$case,$case" >> "$dir/cameras.csv"
    done
    for kind in sites archives cameras; do
        "$OKNO" --data "$dir/data" import $kind "$dir/$kind.csv" > "$dir/import.log" 2>&1 || { cat "$dir/import.log"; return 1; }
    done
}

clock() { date -u -d "@$(($(date -u -d 2026-10-05T06:00:00Z +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }

okno_clip() { # CASE AT
    "$OKNO" --data "$dir/data" clip --camera "$1" --from "$(clock "$2")" --to "$(clock $(($2 + 30)))" \
        --camera-clock -o "$dir/okno.mp4" --json
}

ffmpeg_clip() { # CASE
    ffmpeg -nostdin -v error -ss $at -i "http://127.0.0.1:$link_port/$(place "$1")" \
        -t 30 -map 0:v -c copy -movflags +faststart -y "$dir/ffmpeg.mp4"
}

okno_still() { # AT
    local from
    from=$(clock "${1%.*}")
    rm -f "$dir/okno.jpg"
    "$OKNO" --data "$dir/data" still --camera mp4-front --at "${from%Z}.${1#*.}Z" --camera-clock -o "$dir/okno.jpg" --json
}

ffmpeg_still() { # AT
    ffmpeg -nostdin -v error -ss "$1" -i "http://127.0.0.1:$link_port/$(place mp4-front)" -frames:v 1 -q:v 5 -y "$dir/ffmpeg.jpg"
}

# The server cuts: nginx's own module, which sits beside the recordings.
nginx_clip() { # CASE
    curl -sf -o "$dir/nginx.mp4" "http://127.0.0.1:$link_port/cut/$1/2026-10-05_06-00-00.mp4?start=$at&end=$((at + 30))"
}

# What the link alone takes for a listing and as many bytes of one request, over one connection.
curl_same() { # BYTES
    curl -sf -o /dev/null "http://127.0.0.1:$link_port/mp4-front/" \
        --next -sf -o /dev/null -r "100000000-$((100000000 + $1 - 1))" "http://127.0.0.1:$link_port/$(place mp4-front)"
}

# measure NAME COMMAND...: appends "seconds cpu requests bytes connections" to NAME's list.
measure() {
    local name=$1
    shift
    rm -f "$dir/okno.mp4"
    curl -sf "http://127.0.0.1:$control/reset" > /dev/null
    TIMEFORMAT='%R %U %S'
    { time "$@" > "$dir/out" 2> "$dir/err"; } 2> "$dir/time" || { cat "$dir/err"; return 1; }
    curl -sf "http://127.0.0.1:$control/reset" > "$dir/counts"
    echo "$(awk '{print $1, $2 + $3}' "$dir/time") $(jq -r '"\(.requests) \(.bytes_down) \(.connections)"' "$dir/counts")" >> "$dir/$name.runs"
}

column() { cut -d' ' -f"$2" "$dir/$1.runs" | middle; }
mb() { column "$1" 4 | awk '{printf "%.2f", $1 / 1e6}'; }

# Whether ffmpeg's call is made in this run, before okno's (0) or after (1): in turns, but some are slow.
ffmpeg_turn() { # CASE RUN TURN
    case $1 in fmp4-bare | fmp4-vbr | hls-fmp4) [ "$2" -le "$slow_runs" ] || return 1 ;; esac
    [ $(($2 % 2)) = "$3" ]
}

# Bytes that the window is made of: all samples from the key frame before it to its end, and the index.
floor_mb() { # CASE
    local file
    file=$files/$(place "$1")
    { ffprobe -v error -read_intervals "$((at - 8))%$((at + 34))" -show_entries packet=stream_index,pts_time,flags,size -of csv=p=0 "$file"
      echo "moov $(ffprobe -v trace "$file" 2>&1 | sed -n "s/.*type:'moov' parent:'root' sz: \([0-9]*\).*/\1/p" | head -n 1)"
    } | tr ',' ' ' | awk -v at="$at" '
        $1 == "moov" { index_bytes = $2; next }
        $1 == 0 && $4 ~ /^K/ && $2 <= at && $2 > key { key = $2 }
        { n++; time[n] = $2; size[n] = $3 }
        END { for (i = 1; i <= n; i++) if (time[i] >= key && time[i] < at + 30) sum += size[i]
              printf "%.2f", (sum + index_bytes) / 1e6 }'
}

requests() { # NAME RUNS TARGET: "-" where there is none
    if [ "$3" = - ]; then
        for_information "$1" "$(column "$2" 3)" "$(column ffmpeg 3)" requests
    else
        at_most "$1, most allowed" "$(column "$2" 3)" "$3" requests 1
    fi
}

one_case() { # CASE TIME_TARGET REQUESTS_TARGET WARM_TIME_TARGET WARM_REQUESTS_TARGET
    rm -f "$dir"/*.runs
    for run in $(seq "$runs"); do
        rm -rf "$dir/data/index"
        if ffmpeg_turn "$1" "$run" 0; then measure ffmpeg ffmpeg_clip "$1"; fi
        measure cold okno_clip "$1" $at
        rm -rf "$dir/data/index"
        measure other okno_clip "$1" $((at / 2))
        measure warm okno_clip "$1" $at
        if ffmpeg_turn "$1" "$run" 1; then measure ffmpeg ffmpeg_clip "$1"; fi
        case $1 in mp4-*) measure nginx nginx_clip "$1" ;; esac
    done
    at_most "$1 cold: seconds" "$(column cold 1)" "$(column ffmpeg 1)" s "$2"
    requests "$1 cold: requests with the listing" cold "$3"
    case $1 in
    mp4-*) at_most "$1 cold: connections, most allowed" "$(column cold 5)" 1 connections 1
        at_most "$1 cold: bytes on the link beside the frames and the index" "$(mb cold)" "$(floor_mb "$1")" MB 1.02 ;;
    esac
    case $1 in
    fmp4-sidx) at_most "$1 cold: bytes on the link" "$(mb cold)" "$(mb ffmpeg)" MB 0.2 ;;
    *) for_information "$1 cold: bytes on the link" "$(mb cold)" "$(mb ffmpeg)" MB ;;
    esac
    [ "$3" = - ] || for_information "$1 ffmpeg's requests" "$(column ffmpeg 3)" "$(column ffmpeg 3)" requests
    for_information "$1 cold: CPU" "$(column cold 2)" "$(column ffmpeg 2)" s
    at_most "$1 warm: seconds" "$(column warm 1)" "$(column ffmpeg 1)" s "$4"
    requests "$1 warm: requests with the listing" warm "$5"
    for_information "$1 warm: bytes on the link" "$(mb warm)" "$(mb ffmpeg)" MB
    [ -n "${6:-}" ] || { for_information "$1 warm: CPU" "$(column warm 2)" "$(column ffmpeg 2)" s; return 0; }
    at_most "$1 warm: CPU" "$(column warm 2)" "$(column ffmpeg 2)" s 0.12
    at_least "$1 warm: share of what the link can carry" "$(mb warm | awk '{printf "%.3f", $1 * 8 / 100}')" "$(column warm 1)" s "$6"
    at_most "$1 cold: seconds beside nginx's mp4 module" "$(column cold 1)" "$(column nginx 1)" s 1
    at_most "$1 warm: seconds beside nginx's mp4 module" "$(column warm 1)" "$(column nginx 1)" s 1
    for_information "$1 nginx's mp4 module: bytes on the link" "$(mb cold)" "$(mb nginx)" MB
}

# Where an index is missing, other moments may need more: windows all over the recording, nothing known.
many_finds() { # CASE REQUESTS_TARGET
    rm -f "$dir"/find.runs
    for number in $(seq "$finds"); do
        rm -rf "$dir/data/index"
        measure find okno_clip "$1" $((number * (minutes * 60 - 60) / (finds + 1) + number * 7919 % 13))
    done
    at_most "$1 cold, $finds windows: requests of 90% with the listing, most allowed" \
        "$(cut -d' ' -f3 "$dir/find.runs" | most90)" "$2" requests 1
}

# The index is known. A moment at a key frame, and one just before the next: in between lie all frames of a GOP.
stills() {
    rm -f "$dir"/*.runs "$dir/okno.mp4"
    key=$(okno_clip mp4-front $at | jq -r .got_from | sed 's/.*:\([0-9]*\):\([0-9.]*\)Z/\1 \2/' | awk '{print $1 * 60 + $2 + 0.02}')
    for run in $(seq "$runs"); do
        rm -rf "$dir/data/index"
        measure other okno_clip mp4-front $((at / 2))
        for still in "key:$key" "exact:$(echo "$key" | awk '{printf "%.2f", $1 + 3.9}')"; do
            if [ $((run % 2)) = 0 ]; then measure "ffmpeg-${still%:*}" ffmpeg_still "${still#*:}"; fi
            measure "${still%:*}" okno_still "${still#*:}"
            if [ $((run % 2)) = 1 ]; then measure "ffmpeg-${still%:*}" ffmpeg_still "${still#*:}"; fi
        done
    done
    for run in $(seq "$runs"); do measure floor curl_same "$(column key 4)"; done
    for_information "still, a key frame, warm: seconds beside curl for the same listing and bytes" "$(column key 1)" "$(column floor 1)" s
    at_most "still, a key frame, warm: seconds" "$(column key 1)" "$(column ffmpeg-key 1)" s 0.15
    at_most "still, a key frame, by a process that stays: seconds" "$(still_staying 0)" "$(column ffmpeg-key 1)" s 0.15
    for_information "still, the frame before one, by a process that stays: seconds" "$(still_staying 3.9)" "$(column ffmpeg-exact 1)" s
    at_most "still, the frame before a key frame, warm: seconds" "$(column exact 1)" "$(column ffmpeg-exact 1)" s 0.6
    for_information "still, the frame before a key frame, warm: bytes on the link" "$(mb exact)" "$(mb ffmpeg-exact)" MB
    for_information "still, the frame before a key frame, warm: CPU" "$(column exact 2)" "$(column ffmpeg-exact 2)" s
}

# The same by one process that stays, as the service's workers do: all at key frames, or all before one.
still_staying() { # SECONDS_BEHIND_A_KEY_FRAME: those of the middle one of 32
    local first
    first=$(echo "$key $1" | awk '{printf "%d", ($1 - int($1 / 4) * 4 + 8 + $2) * 1000000}')
    "$OKNO_BUILD/tools/clips" "$dir/data" mp4-front $(($(date -u -d 2026-10-05T06:00:00Z +%s) * 1000000 + first)) \
        $((minutes * 60 / 4 / 34 * 4))000000 32 1 "$dir" still | cut -d' ' -f2
}

frames_of() { # FILE
    ffprobe -v error -select_streams v -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$1" 2> /dev/null || echo 0
}

playlist() { # CASE
    rm -f "$dir"/*.runs
    for run in $(seq "$runs"); do
        rm -rf "$dir/data/index"
        if ffmpeg_turn "$1" "$run" 0; then measure ffmpeg ffmpeg_clip "$1"; fi
        measure cold okno_clip "$1" $at
        if ffmpeg_turn "$1" "$run" 1; then measure ffmpeg ffmpeg_clip "$1"; fi
    done
    at_most "$1 cold: seconds" "$(column cold 1)" "$(column ffmpeg 1)" s 1
    for_information "$1 cold: bytes on the link" "$(mb cold)" "$(mb ffmpeg)" MB
    measure cold okno_clip "$1" $at
    at_least "$1 cold: frames against 30 s of them" "$(frames_of "$dir/okno.mp4")" 450 frames 1
    echo "$1: ffmpeg's file holds $(frames_of "$dir/ffmpeg.mp4") frames"
}

make_files
origin_serve "$files" "location /cut/ { alias $files/; mp4; mp4_start_key_frame on; mp4_max_buffer_size 64m; }"
origin_link
make_data
echo "machine load $(cut -d' ' -f1-3 /proc/loadavg), $runs runs, $minutes minutes of recording"
for case in $cases; do
    case $case in
    mp4-*) one_case "$case" 0.72 4 0.60 2 0.88 ;;
    fmp4-sidx) one_case "$case" 0.2 4 0.2 2 ;;
    fmp4-bare) one_case "$case" 0.05 13 0.05 12; many_finds "$case" 13 ;;
    fmp4-vbr) one_case "$case" 0.10 - 0.10 -; many_finds "$case" 17 ;;
    ts) one_case "$case" 0.5 16 0.5 9 ;;
    ts-vbr) one_case "$case" 0.55 - 0.55 - ;;
    mkv) one_case "$case" 0.85 6 0.85 3 ;;
    still) stills ;;
    hls-*) playlist "$case" ;;
    esac
done
