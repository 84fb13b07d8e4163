#!/bin/bash
# What the sandbox costs: stills out of a recording of 1080p15 H.264 (a key frame every 4 s) on this machine, by a
# child of the media host beside a plain call in the same process (tools/stillcost), in turns; the middle ones.
set -eu
. "$(dirname "$0")/lib"
dir=$BENCH_DIR/sandbox
stills=${BENCH_QUICK:+9}
stills=${stills:-47}
mkdir -p "$dir"
[ -s "$dir/minute.mp4" ] || {
    ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=1920x1080:r=15:d=60 -vf noise=alls=8:allf=t -c:v libx264 \
        -preset ultrafast -x264-params keyint=60:min-keyint=60:scenecut=0 -b:v 2M -maxrate 2.4M -bufsize 2M \
        -pix_fmt yuv420p -movflags +faststart -y "$dir/part.mp4"
    mv "$dir/part.mp4" "$dir/minute.mp4"
}
read -r plain boxed <<< "$("$OKNO_BUILD/tools/stillcost" "$dir/minute.mp4" "$stills")"
at_most "a still by the sandbox beside one in the same process" "$boxed" "$plain" ms 1.3
