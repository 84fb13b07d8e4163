# Ceph's S3 gateway as a real store with real signatures: one monitor, one store in memory, one gateway, each a
# process on loopback. Keys that need encoding, a list of several pages, a wrong secret.
. "$(dirname "$0")/lib"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
monitor=$(free_port)
gateway=$(free_port)
mkdir "$WORK/mon" "$WORK/osd" "$WORK/rgw"
cluster=$(cat /proc/sys/kernel/random/uuid)
store=$(cat /proc/sys/kernel/random/uuid)
CEPH_CONF=$WORK/ceph.conf
export CEPH_CONF
cat > "$CEPH_CONF" <<EOT
[global]
fsid = $cluster
mon host = 127.0.0.1:$monitor
keyring = $WORK/keyring
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = $WORK
admin socket = $WORK/\$name.asok
log file = $WORK/\$name.log
mon data = $WORK/mon
mon allow pool size one = true
mon max pg per osd = 1000
osd data = $WORK/osd
osd objectstore = memstore
memstore device bytes = 536870912
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class load list = *
rgw data = $WORK/rgw
rgw frontends = beast endpoint=127.0.0.1:$gateway
EOT
key() { ceph-authtool "$@" > /dev/null; }
key --create-keyring "$WORK/keyring" --gen-key -n mon. --cap mon 'allow *'
key "$WORK/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
key "$WORK/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --add a "127.0.0.1:$monitor" --fsid "$cluster" "$WORK/monmap" > /dev/null
ceph-mon --mkfs -i a --monmap "$WORK/monmap" --keyring "$WORK/keyring"
pids=
trap 'kill $pids' EXIT
ceph-mon -f -i a > "$WORK/mon.out" 2>&1 &
pids=$!
ceph --connect-timeout 60 osd new "$store" 0
ceph-osd -i 0 --mkfs --osd-uuid "$store" > "$WORK/osd.out" 2>&1
ceph-osd -f -i 0 >> "$WORK/osd.out" 2>&1 &
pids="$pids $!"
secret='se+cr/et='
timeout 120 radosgw-admin user create --uid=shop --display-name=shop --access-key=SHOPKEY --secret-key="$secret" > "$WORK/user.json"
radosgw -f -n client.admin > "$WORK/rgw.out" 2>&1 &
pids="$pids $!"
url=http://127.0.0.1:$gateway
tries=0
until curl -s -o "$WORK/answer" "$url/"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ]
    sleep 0.1
done

# What a recorder would have put there: three files, and a thousand others beside them.
ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=320x240:r=15:d=30 -c:v libx264 -preset ultrafast -bf 0 -g 15 \
    -keyint_min 15 -sc_threshold 0 -f segment -segment_time 10 -reset_timestamps 1 \
    -segment_format_options movflags=+faststart "$WORK/part%d.mp4"
for i in 0 1 2; do echo "file part$i.mp4"; done > "$WORK/list"
ffmpeg -v error -nostdin -f concat -i "$WORK/list" -c copy "$WORK/all.mp4"
channel='till%201%2B%20%D0%BA%D0%B0%D1%81%D1%81%D0%B0%3D%28a%29'
put() { # FILE KEY...
    file=$1 && shift
    sum=$(sha256sum "$file" | cut -d' ' -f1)
    for key in "$@"; do printf 'next\nurl = "%s/video/%s"\nupload-file = "%s"\nsilent\nshow-error\nfail\naws-sigv4 = "aws:amz:default:s3"\nuser = "SHOPKEY:%s"\nheader = "x-amz-content-sha256: %s"\noutput = "/dev/null"\n' \
        "$url" "$key" "$file" "$secret" "$sum"; done | sed 1d | curl -K -
}
none=$(printf '' | sha256sum | cut -d' ' -f1)
curl -s --fail -X PUT --aws-sigv4 aws:amz:default:s3 --user "SHOPKEY:$secret" -H "x-amz-content-sha256: $none" "$url/video"
for i in 0 1 2; do put "$WORK/part$i.mp4" "$channel/2026-03-10_07-00-${i}0.mp4"; done
echo other > "$WORK/other"
# shellcheck disable=SC2046  # names without spaces
put "$WORK/other" $(seq 1100 | sed "s,.*,$channel/2026-03-10_06-&.txt,")

shop "A,dir,s3://video,{channel}/%Y-%m-%d_%H-%M-%S.mp4,UTC,endpoint=$url region=default style=path,SHOPKEY,store" \
    'till 1+ касса=(a)' user,secret
from=2026-03-10T07:00:03Z
to=2026-03-10T07:00:24Z
printf '%s\n' wrong | okno secret set store
status=0
okno coverage --camera C --from $from --to $to 2> "$WORK/refused" || status=$?
cat "$WORK/refused"
[ $status = 1 ]
grep -q "SignatureDoesNotMatch" "$WORK/refused"
printf '%s\n' "$secret" | okno secret set store
okno coverage --camera C --from $from --to $to
okno clip --camera C --from $from --to $to -o "$WORK/clip.mp4" --json > "$WORK/clip.json"
cat "$WORK/clip.json"
grep -q '"gaps": *\[\]' "$WORK/clip.json"
one_run "$WORK/all.mp4" "$WORK/clip.mp4"
okno still --camera C --at 2026-03-10T07:00:15Z -o "$WORK/still.jpg"
! grep -rqF "$secret" "$WORK/clip.json" "$WORK/refused"
echo "$(wc -l < "$WORK/part.md5") frames out of Ceph's S3 gateway, behind 1,100 other objects; a wrong secret is refused"
