# A live HLS playlist that rolls on: what is on it can be had, what has left is no recording.
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
    -keyint_min 15 -sc_threshold 0 -f hls -hls_time 1 -hls_list_size 5 \
    -hls_flags program_date_time+delete_segments "$WORK/web/cam.m3u8" &
ffmpeg=$!
trap 'kill $nginx $ffmpeg' EXIT
tries=0
until grep -q 'cam7' "$WORK/web/cam.m3u8" 2> /dev/null; do
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
echo "$count frames of a live playlist; what has left it is no recording"
