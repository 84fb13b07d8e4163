#!/bin/sh
# Indicators of two years of a chain by point and month: counted from every survey, beside the best single
# SQL statement in the sqlite3 shell; and again after one day of every point changed, from kept sums.
set -eu
here=$(dirname "$0")
. "$here/lib"
sites=25
[ -z "$BENCH_QUICK" ] || sites=1
data=$BENCH_DIR/kpi-$sites
figures="$OKNO_BUILD/tools/figures $data 2024-01-01 2026-01-01 point,month"

# A database of another schema is made anew.
version=$(sed -n '1,$p' src/base/sql/*.sql | cksum | cut -d' ' -f1)
if [ "$(cat "$data/version" 2> /dev/null)" != "$version" ]; then
    rm -rf "$data"
    echo "kpi-bench-password" | "$OKNO" --data "$data" init --password-stdin > /dev/null
    sqlite3 "$data/okno.db" ".param set :sites $sites" ".read $here/kpi-years.sql" > /dev/null
    echo "$version" > "$data/version"
fi
surveys=$(sqlite3 "$data/okno.db" "SELECT max(rowid) FROM surveys")
echo "$surveys surveys, $((sites * 10)) points, 24 months"

reference() { sqlite3 "$data/okno.db" ".read $here/kpi.sql" | tee "$BENCH_DIR/reference"; }
ours='' theirs='' kept='' built=''
run=0
while [ $run -lt "$BENCH_RUNS" ]; do
    theirs=$(lower "$theirs" "$(seconds reference)")
    ours=$(lower "$ours" "$($figures recount 1 2> "$BENCH_DIR/recount")")
    run=$((run + 1))
done

# The first use builds the sums; then a day of all points changes: every answer of it.
built=$(seconds $figures kept 1)
run=0
while [ $run -lt "$BENCH_RUNS" ]; do
    day=$((1735678800 + run * 86400)) # midnight in Moscow
    sqlite3 "$data/okno.db" "UPDATE surveys SET late_answers = late_answers + 1
        WHERE opened_at >= $day * 1000000 AND opened_at < ($day + 86400) * 1000000"
    kept=$(lower "$kept" "$($figures kept 1 2> "$BENCH_DIR/kept")")
    run=$((run + 1))
done
$figures recount 1 > /dev/null 2> "$BENCH_DIR/recount"
same=$(cut -d, -f2 "$BENCH_DIR/kept" | sort -u)
[ "$same" = "$(cut -d, -f2 "$BENCH_DIR/recount" | sort -u)" ] || { echo "kept sums differ from the count" >&2; exit 1; }
echo "both ways give the same bits:$same; building the sums took $built s"

at_most "indicators, full" "$ours" "$theirs" s 1

# DuckDB, where its Python module is installed (DUCKDB_PYTHON: another Python): its own table, decisions joined.
python=${DUCKDB_PYTHON:-python3}
if "$python" -c 'import duckdb' 2> /dev/null; then
    sqlite3 -header -csv "$data/okno.db" ".read $here/kpi-duckdb.sql" > "$BENCH_DIR/kpi-duckdb.csv"
    duck=$("$python" "$here/kpi-duckdb.py" "$BENCH_DIR/kpi-duckdb.csv" 2> "$BENCH_DIR/duckdb.found")
    echo "DuckDB found $(cat "$BENCH_DIR/duckdb.found"); SQLite $(tail -n 1 "$BENCH_DIR/reference")"
    rm -f "$BENCH_DIR/kpi-duckdb.csv"
    for_information "indicators, full, beside DuckDB on columns of its own" "$ours" "$duck" s
fi
at_most "indicators, one day changed, of 100 ms" "$kept" 0.1 s 1
