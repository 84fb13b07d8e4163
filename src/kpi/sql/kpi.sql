-- name: kpi.surveys
-- Closed surveys of a period with what decides how they count. A FALSE_FM ruling clears the whole
-- situation it was given in, for every survey that the situation touches. A survey before the first
-- hold is under force majeure where a reviewer confirmed that it reached back to it.
WITH cleared AS (
    SELECT DISTINCT f.situation FROM force_majeure f
    JOIN surveys s ON s.point = f.point AND s.opened_at < f.until_at AND s.closes_at > f.first_at
    JOIN rulings r ON r.survey = s.survey AND r.verdict = 'valid' AND r.correction = 'FALSE_FM'
)
SELECT s.survey, s.point, s.site,
       coalesce(CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END, 'unassigned')
           AS employee,
       coalesce(s.question, '') AS question, coalesce(s.question_kind, '') AS question_kind,
       s.opened_at, s.answer, s.late_answers, s.force_majeure,
       (' ' || s.flags || ' ') LIKE '% superseded %' AS superseded,
       CASE WHEN s.force_majeure THEN EXISTS (
           SELECT 1 FROM force_majeure f WHERE f.point = s.point AND s.opened_at < f.until_at
           AND s.closes_at > f.first_at AND f.situation NOT IN (SELECT situation FROM cleared))
       WHEN r.verdict = 'valid' AND r.correction = 'FM_REACHES_BACK' THEN EXISTS (
           SELECT 1 FROM force_majeure f WHERE f.point = s.point AND f.first_at >= s.closes_at
           AND f.first_at < s.closes_at + 600000000
           AND f.situation NOT IN (SELECT situation FROM cleared))
       ELSE 0 END AS fm_stands,
       coalesce((SELECT voided FROM voids v WHERE v.survey = s.survey ORDER BY id DESC LIMIT 1),
                s.auto_void) AS voided,
       r.verdict, r.reason
FROM surveys s LEFT JOIN rulings r ON r.survey = s.survey
LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
ORDER BY s.opened_at, s.survey;

-- name: kpi.situations
WITH cleared AS (
    SELECT DISTINCT f.situation FROM force_majeure f
    JOIN surveys s ON s.point = f.point AND s.opened_at < f.until_at AND s.closes_at > f.first_at
    JOIN rulings r ON r.survey = s.survey AND r.verdict = 'valid' AND r.correction = 'FALSE_FM'
)
SELECT f.point, f.site, f.first_at AS opened_at,
       f.situation IN (SELECT situation FROM cleared) AS cleared, 0 AS known, '' AS employee
FROM force_majeure f WHERE f.first_at >= $from AND f.first_at < $to
ORDER BY f.first_at, f.situation;

-- name: kpi.spontaneous
-- Ratings with what decides how they count.
SELECT x.point, x.site, x.answer, x.at AS opened_at, 1 AS known,
       coalesce(CASE WHEN a.id IS NULL THEN x.employee ELSE a.employee END, 'unassigned')
           AS employee,
       coalesce((SELECT voided FROM voids v WHERE v.survey = x.rating ORDER BY id DESC LIMIT 1), 0)
           AS voided,
       coalesce(r.verdict = 'invalid', 0) AS invalid
FROM spontaneous x LEFT JOIN attributed a ON a.survey = x.rating
LEFT JOIN rulings r ON r.survey = x.rating
WHERE x.at >= $from AND x.at < $to AND x.test = 0 ORDER BY x.at, x.rating;

-- name: kpi.sites
SELECT site, time_zone, site_group FROM sites
WHERE id IN (SELECT max(id) FROM sites GROUP BY site) ORDER BY site;

-- name: kpi.points
SELECT point, site FROM points
WHERE id IN (SELECT max(id) FROM points GROUP BY point) ORDER BY point;

-- name: kpi.counts
-- The rows of one scope and kind that touch a period; a corrected row replaces the one of the same
-- interval.
SELECT valid_from, valid_to, count FROM counts c
WHERE scope = $scope AND kind = $kind AND valid_to > $from AND valid_from < $to
  AND id = (SELECT max(id) FROM counts d WHERE d.scope = c.scope AND d.kind = c.kind
            AND d.valid_from = c.valid_from AND d.valid_to = c.valid_to)
ORDER BY valid_from;

-- name: kpi.employee_at
-- Who served at a point at a moment; no row or two rows: nobody certain.
SELECT DISTINCT employee FROM shifts
WHERE point = $point AND valid_from <= $at AND valid_to > $at LIMIT 2;
