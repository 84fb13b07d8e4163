-- Two years of a chain of shops, put straight into the derived tables: $SITES sites of ten points in
-- Moscow, 730 days from 2024-01-01, 55 surveys a point and day between 09:00 and 20:00. Answers, silent
-- ones, employees, decisions and force majeure follow fixed rules, so that every run has the same rows.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1500000;
BEGIN;
INSERT INTO imports (import, at, author, kind, source) VALUES (900001, 0, 'bench', 'sites', 'bench');
CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999) INSERT INTO n SELECT i FROM c;
INSERT INTO sites (import, site, name, time_zone, site_group)
SELECT 900001, 's' || i, 'Shop ' || i, 'Europe/Moscow', 'g' || i % 3 FROM n WHERE i < :sites;
INSERT INTO points (import, point, site, name)
SELECT 900001, 'p' || i, 's' || (i / 10), 'Till ' || i FROM n WHERE i < :sites * 10;
INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at, closes_at,
                     state, answer, answered_at, force_majeure, flags, device_offset_us,
                     device_uncertainty_us)
SELECT 'b' || p || '.0.' || (100000 + d * 55 + s), 'p' || p, 's' || (p / 10),
       CASE WHEN (d + p) % 29 = 0 THEN NULL ELSE 'e' || (p * 4 + (d + s / 28) % 4) END,
       'q' || (1 + d % 2), CASE d % 2 WHEN 0 THEN 'personnel' ELSE 'office' END,
       at, at + 15000000,
       CASE WHEN x < 20 THEN 'silent' ELSE 'answered' END,
       CASE WHEN x < 20 THEN NULL WHEN x < 82 THEN 'yes' WHEN x < 93 THEN 'no' ELSE 'unsure' END,
       CASE WHEN x < 20 THEN NULL ELSE at + 4000000 END,
       (p + d) % 40 = 0 AND s < 2, CASE WHEN x < 3 THEN 'superseded' ELSE '' END, 0, 0
FROM (SELECT d.i AS d, p.i AS p, s.i AS s,
             1704088800000000 + d.i * 86400000000 + s.i * 720000000 + p.i % 60 * 1000000 AS at,
             (d.i * 7919 + p.i * 104729 + s.i * 1299709) % 100 AS x
      FROM n d CROSS JOIN n p CROSS JOIN n s
      WHERE d.i < 730 AND p.i < :sites * 10 AND s.i < 55);
INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds)
SELECT 'b' || p.i || '.1.' || d.i, 'p' || p.i, 's' || (p.i / 10),
       1704088800000000 + d.i * 86400000000 + p.i % 60 * 1000000 + 5000000,
       1704088800000000 + d.i * 86400000000 + p.i % 60 * 1000000 + 725000000, 1
FROM n d CROSS JOIN n p WHERE d.i < 730 AND p.i < :sites * 10 AND (p.i + d.i) % 40 = 0;
-- One survey in 500 was looked at, one in ten of these was invalid; one in 5,000 was voided.
INSERT INTO review_items (item, audit, survey, place, origin, state)
SELECT rowid, 'bench', survey, rowid, 'random', 'decided' FROM surveys WHERE rowid % 500 = 7;
INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, correction, reasons_version)
SELECT item, 'bench', survey, 'eva', 1,
       CASE WHEN item % 10 = 7 AND item % 5000 = 7 THEN 'invalid' WHEN item % 5000 = 507 THEN
       'undeterminable' ELSE 'valid' END,
       CASE WHEN item % 5000 = 7 THEN 'STAFF_PRESSED' WHEN item % 5000 = 507 THEN 'TOO_DARK' END, NULL, 1
FROM review_items;
INSERT INTO voids (survey, voided, at, author, second, reason)
SELECT survey, 1, 1, 'ann', 'bob', 'bench' FROM surveys WHERE rowid % 5000 = 11;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
