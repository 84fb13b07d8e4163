-- name: kpi.surveys_scan
-- Closed surveys of a period as their own rows say, in the order of the table.
SELECT '' AS survey, site, point, employee, question, question_kind, answer, flags, opened_at,
       closes_at, late_answers, force_majeure, auto_void, 0 AS judged
FROM surveys
WHERE +opened_at >= $from AND +opened_at < $to AND state <> 'open' AND test = 0;

-- name: kpi.surveys_some
-- The same by the index, for a small part of all.
SELECT '' AS survey, site, point, employee, question, question_kind, answer, flags, opened_at,
       closes_at, late_answers, force_majeure, auto_void, 0 AS judged
FROM surveys
WHERE opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0;

-- name: kpi.surveys_point
-- The same of one point, told which of them somebody decided on.
SELECT survey, site, point, employee, question, question_kind, answer, flags, opened_at, closes_at,
       late_answers, force_majeure, auto_void,
       EXISTS (SELECT 1 FROM kpi_judged j WHERE j.survey = s.survey) AS judged
FROM surveys s
WHERE point = $point AND opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0;

-- name: kpi.first_survey
SELECT min(opened_at) FROM surveys;

-- name: kpi.last_survey
SELECT max(opened_at) FROM surveys;

-- name: kpi.judged
-- Surveys of a period that somebody decided on.
SELECT j.survey FROM kpi_judged j CROSS JOIN surveys s ON s.survey = j.survey
WHERE s.opened_at >= $from AND s.opened_at < $to;

-- name: kpi.decided
-- One survey with what was decided beside its ruling; moved: a manager said whose it is.
SELECT s.survey, s.site, s.point, s.employee, s.question, s.question_kind, s.answer, s.flags,
       s.opened_at, s.closes_at, s.late_answers, s.force_majeure, s.auto_void, 1 AS judged,
       coalesce((SELECT voided FROM voids v WHERE v.survey = s.survey ORDER BY id DESC LIMIT 1),
                s.auto_void) AS voided,
       a.id IS NOT NULL AS moved, a.employee AS moved_to
FROM surveys s LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.survey = $survey AND s.state <> 'open' AND s.test = 0;

-- name: kpi.ruling
SELECT verdict, reason, correction FROM rulings WHERE survey = $survey;

-- name: kpi.false_fm
-- Surveys that were once ruled to lie in no force majeure; their ruling says whether they still are.
SELECT DISTINCT survey FROM verdicts WHERE correction = 'FALSE_FM';

-- name: kpi.situations_of
-- Such a ruling clears the whole situation it was given in, for every survey that it touches.
SELECT f.situation, f.point, f.first_at, f.until_at
FROM surveys s JOIN force_majeure f ON f.point = s.point AND f.first_at < s.closes_at
                                   AND f.until_at > s.opened_at
WHERE s.survey = $survey;

-- name: kpi.situations_at
SELECT situation FROM force_majeure
WHERE point = $point AND first_at < $closes AND until_at > $opened;

-- name: kpi.situations_after
-- A survey before the first hold is under force majeure where a reviewer confirmed that it reached
-- back to it.
SELECT situation FROM force_majeure
WHERE point = $point AND first_at >= $closes AND first_at < $closes + 600000000
  AND $opened IS NOT NULL;

-- name: kpi.situations
SELECT situation, point, site, first_at AS at, 0 AS moved, NULL AS moved_to FROM force_majeure
WHERE first_at >= $from AND first_at < $to;

-- name: kpi.situations_point
SELECT situation, point, site, first_at AS at, 0 AS moved, NULL AS moved_to FROM force_majeure
WHERE point = $point AND first_at >= $from AND first_at < $to;

-- name: kpi.ratings
-- Spontaneous ratings of panels with what decides how they count; each knows whose it is. Answers of
-- other channels, such as QR codes, never mix into the indices.
SELECT x.rating, x.point, x.site, x.answer, x.at, 1 AS moved,
       CASE WHEN a.id IS NULL THEN x.employee ELSE a.employee END AS moved_to,
       coalesce((SELECT voided FROM voids v WHERE v.survey = x.rating ORDER BY id DESC LIMIT 1), 0)
           AS voided,
       EXISTS (SELECT 1 FROM kpi_judged j WHERE j.survey = x.rating) AS judged
FROM spontaneous x LEFT JOIN attributed a ON a.survey = x.rating
WHERE x.at >= $from AND x.at < $to AND x.test = 0 AND x.channel = 'panel';

-- name: kpi.ratings_point
SELECT x.rating, x.point, x.site, x.answer, x.at, 1 AS moved,
       CASE WHEN a.id IS NULL THEN x.employee ELSE a.employee END AS moved_to,
       coalesce((SELECT voided FROM voids v WHERE v.survey = x.rating ORDER BY id DESC LIMIT 1), 0)
           AS voided,
       EXISTS (SELECT 1 FROM kpi_judged j WHERE j.survey = x.rating) AS judged
