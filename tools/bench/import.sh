#!/bin/sh
# Events from CSV into the database, beside the sqlite3 shell taking the same rows into a plain table with
# the same primary key; both on disk at the end. Memory for one size and for five times as much.
set -eu
. "$(dirname "$0")/lib"
rows=${BENCH_QUICK:+20000}
rows=${rows:-1000000}
devices=40
dir=$BENCH_DIR/import
mkdir -p "$dir"

# Panels of 40 points in the order in which things happened, as a till's server would export them.
make_events() { # ROWS FILE
    [ -s "$2" ] && return
    awk -v rows="$1" -v devices=$devices 'BEGIN {
        split("press yes press no press alive", kind, " ")
        print "device,seq,time,kind,duration_ms,boot"
        for (i = 0; i < rows; i++) {
            ms = i * 130; s = int(ms / 1000); day = int(s / 86400)
            printf "panel-%d,%d,2026-%02d-%02dT%02d:%02d:%02d.%03dZ,%s,,0\n", i % devices + 1, int(i / devices),
                int(day / 28) % 12 + 1, day % 28 + 1, int(s / 3600) % 24, int(s / 60) % 60, s % 60, ms % 1000,
                kind[int(i / devices) % 6 + 1]
        }
    }' > "$2.part"
    mv "$2.part" "$2"
}

# A data directory whose devices are known and not yet paired: what is measured is the import alone.
make_data() {
    rm -rf "$dir/data"
    echo 'correct horse battery' | "$OKNO" --data "$dir/data" init --password-stdin > /dev/null 2>&1
    for i in $(seq $devices); do "$OKNO" --data "$dir/data" token add --device "panel-$i"; done > /dev/null 2>&1
}

import() { "$OKNO" --data "$dir/data" import events "$1" --json; }

shell_import() {
    rm -f "$dir"/shell.db*
    sqlite3 "$dir/shell.db" <<SQL
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE events (device TEXT, seq INTEGER, time TEXT, kind TEXT, duration_ms INTEGER, boot INTEGER,
    PRIMARY KEY (device, boot, seq)) WITHOUT ROWID;
.import --csv --skip 1 $1 events
SQL
    [ "$(sqlite3 "$dir/shell.db" 'SELECT count(*) FROM events')" = "$rows" ]
}

make_events "$rows" "$dir/events-$rows.csv"
make_events $((rows * 5)) "$dir/events-$((rows * 5)).csv"
ours= shell=
for _ in $(seq "$BENCH_RUNS"); do
    shell=$(lower "$shell" "$(seconds shell_import "$dir/events-$rows.csv")")
    make_data
    ours=$(lower "$ours" "$(seconds import "$dir/events-$rows.csv")")
    grep -q "\"added\":$rows,\"duplicate\":0,\"rejected\":0" "$BENCH_DIR/last"
done
at_least "import of $rows events" "$(per_second "$rows" "$ours")" "$(per_second "$rows" "$shell")" rows/s 0.5
for count in "$rows" $((rows * 5)); do
    make_data
    peak=$(peak_mib "$OKNO" --data "$dir/data" import events "$dir/events-$count.csv")
    at_most "memory, import of $count events" "$peak" 64 MiB 1
done

# The same with devices that stand at points: the command also makes the surveys.
pair_devices() {
    { echo site,name,time_zone; echo S1,Shop,Europe/Berlin; } > "$dir/sites.csv"
    { echo point,site,name; seq -f 'till-%.0f,S1,Till' $devices; } > "$dir/points.csv"
    { echo device,point,from; seq $devices | sed 's/.*/panel-&,till-&,2025-01-01T00:00:00Z/'; } > "$dir/devices.csv"
    for kind in sites points devices; do
        "$OKNO" --data "$dir/data" import $kind "$dir/$kind.csv" > /dev/null
    done
}
make_data
pair_devices
peak=$(peak_mib "$OKNO" --data "$dir/data" import events "$dir/events-$rows.csv")
at_most "memory, import of $rows events and their surveys" "$peak" 64 MiB 1
rm -rf "$dir/data" "$dir"/shell.db* "$dir"/sites.csv "$dir"/points.csv "$dir"/devices.csv
