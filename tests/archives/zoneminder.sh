# ZoneMinder 1.36 as Debian ships it, recording the scene in real time: what the clip shows is when it was filmed.
# Database, web server and camera are processes of this script on loopback; /etc/zm is replaced in a mount namespace
# of its own, so that nothing of the machine's is touched.
if [ "${IN_NAMESPACE:-}" != yes ]; then
    IN_NAMESPACE=yes exec unshare --mount --fork --kill-child sh -eu "$0"
fi
. "$(dirname "$0")/lib"
here=$(dirname "$(realpath "$0")")
build=$(dirname "$OKNO")
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
await() { # WHAT COMMAND...: up to two minutes
    what=$1
    shift
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { echo "no $what"; tail -n 20 "$WORK"/*.log; exit 1; }
        sleep 0.2
    done
}
pids=
trap 'for pid in $pids; do kill $pid 2> /dev/null || true; done; wait' EXIT
started() { pids="$! $pids"; }

"$build/tools/scene" --minutes 4 "$WORK/scene"
# The four minutes of one camera, without its hole, as one film.
find "$WORK/scene/archive/cam2" -name '*.mp4' | sort | sed "s,.*,file '&'," > "$WORK/list"
ffmpeg -v error -f concat -safe 0 -i "$WORK/list" -c copy "$WORK/film.mp4"
film_from=$("$build/tools/strip" --first "$WORK/film.mp4" | awk '{print $3}')

mkdir "$WORK/db" "$WORK/sock" "$WORK/events" "$WORK/run" "$WORK/zmlog" "$WORK/cache" "$WORK/swap" "$WORK/sessions"
chown mysql "$WORK/db" "$WORK/sock"
chown www-data "$WORK/events" "$WORK/run" "$WORK/zmlog" "$WORK/cache" "$WORK/swap" "$WORK/sessions"
mariadb-install-db --no-defaults --user=mysql --datadir="$WORK/db" --tmpdir="$WORK/db" --skip-test-db > "$WORK/install.log" 2>&1
TZ=UTC mariadbd --no-defaults --user=mysql --datadir="$WORK/db" --tmpdir="$WORK/db" --socket=$WORK/sock/db --skip-networking \
    --pid-file="$WORK/db/pid" --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=64M > "$WORK/mariadb.log" 2>&1 &
started
sql() { mariadb --no-defaults --socket=$WORK/sock/db -N "$@"; }
await "database" sql -e 'SELECT 1'
sql < /usr/share/zoneminder/db/zm_create.sql > "$WORK/create.log"
sql -e "CREATE USER zmuser@localhost IDENTIFIED BY 'zmpass'; GRANT ALL ON zm.* TO zmuser@localhost"
cp -a /etc/zm "$WORK/zm"
cat > "$WORK/zm/conf.d/90-test.conf" <<CONF
ZM_DB_HOST=localhost:$WORK/sock/db
ZM_DIR_EVENTS=$WORK/events
ZM_PATH_SOCKS=$WORK/run
ZM_PATH_LOGS=$WORK/zmlog
ZM_PATH_SWAP=$WORK/swap
ZM_PATH_MAP=$WORK/run
CONF
chgrp www-data "$WORK/zm/zm.conf"
mount --bind "$WORK/zm" /etc/zm
cp -r /var/cache/zoneminder/. "$WORK/cache"
chown -R www-data "$WORK/cache"
mount --bind "$WORK/cache" /var/cache/zoneminder
zmupdate.pl --nointeractive -f > "$WORK/update.log" 2>&1
camera=$(free_port)
sql zm <<SQL
UPDATE Config SET Value = '0' WHERE Name IN ('ZM_SHOW_PRIVACY', 'ZM_CHECK_FOR_UPDATES', 'ZM_LOG_LEVEL_SYSLOG', 'ZM_TELEMETRY_DATA');
UPDATE Config SET Value = '1' WHERE Name IN ('ZM_OPT_USE_AUTH', 'ZM_AUTH_HASH_LOGINS', 'ZM_OPT_USE_API');
UPDATE Config SET Value = 'okno test' WHERE Name = 'ZM_AUTH_HASH_SECRET';
UPDATE Config SET Value = 'UTC' WHERE Name = 'ZM_TIMEZONE';
UPDATE Users SET APIEnabled = 1;
INSERT INTO Storage SET Id = 9, Name = 'test', Path = '$WORK/events', Type = 'local', Enabled = 1;
INSERT INTO Monitors SET Id = 1, Name = 'till', Type = 'Ffmpeg', \`Function\` = 'Record', Enabled = 1, StorageId = 9,
    Path = 'http://127.0.0.1:$camera/', Method = 'simple', Width = 640, Height = 360, Colours = 4, SaveJPEGs = 0,
    VideoWriter = 2, OutputCodec = 27, OutputContainer = 'mp4', SectionLength = 15, ImageBufferCount = 20, MaxImageBufferCount = 200, PreEventCount = 5,
    WarmupCount = 0, PostEventCount = 5, StreamReplayBuffer = 0, RecordAudio = 0;
SQL

web=$(free_port)
cat > "$WORK/fpm.conf" <<CONF
[global]
error_log = $WORK/fpm.log
daemonize = no
[zm]
user = www-data
listen = $WORK/run/fpm
listen.owner = www-data
pm = static
pm.max_children = 3
catch_workers_output = yes
php_value[session.save_path] = $WORK/sessions
php_value[date.timezone] = UTC
CONF
php-fpm8.2 -y "$WORK/fpm.conf" > "$WORK/fpm.out" 2>&1 &
started
cat > "$WORK/nginx.conf" <<CONF
daemon off; user www-data; worker_processes 1; pid $WORK/nginx.pid; error_log $WORK/nginx.log;
events { worker_connections 64; }
http {
    access_log $WORK/access.log; client_body_temp_path $WORK/b; proxy_temp_path $WORK/p; fastcgi_temp_path $WORK/f;
    uwsgi_temp_path $WORK/u; scgi_temp_path $WORK/s;
    server {
        listen 127.0.0.1:$web;
        location = /zm/index.php {
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME /usr/share/zoneminder/www/index.php;
            fastcgi_pass unix:$WORK/run/fpm;
        }
        location /zm/api/ {
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME /usr/share/zoneminder/www/api/app/webroot/index.php;
            fastcgi_param SCRIPT_NAME /zm/api/app/webroot/index.php;
            fastcgi_param PHP_SELF /zm/api/app/webroot/index.php;
            fastcgi_pass unix:$WORK/run/fpm;
        }
    }
}
CONF
/usr/sbin/nginx -c "$WORK/nginx.conf" -p "$WORK" -e "$WORK/nginx.log" &
started
await "API" curl -sf -o /dev/null -d 'user=admin&pass=admin' "http://127.0.0.1:$web/zm/api/host/login.json"

# The camera: a stream that begins with its only reader, who notes when its first picture left.
cat > "$WORK/camera.py" <<'PY'
import http.server, subprocess, sys, time
class Camera(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        film = subprocess.Popen(['ffmpeg', '-v', 'error', '-nostdin', '-re', '-i', sys.argv[2], '-map', '0:v', '-c', 'copy', '-flush_packets', '1',
                                 '-f', 'flv', '-'], stdout=subprocess.PIPE, bufsize=0)
        sent = 0
        while part := film.stdout.read(65536):
            if sent <= 2000 < sent + len(part):
                open(sys.argv[3], 'w').write('%d' % (time.time() * 1000))
            sent += len(part)
            self.wfile.write(part)
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Camera).serve_forever()
PY
python3 "$WORK/camera.py" "$camera" "$WORK/film.mp4" "$WORK/begun" > "$WORK/camera.log" 2>&1 &
started
await "camera" python3 -c "import socket; socket.create_connection(('127.0.0.1', $camera))"
TZ=UTC setpriv --reuid=www-data --regid=www-data --clear-groups zmc -m 1 > "$WORK/zmc.log" 2>&1 &
started
count_closed() { [ "$(sql zm -e 'SELECT COUNT(*) FROM Events WHERE EndDateTime IS NOT NULL')" -ge "$1" ]; }
await "four recordings" count_closed 4
begun=$(cat "$WORK/begun")
iso() { python3 -c "import datetime; print(datetime.datetime.utcfromtimestamp($1 / 1000).isoformat(timespec='milliseconds') + 'Z')"; }
okno init > "$WORK/init" 2>&1
mkdir -p "$WORK/data/secrets"
printf admin > "$WORK/data/secrets/zm"
chmod 600 "$WORK/data/secrets/zm"
printf 'site,name,time_zone\nS,Shop,UTC\n' > "$WORK/sites.csv"
printf 'archive,kind,url,files,time_zone,user,secret,options\nA,zoneminder,http://127.0.0.1:%s/zm,,UTC,admin,zm,\n' "$web" > "$WORK/archives.csv"
printf 'camera,site,archive,channel\nC,S,A,1\n' > "$WORK/cameras.csv"
for kind in sites archives cameras; do okno import "$kind" "$WORK/$kind.csv"; done
okno coverage --camera C --from "$(iso $((begun - 60000)))" --to "$(iso $((begun + 600000)))" | tee "$WORK/spans"
[ "$(wc -l < "$WORK/spans")" = 1 ]
grep -q growing "$WORK/spans"

# The first event holds what ZoneMinder had read ahead before it looked at its clock; from the second one on the picture
# shows when it was filmed, within what okno says of its times.
second=$(sql zm -e "SELECT UNIX_TIMESTAMP(StartDateTime) FROM Events WHERE Id = 2")
worst=0
for after in 2 9 14 18 24; do
    at=$(((second + after) * 1000))
    okno still --camera C --at "$(iso $at)" -o "$WORK/still$after.jpg" > "$WORK/still$after.log"
    shown=$("$build/tools/strip" --first "$WORK/still$after.jpg" | awk '{print $3}')
    off=$((shown - film_from - (at - begun)))
    echo "still $after s after the second event began: $off ms beside"
    [ ${off#-} -le 1500 ]
    [ ${off#-} -le $worst ] || worst=${off#-}
done
okno clip --camera C --from "$(iso $(((second + 3) * 1000)))" --to "$(iso $(((second + 28) * 1000)))" -o "$WORK/clip.mp4" --json > "$WORK/clip.json"
cat "$WORK/clip.json"
grep -q '"gaps": *\[\]' "$WORK/clip.json"
one_run "$WORK/film.mp4" "$WORK/clip.mp4"
# What runs cannot be had yet, and says so.
status=0
okno still --camera C --at "$(date -u -d '2 seconds ago' +%Y-%m-%dT%H:%M:%SZ)" -o "$WORK/now.jpg" > "$WORK/now.log" 2>&1 || status=$?
cat "$WORK/now.log"
[ $status != 0 ]
grep -q 'still being recorded' "$WORK/now.log"
echo "stills within $worst ms; $(wc -l < "$WORK/part.md5") frames over the borders of events, each once; the running event is waited for"
