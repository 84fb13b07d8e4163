-- name: period.overlapping
SELECT period FROM pay_periods
WHERE from_at < $to AND to_at > $from AND (site IS NULL OR $site IS NULL OR site = $site)
ORDER BY period LIMIT 1;

-- name: period.open_surveys
SELECT count(*) FROM surveys
WHERE opened_at >= $from AND opened_at < $to AND state = 'open' AND ($site IS NULL OR site = $site);

-- name: period.open_reviews
-- Sampled surveys of the period in audits that are not over, without a decision.
SELECT count(*) FROM review_items i JOIN audits a ON a.audit = i.audit
JOIN subjects s ON s.survey = i.survey
WHERE i.state = 'open' AND i.part < 3 AND a.state NOT IN ('closed', 'abandoned')
  AND s.opened_at >= $from AND s.opened_at < $to AND ($site IS NULL OR s.site = $site);

-- name: period.open_audits
-- An audit of the period whose sample is not even drawn.
SELECT audit FROM audits
WHERE state IN ('planned', 'frozen', 'checkpointed', 'seeded') AND period_from < $to
  AND period_to > $from AND $site IS $site
ORDER BY audit LIMIT 1;

-- name: period.appeals
-- Open appeals about surveys of a period that count for an employee.
SELECT count(*) FROM open_appeals a JOIN subjects s ON s.survey = a.survey
LEFT JOIN attributed m ON m.survey = a.survey
WHERE s.opened_at >= $from AND s.opened_at < $to AND ($site IS NULL OR s.site = $site)
  AND coalesce(CASE WHEN m.id IS NULL THEN s.employee ELSE m.employee END, 'unassigned') = $employee;

-- name: period.escalations
-- Closer looks at an employee that are not over, of audits that touch a period.
SELECT count(*) FROM open_escalations e JOIN audits a ON a.audit = e.audit
WHERE e.scope = 'employee:' || $employee AND a.period_from < $to AND a.period_to > $from;

-- name: period.appeals_settled
-- Employees whose statement waited for appeals that are all decided now, and who were not told yet.
SELECT p.employee FROM pay_statements p JOIN pay_periods q ON q.period = p.period
WHERE p.period = $period AND p.state = 'under_appeal'
  AND NOT EXISTS (SELECT 1 FROM pay_adjustments x WHERE x.of_period = p.period
                  AND x.employee = p.employee AND json_extract(x.adjustment, '$.appeal_settled'))
  AND NOT EXISTS (
      SELECT 1 FROM open_appeals a JOIN subjects s ON s.survey = a.survey
      LEFT JOIN attributed m ON m.survey = a.survey
      WHERE s.opened_at >= q.from_at AND s.opened_at < q.to_at AND (q.site IS NULL OR s.site = q.site)
        AND coalesce(CASE WHEN m.id IS NULL THEN s.employee ELSE m.employee END, 'unassigned')
            = p.employee);

-- name: period.zones
SELECT DISTINCT time_zone FROM sites
WHERE id IN (SELECT max(id) FROM sites GROUP BY site) AND ($site IS NULL OR site = $site)
ORDER BY time_zone LIMIT 2;

-- name: period.employees
-- Everybody with a shift in the period.
SELECT DISTINCT h.employee FROM shifts h
JOIN points p ON p.id = (SELECT max(q.id) FROM points q WHERE q.point = h.point)
WHERE h.valid_from < $to AND h.valid_to > $from AND ($site IS NULL OR p.site = $site)
  AND h.id = (SELECT max(g.id) FROM shifts g WHERE g.point = h.point
              AND g.valid_from = h.valid_from AND g.employee = h.employee)
ORDER BY h.employee;

-- name: period.name
SELECT name FROM employees WHERE employee = $employee ORDER BY id DESC LIMIT 1;

-- name: period.next
SELECT coalesce(max(period), 0) + 1 FROM pay_periods;

-- name: period.add
INSERT INTO pay_periods (period, site, from_at, to_at, zone, audit, closed_at, author, accepted,
                         settings, data, snapshot, sha256, note)
VALUES ($period, $site, $from, $to, $zone, $audit, $closed_at, $author, $accepted, $settings, $data,
        $snapshot, $sha256, $note);

-- name: period.add_statement
INSERT INTO pay_statements (period, employee, state, statement, sha256, note)
VALUES ($period, $employee, $state, $statement, $sha256, $note);

-- name: period.add_adjustment
INSERT INTO pay_adjustments (period, of_period, employee, adjustment, became)
VALUES ($period, $of_period, $employee, $adjustment, $became);

-- name: period.get
SELECT p.*, (SELECT count(*) FROM pay_adjustments a WHERE a.of_period = p.period) AS adjusted
FROM pay_periods p WHERE period = $period;

-- name: period.list
SELECT period FROM pay_periods ORDER BY from_at DESC, period DESC;

-- name: period.states
SELECT state, count(*) AS count FROM pay_statements WHERE period = $period GROUP BY state;

-- name: period.statements
SELECT employee, state, statement, sha256, note FROM pay_statements WHERE period = $period
ORDER BY employee;

-- name: period.statements_of
SELECT employee, state, statement, sha256, note FROM pay_statements WHERE employee = $employee
ORDER BY period DESC;

-- name: period.carried
-- What a later closing carried of a period.
SELECT period, employee, adjustment FROM pay_adjustments WHERE of_period = $period ORDER BY id;

