#!/bin/sh
# The draw: 10,000,000 ids from a file, beside hashing the same lines alone, and beside the published
# Python implementation of the same sampler where it is installed (on a tenth of the ids).
set -eu
. "$(dirname "$0")/lib"
count=10000000
[ -z "$BENCH_QUICK" ] || count=200000
ids=$BENCH_DIR/ids-$count.txt
few=$BENCH_DIR/ids-few-$count.txt
[ -e "$ids" ] || { seq -f 'till%.0f.0.17' 1 $count > "$ids.part"; mv "$ids.part" "$ids"; }
[ -e "$few" ] || { head -n $((count / 10)) "$ids" > "$few.part"; mv "$few.part" "$few"; }

draw() { "$OKNO" sample --seed 12345678901234567890 --size 1000 "$1"; }
ours='' hashing='' part='' python=''
has_python() { python3 -c 'import consistent_sampler' 2> /dev/null; }
in_python() {
    python3 -c '
import consistent_sampler, sys
ids = [line.rstrip("\n") for line in open(sys.argv[1])]
for id in consistent_sampler.sampler(ids, 12345678901234567890, take=1000, output="id"):
    print(id)' "$1"
}
for _ in $(seq "$BENCH_RUNS"); do
    ours=$(lower "$ours" "$(seconds draw "$ids")")
    hashing=$(lower "$hashing" "$(seconds "$OKNO_BUILD/tools/hashlines" "$ids")")
    if has_python; then
        part=$(lower "$part" "$(seconds draw "$few")")
        cut -f 2 "$BENCH_DIR/last" > "$BENCH_DIR/draw.ours"
        python=$(lower "$python" "$(seconds in_python "$few")")
        cmp "$BENCH_DIR/draw.ours" "$BENCH_DIR/last"
    fi
done
at_most "draw 1000 of $count ids, beside hashing alone" "$ours" "$hashing" s 3
at_most "draw 1000 of $count ids, memory" \
    "$(peak_mib "$OKNO" sample --seed 12345678901234567890 --size 1000 "$ids")" 200 MiB 1
if has_python; then
    at_most "draw 1000 of $((count / 10)) ids, beside consistent_sampler in Python" "$part" "$python" s 1
else
    echo "consistent_sampler for Python is not installed: not compared with it"
fi
