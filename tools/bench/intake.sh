#!/bin/sh
# Events over HTTP as devices send them: 16 devices at once, 100 events in a request, each request
# acknowledged when its events are on disk. Sender and service share the machine.
set -eu
. "$(dirname "$0")/lib"
seconds=${BENCH_QUICK:+1}
seconds=${seconds:-10}
target=5000
dir=$BENCH_DIR/intake
service=

stop() { [ -z "$service" ] || { kill "$service" 2>/dev/null && wait "$service" 2>/dev/null; service=; } || true; }
trap stop EXIT INT TERM

start() {
    rm -rf "$dir"
    mkdir -p "$dir"
    echo 'correct horse battery' | "$OKNO" --data "$dir/data" init --password-stdin > /dev/null 2>&1
    tokens=$(for i in $(seq 16); do "$OKNO" --data "$dir/data" token add --device "panel-$i"; done 2> /dev/null)
    echo 'limits { device_per_min = 1000000 }' > "$dir/okno.conf"
    "$OKNO" --config "$dir/okno.conf" --data "$dir/data" serve --listen 127.0.0.1:0 \
        --port-file "$dir/port" 2> "$dir/log" &
    service=$!
    until [ -s "$dir/port" ]; do kill -0 "$service"; sleep 0.05; done
}

best=
slowest=
for _ in $(seq "$BENCH_RUNS"); do
    start
    # shellcheck disable=SC2086  # a list of tokens
    "$OKNO_BUILD/tools/load" "$(cat "$dir/port")" "$seconds" 100 $tokens > "$dir/sums.json"
    memory=$(awk '/VmHWM/ {printf "%.1f", $2 / 1024}' "/proc/$service/status")
    stop
    # What was acknowledged is there, and nothing else.
    stored=$(sqlite3 "$dir/data/okno.db" 'SELECT count(*) FROM events')
    jq -e ".acknowledged == $stored and .failed == 0" "$dir/sums.json" > /dev/null ||
        { echo "acknowledged and stored ($stored) differ: $(cat "$dir/sums.json")"; exit 1; }
    best=$(higher "$best" "$(jq -r .per_second "$dir/sums.json")")
    slowest=$(lower "$slowest" "$(jq -r .slowest_ms "$dir/sums.json")")
done
at_least "acknowledged events over HTTP" "$best" "$target" events/s 1
for_information "slowest answer, 16 devices at once" "$slowest" 1000 ms
for_information "memory of the service" "$memory" 64 MiB
rm -rf "$dir"
