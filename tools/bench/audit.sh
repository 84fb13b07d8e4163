#!/bin/sh
# An audit of a million surveys: freeze, draw by strata, report; the time of all three together and the most
# memory that one of them takes.
set -eu
. "$(dirname "$0")/lib"
count=1000000
[ -z "$BENCH_QUICK" ] || count=20000
made=$BENCH_DIR/audit-$count
if [ ! -e "$made/okno.db" ]; then
    rm -rf "$made.part"
    "$OKNO" --data "$made.part" init > /dev/null 2>&1
    # 20 sites of 5 points over 60 days, answers of every kind. No points are described: surveys that
    # have no events would be taken away when something new concerns theirs.
    sqlite3 "$made.part/okno.db" > /dev/null <<SQL
PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'bench', 'sites', '-');
WITH RECURSIVE s (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < 19)
INSERT INTO sites (import, site, name, time_zone) SELECT 1, 's' || i, 'Site ' || i, 'Europe/Moscow' FROM s;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $count - 1)
INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at, closes_at, state,
    answer, force_majeure, device_offset_us, device_uncertainty_us)
SELECT printf('d%d.0.%d', i % 100, i), 'p' || (i % 100), 's' || (i % 100 / 5), 'e' || (i % 300), 'q',
    CASE i / 7 % 3 WHEN 0 THEN 'personnel' WHEN 1 THEN 'office' ELSE 'loyalty' END,
    1773126000000000 + i * 5000000, 1773126015000000 + i * 5000000,
    CASE WHEN i / 100 % 10 > 7 THEN 'silent' ELSE 'answered' END,
    CASE WHEN i / 100 % 10 < 5 THEN 'yes' WHEN i / 100 % 10 = 5 THEN 'unsure' WHEN i / 100 % 10 < 8 THEN 'no' END,
    0, 0, 0 FROM n;
SQL
    mv "$made.part" "$made"
fi
data=$BENCH_DIR/audit-run
audit() { "$OKNO" --data "$data" audit "$@"; }
start() {
    rm -rf "$data"
    cp -r "$made" "$data"
    audit plan a --from 2026-03-10T00:00:00Z --to 2026-05-20T00:00:00Z --size 1000 --strata site --looks 2 > /dev/null
}
decide() {
    sqlite3 "$data/okno.db" "UPDATE review_items SET state = 'decided';
        INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version)
        SELECT item, audit, survey, 'bench', 1779300000000000, CASE item % 9 WHEN 0 THEN 'invalid' ELSE 'valid' END,
            CASE item % 9 WHEN 0 THEN 'STAFF_PRESSED' END, 1 FROM review_items"
}
pin() { audit checkpoint a -o "$BENCH_DIR/audit.checkpoint" && audit seed a --seed 18364520937745610298; }

start
freeze=$(seconds audit freeze a)
pin > /dev/null
draw=$(seconds audit draw a)
decide
audit close a > /dev/null
report=$(seconds audit report a -o "$BENCH_DIR/audit-report.json" --format json)
echo "freeze $freeze s, draw $draw s, report $report s"
whole=$(echo "$freeze $draw $report" | awk '{print $1 + $2 + $3}')
at_most "audit of $count surveys: freeze, draw, report" "$whole" 60 s 1
for format in pdf xlsx; do
    paper=$(seconds audit report a -o "$BENCH_DIR/audit-report.$format" --format $format)
    at_most "its report as $format" "$paper" 10 s 1
done

start
freeze=$(peak_mib "$OKNO" --data "$data" audit freeze a)
pin > /dev/null
draw=$(peak_mib "$OKNO" --data "$data" audit draw a)
decide
audit close a > /dev/null
report=$(peak_mib "$OKNO" --data "$data" audit report a -o "$BENCH_DIR/audit-report.json" --format json)
echo "freeze $freeze MiB, draw $draw MiB, report $report MiB"
most=$(printf '%s\n' "$freeze" "$draw" "$report" | sort -n | tail -n 1)
at_most "audit of $count surveys, most memory" "$most" 256 MiB 1
rm -rf "$data"
