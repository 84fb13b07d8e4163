# A live HLS playlist that rolls on: what is on it can be had, what has left is no recording; the service fetches a
# survey's picture before it leaves.
. "$(dirname "$0")/lib"
mkdir "$WORK/web"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$WORK/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $WORK/pid; error_log $WORK/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $WORK/b; proxy_temp_path $WORK/p; fastcgi_temp_path $WORK/f;
uwsgi_temp_path $WORK/u; scgi_temp_path $WORK/s; server { listen 127.0.0.1:$port; root $WORK/web; } }
EOF
/usr/sbin/nginx -c "$WORK/nginx.conf" -p "$WORK" -e "$WORK/error.log" &
nginx=$!
ffmpeg -v error -nostdin -re -f lavfi -i testsrc2=s=320x240:r=15 -c:v libx264 -preset ultrafast -bf 0 -g 15 \
    -keyint_min 15 -sc_threshold 0 -f hls -hls_time 1 -hls_list_size 40 \
    -hls_flags program_date_time+delete_segments "$WORK/web/cam.m3u8" &
ffmpeg=$!
trap 'kill $nginx $ffmpeg; wait' EXIT
tries=0
until grep -q 'cam35' "$WORK/web/cam.m3u8" 2> /dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 600 ]
    sleep 0.1
done
shop "A,hls,http://127.0.0.1:$port,{channel}.m3u8,UTC," cam
now=$(date +%s)
old=$(date -u -d "@$((now - 60))" +%Y-%m-%dT%H:%M:%SZ)
end=$(date -u -d "@$((now + 60))" +%Y-%m-%dT%H:%M:%SZ)
okno coverage --camera C --from "$old" --to "$end" | tee "$WORK/spans"
[ "$(grep -c growing "$WORK/spans")" = 1 ]
newest=$(sed 's,.*\.\.\([^ ]*\) .*,\1,' "$WORK/spans")
from=$(date -u -d "$newest 2 seconds ago" +%Y-%m-%dT%H:%M:%S.%3NZ)
okno clip --camera C --from "$from" --to "$newest" -o "$WORK/clip.mp4"
count=$(frames "$WORK/clip.mp4" | wc -l)
[ "$count" -ge 30 ]
status=0
okno clip --camera C --from "$old" --to "$(date -u -d "$old 2 seconds" +%Y-%m-%dT%H:%M:%SZ)" \
    -o "$WORK/none.mp4" || status=$?
[ $status = 3 ]

printf 'point,site,name\nP,S,Till\n' > "$WORK/points.csv"
printf 'question,point,from,kind,text,window_s\nQ,P,2026-01-01T00:00:00Z,office,Pleased?,5\n' > "$WORK/questions.csv"
printf 'device,point,from\nD,P,2026-01-01T00:00:00Z\n' > "$WORK/devices.csv"
printf 'point,camera,from\nP,C,2026-01-01T00:00:00Z\n' > "$WORK/placements.csv"
at() { date -u -d "$1 seconds" +%Y-%m-%dT%H:%M:%S.%3NZ; }
for name in device:D camera:C; do okno clock add $name --at "$(at now)" --offset-ms 0 --uncertainty-ms 100; done
printf 'device,seq,time,kind\nD,1,%s,press\nD,2,%s,no\n' "$(at -3)" "$(at -1)" > "$WORK/events.csv"
for kind in points questions devices placements events; do okno import "$kind" "$WORK/$kind.csv"; done
okno serve --listen 127.0.0.1:0 --port-file "$WORK/port" > "$WORK/serve.log" 2>&1 &
trap 'kill $nginx $ffmpeg $!; wait' EXIT
tries=0
until okno survey show D.0.1 --json | grep -q '"kind": *"still"'; do
    tries=$((tries + 1))
    if [ $tries -gt 90 ]; then
        okno survey show D.0.1 --json
        exit 1
    fi
    sleep 1
done
echo "$count frames of a live playlist; what has left it is no recording; a survey has its picture in time"