-- name: period.carried_by
-- What a closing carried for one employee.
SELECT adjustment FROM pay_adjustments WHERE period = $period AND employee = $employee ORDER BY id;

-- name: period.earlier
-- Closed before, of the same sites: what a new closing has to look after.
SELECT period FROM pay_periods
WHERE period < $period AND (site IS $site OR $site IS NULL) ORDER BY period;

-- name: period.became
-- The figures of an employee that were settled last: by the newest adjustment.
SELECT became FROM pay_adjustments WHERE of_period = $period AND employee = $employee
ORDER BY id DESC LIMIT 1;

-- name: period.settled
-- The data and moment up to which changes of a period are settled: its own, or those of the newest
-- closing that carried adjustments of its sites.
SELECT q.data, q.closed_at FROM pay_periods p JOIN pay_periods q
    ON q.period = p.period OR (q.period > p.period AND (p.site IS q.site OR q.site IS NULL))
WHERE p.period = $period AND q.period < $before ORDER BY q.period DESC LIMIT 1;

-- name: period.causes
-- What was decided, corrected or told after the marks about surveys of a period, by the employee it
-- may concern (NULL: everybody). Newest last. A change of nothing but flags moves no figure; one of
-- nothing else but the employee comes from a shift.
WITH subject AS (
    SELECT s.survey, s.employee AS shift, a.id AS moved, a.employee AS moved_to, s.placed_at,
           CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee
    FROM subjects s LEFT JOIN attributed a ON a.survey = s.survey
    WHERE s.opened_at >= $from AND s.opened_at < $to AND ($site IS NULL OR s.site = $site)
)
SELECT CASE WHEN i.part >= 3 THEN 'appeal' ELSE 'verdict' END AS cause, v.survey, v.at,
       coalesce(s.employee, 'unassigned') AS employee
FROM verdicts v JOIN subject s ON s.survey = v.survey JOIN review_items i ON i.item = v.item
WHERE v.id > $verdicts AND v.counted = 1 AND i.origin NOT IN ('gold', 'calibration')
UNION ALL
SELECT 'void', v.survey, v.at, coalesce(s.employee, 'unassigned')
FROM voids v JOIN subject s ON s.survey = v.survey WHERE v.id > $voids
UNION ALL
SELECT 'attribution', a.survey, a.at, coalesce(CASE WHEN a.undone THEN s.shift ELSE a.employee END,
                                               'unassigned')
FROM attributions a JOIN subject s ON s.survey = a.survey WHERE a.id > $attributions
UNION ALL
SELECT 'attribution', a.survey, a.at, coalesce(
    (SELECT CASE WHEN b.undone THEN s.shift ELSE coalesce(b.employee, 'unassigned') END
     FROM attributions b WHERE b.survey = a.survey AND b.id < a.id ORDER BY b.id DESC LIMIT 1),
    s.shift, 'unassigned')
FROM attributions a JOIN subject s ON s.survey = a.survey WHERE a.id > $attributions
UNION ALL
SELECT 'late_event', s.survey, s.placed_at, coalesce(s.employee, 'unassigned')
FROM subject s WHERE s.placed_at > $closed_at
UNION ALL
SELECT CASE WHEN json_remove(h.was, '$.flags', '$.employee')
                 = json_remove(h.became, '$.flags', '$.employee') THEN 'shift' ELSE 'late_event' END,
       h.survey, h.at, coalesce(json_extract(h.became, '$.employee'), s.employee, 'unassigned')
FROM survey_history h JOIN subject s ON s.survey = h.survey
WHERE h.at > $closed_at AND json_remove(h.was, '$.flags') IS NOT json_remove(h.became, '$.flags')
UNION ALL
SELECT CASE WHEN json_remove(h.was, '$.flags', '$.employee')
                 = json_remove(h.became, '$.flags', '$.employee') THEN 'shift' ELSE 'late_event' END,
       h.survey, h.at, coalesce(json_extract(h.was, '$.employee'), 'unassigned')
FROM survey_history h LEFT JOIN subject s ON s.survey = h.survey
WHERE h.at > $closed_at AND h.was IS NOT NULL
  AND json_remove(h.was, '$.flags') IS NOT json_remove(h.became, '$.flags')
  AND (s.survey IS NOT NULL
       OR (h.became IS NULL AND json_extract(h.was, '$.opened_at') >= $from_text
           AND json_extract(h.was, '$.opened_at') < $to_text))
UNION ALL
SELECT 'count_correction', NULL, i.at,
       CASE WHEN c.scope LIKE 'employee:%' THEN substr(c.scope, 10) END
FROM counts c JOIN imports i ON i.import = c.import
WHERE c.id > $counts AND c.valid_from < $to AND c.valid_to > $from
UNION ALL
SELECT 'count_correction', NULL, i.at, t.employee
FROM transactions t JOIN imports i ON i.import = t.import
WHERE t.id > $transactions AND t.at >= $from AND t.at < $to
UNION ALL
SELECT 'shift', NULL, i.at, NULL FROM shifts h JOIN imports i ON i.import = h.import
WHERE h.id > $shifts AND h.valid_from < $to AND h.valid_to > $from
UNION ALL
SELECT 'registry', NULL, i.at, NULL FROM imports i
WHERE i.at > $closed_at AND i.kind IN ('sites', 'points', 'devices', 'questions', 'clocks')
ORDER BY 3, 1, 2;

-- name: period.defer
PRAGMA defer_foreign_keys = ON;
