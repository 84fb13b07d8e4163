# GStreamer's RTSP server replaying by ONVIF: another people's code at the other end, with frames' times of its own making.
. "$(dirname "$0")/lib"
server=$(dirname "$0")/../support/replay_gst.py
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
pid=
trap '[ -z "$pid" ] || kill $pid' EXIT
shop "A,rtsp,rtsp://127.0.0.1:$port,/{channel},UTC," replay
film() { # CODEC ENCODER...
    codec=$1 && shift
    ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=320x240:r=15:d=60 "$@" -bf 0 -g 30 -keyint_min 30 "$WORK/$codec.mp4"
    /usr/bin/python3 "$server" "$port" "$WORK/$codec.mp4" 1773126000 "$codec" > "$WORK/server.log" 2>&1 &
    pid=$!
    tries=0
    until curl -s -o "$WORK/options" --request OPTIONS "rtsp://127.0.0.1:$port/replay"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ]
        sleep 0.1
    done
    begun=$(date +%s%N)
    okno clip --camera C --from 2026-03-10T07:00:13.5Z --to 2026-03-10T07:00:43Z -o "$WORK/$codec-clip.mp4" --json > "$WORK/$codec.json"
    took=$((($(date +%s%N) - begun) / 1000000))
    cat "$WORK/$codec.json"
    grep -q '"got_from": *"2026-03-10T07:00:12.000Z"' "$WORK/$codec.json"
    grep -q '"gaps": *\[\]' "$WORK/$codec.json"
    one_run "$WORK/$codec.mp4" "$WORK/$codec-clip.mp4"
    # Frames 180 (12 s) to 644 or later: 30.5 s in a fraction of their time.
    [ "$first" = 181 ] && [ "$count" -ge 465 ] && [ $took -lt 10000 ]
    okno still --camera C --at 2026-03-10T07:00:20.1Z -o "$WORK/$codec.jpg" --json > "$WORK/still.json"
    grep -q '"frame_at": *"2026-03-10T07:00:20.067Z"' "$WORK/still.json"
    kill $pid
    wait $pid || true
    pid=
    echo "$codec: $count frames in $took ms"
}
film h264 -c:v libx264 -preset ultrafast -sc_threshold 0
film h265 -c:v libx265 -preset ultrafast -x265-params log-level=error:scenecut=0 -tag:v hvc1
echo "$count frames by GStreamer's replay in $took ms, each at the time that it was told"
