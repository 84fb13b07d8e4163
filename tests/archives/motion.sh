# motion as a real recorder: its files overlap and begin before their names.
. "$(dirname "$0")/lib"
ffmpeg -v error -y -f lavfi -i testsrc2=s=320x240:r=15:d=60 -c:v libx264 -preset ultrafast -bf 0 \
    -g 30 -keyint_min 30 -sc_threshold 0 "$WORK/src.mp4"
mkdir "$WORK/out"
cat > "$WORK/motion.conf" <<EOF
daemon off
setup_mode off
target_dir $WORK/out
width 320
height 240
framerate 15
netcam_url file://$WORK/src.mp4
emulate_motion on
movie_output on
movie_passthrough on
movie_max_time 5
movie_filename %Y%m%d/%H-%M-%S_%t_%v
picture_output off
webcontrol_port 0
stream_port 0
EOF
(TZ=UTC exec motion -c "$WORK/motion.conf") > "$WORK/motion.log" 2>&1 &
motion=$!
# Five files: then four are closed.
tries=0
until [ "$(find "$WORK/out" -name '*.mp4' | wc -l)" -ge 5 ]; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] && kill -0 $motion || { cat "$WORK/motion.log"; exit 1; }
    sleep 0.1
done
kill $motion
wait $motion || true
shop "A,dir,$WORK/out,,UTC,layout=motion" 0
second=$(cd "$WORK/out" && find . -name '*.mp4' | sort | sed -n 2p)
day=$(echo "$second" | sed 's,./\([0-9]*\)/.*,\1,')
clock=$(basename "$second" | sed 's,_.*,,; s,-,:,g')
from=$(date -u -d "$day $clock 1 second" +%Y-%m-%dT%H:%M:%SZ)
to=$(date -u -d "$day $clock 10 seconds" +%Y-%m-%dT%H:%M:%SZ)
okno coverage --camera C --from "$from" --to "$to"
okno clip --camera C --from "$from" --to "$to" -o "$WORK/clip.mp4" --json > "$WORK/clip.json"
cat "$WORK/clip.json"
grep -q '"gaps": *\[\]' "$WORK/clip.json"
one_run "$WORK/src.mp4" "$WORK/clip.mp4"
echo "$(wc -l < "$WORK/part.md5") frames over the borders of motion's files, each once"