FROM spontaneous x LEFT JOIN attributed a ON a.survey = x.rating
WHERE x.point = $point AND x.at >= $from AND x.at < $to AND x.test = 0 AND x.channel = 'panel';

-- name: kpi.sites
SELECT site, time_zone FROM sites
WHERE id IN (SELECT max(id) FROM sites GROUP BY site) ORDER BY site;

-- name: kpi.site_groups
SELECT site, hours_from, site_group FROM site_versions ORDER BY site, hours_from;

-- name: kpi.points
SELECT point, site FROM points
WHERE id IN (SELECT max(id) FROM points GROUP BY point) ORDER BY point;

-- name: kpi.counts
-- The rows that touch a period; of those with one scope, kind and interval the newest stands, the
-- others were corrected.
SELECT scope, kind, valid_from, valid_to, count, source,
       (SELECT count(*) FROM counts d WHERE d.scope = c.scope AND d.kind = c.kind
        AND d.valid_from = c.valid_from AND d.valid_to = c.valid_to) - 1 AS corrections
FROM counts c
WHERE valid_to > $from AND valid_from < $to
  AND id = (SELECT max(id) FROM counts d WHERE d.scope = c.scope AND d.kind = c.kind
            AND d.valid_from = c.valid_from AND d.valid_to = c.valid_to)
ORDER BY scope, kind, valid_from, valid_to;

-- name: kpi.any_transaction
SELECT EXISTS (SELECT 1 FROM transactions WHERE at >= $from AND at < $to);

-- name: kpi.transactions_point
-- Sales at a point, of one employee or of any; of rows with one id the newest stands.
SELECT count(*) FROM transactions t
WHERE point = $point AND at >= $from AND at < $to AND ($employee IS NULL OR employee = $employee)
  AND id = (SELECT max(id) FROM transactions u WHERE u.txn = t.txn);

-- name: kpi.transactions_employee
SELECT count(*) FROM transactions t
WHERE employee = $employee AND at >= $from AND at < $to AND $point IS NULL
  AND id = (SELECT max(id) FROM transactions u WHERE u.txn = t.txn);

-- name: kpi.works_elsewhere
-- Whether an employee has a shift in a period at another point or site than the asked one.
SELECT EXISTS (SELECT 1 FROM shifts h
               WHERE h.employee = $employee AND h.valid_from < $to AND h.valid_to > $from
                 AND (($point IS NOT NULL AND h.point <> $point)
                      OR ($site IS NOT NULL AND $site <> (SELECT p.site FROM points p
                          WHERE p.point = h.point ORDER BY p.id DESC LIMIT 1))));

-- name: kpi.employee_at
-- Who served at a point at a moment, where that is certain: of rows of the same shift the newest stands.
SELECT min(h.employee) AS employee FROM shifts h
WHERE h.point = $point AND h.valid_from <= $at AND h.valid_to > $at
  AND h.id = (SELECT max(g.id) FROM shifts g WHERE g.point = h.point
              AND g.valid_from = h.valid_from AND g.employee = h.employee)
HAVING count(DISTINCT h.employee) = 1;

-- name: kpi.built
SELECT built FROM kpi_state;

-- name: kpi.set_built
UPDATE kpi_state SET built = $built;

-- name: kpi.survey_rows
-- About how many surveys there are.
SELECT max(rowid) FROM surveys;

-- name: kpi.first_moment
SELECT min(at) FROM (SELECT min(opened_at) AS at FROM surveys UNION ALL
                     SELECT min(first_at) FROM force_majeure UNION ALL SELECT min(at) FROM spontaneous);

-- name: kpi.last_moment
SELECT max(at) FROM (SELECT max(opened_at) AS at FROM surveys UNION ALL
                     SELECT max(first_at) FROM force_majeure UNION ALL SELECT max(at) FROM spontaneous);

-- name: kpi.dirty
SELECT point, first_hour, last_hour FROM kpi_dirty ORDER BY point, first_hour, last_hour;

-- name: kpi.any_dirty
SELECT EXISTS (SELECT 1 FROM kpi_dirty);

-- name: kpi.clear_dirty
DELETE FROM kpi_dirty;

-- name: kpi.clear_cells
DELETE FROM kpi_cells;

-- name: kpi.cells
SELECT month, point, body FROM kpi_cells
WHERE grain = $grain AND month >= $from AND month < $to ORDER BY month, point;

-- name: kpi.cell
SELECT body FROM kpi_cells WHERE grain = $grain AND month = $month AND point = $point;

-- name: kpi.put_cell
INSERT INTO kpi_cells (grain, month, point, body) VALUES ($grain, $month, $point, $body)
ON CONFLICT (grain, month, point) DO UPDATE SET body = excluded.body;

-- name: kpi.drop_cell
DELETE FROM kpi_cells WHERE grain = $grain AND month = $month AND point = $point;

-- name: kpi.last_weight
SELECT k FROM kpi_weights ORDER BY id DESC LIMIT 1;

-- name: kpi.add_weight
INSERT INTO kpi_weights (at, k) VALUES ($at, $k);
