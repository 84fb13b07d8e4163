#!/bin/sh
# Surveys out of 10,000,000 events: the rules applied to all of them, nothing stored, beside reading the
# same rows through SQLite in C, every column taken: in the order of the table, and in the order of time.
# Memory of the whole process. A tenth as many, so that it shows whether time grows with the number.
# Then, on the tenth: storing the surveys, and what one late event costs when they are stored.
set -eu
. "$(dirname "$0")/lib"
events=${BENCH_QUICK:+100000}
events=${events:-10000000}
tool=$OKNO_BUILD/tools/survey
dir=$BENCH_DIR/survey
mkdir -p "$dir"

make_data() { # EVENTS
    [ -s "$dir/$1/made" ] && return
    rm -rf "$dir/$1"
    mkdir -p "$dir/$1"
    "$tool" make "$dir/$1" "$1"
    echo yes > "$dir/$1/made"
}

best() { # WHAT DIR: the least seconds of several runs
    _best=
    for _ in $(seq "$BENCH_RUNS"); do
        _best=$(lower "$_best" "$("$tool" "$1" "$2" 2> "$BENCH_DIR/last")")
    done
    echo "$_best"
}

tenth=$((events / 10))
make_data "$events"
make_data "$tenth"
scan=$(best scan "$dir/$events")
ours=$(best assemble "$dir/$events")
at_most "assembly of $events events, beside reading the table" "$ours" "$scan" s 3
at_most "assembly of $events events, beside reading in time" "$ours" "$(best read "$dir/$events")" s 3
at_most "memory, assembly of $events events" "$(peak_mib "$tool" assemble "$dir/$events")" 64 MiB 1
at_most "assembly, time of an event, beside a tenth as many" \
    "$(echo "$ours $events" | awk '{printf "%.3f", $1 * 1e6 / $2}')" \
    "$(echo "$(best assemble "$dir/$tenth") $tenth" | awk '{printf "%.3f", $1 * 1e6 / $2}')" us 1.5
rm -rf "$dir/stored"
cp -r "$dir/$tenth" "$dir/stored"
at_most "memory, storing the surveys of $tenth events" "$(peak_mib "$tool" store "$dir/stored")" 64 MiB 1
rm -rf "$dir/stored"
cp -r "$dir/$tenth" "$dir/stored"
store=$("$tool" store "$dir/stored" 2> "$BENCH_DIR/last")
for_information "storing the surveys of $tenth events" "$store" "$(best assemble "$dir/$tenth")" s
for_information "one late event among $tenth, until surveys follow" "$(best late "$dir/stored")" "$store" s
rm -rf "$dir/stored"
