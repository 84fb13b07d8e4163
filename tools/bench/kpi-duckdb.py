"""The statement of kpi.sql in DuckDB, for information: kpi-duckdb.py CSV prints the seconds it takes, best of
three, over a table of its own made from CSV (decisions joined already), and what it found."""
import sys, time
import duckdb

base = duckdb.connect()
base.execute("CREATE TABLE surveys AS SELECT * FROM read_csv(?, header=true, all_varchar=false)", [sys.argv[1]])
counted = "coalesce(verdict, '') <> 'invalid' AND NOT voided"
lost = "CASE WHEN answer = 'no' THEN 1.0 WHEN answer IS NULL THEN 0.5 ELSE 0.0 END"
statement = f"""
SELECT count(*), sum(ink_raw), sum(ink_excluded) FROM (
SELECT point, strftime(make_timestamp(opened_at + 10800000000), '%Y-%m') AS month, count(*),
       count(*) FILTER (answer IS NULL), count(*) FILTER (late_answers > 0), count(*) FILTER (flags = 'superseded'),
       count(*) FILTER (question_kind = 'office' AND answer = 'yes'), count(*) FILTER (question_kind = 'office' AND answer = 'no'),
       count(*) FILTER (question_kind = 'office' AND answer IS NULL),
       sum({lost}) FILTER (question_kind = 'office') / count(*) FILTER (question_kind = 'office') AS ink_raw,
       count(*) FILTER ({counted}),
       sum({lost}) FILTER (question_kind = 'office' AND {counted}) / count(*) FILTER (question_kind = 'office' AND {counted}) AS ink_excluded
FROM surveys GROUP BY 1, 2)"""
best = None
for _ in range(3):
    begin = time.monotonic()
    found = base.execute(statement).fetchone()
    took = time.monotonic() - begin
    best = took if best is None else min(best, took)
print(f"{best:.3f}")
print(*found, file=sys.stderr)
