-- name: gold.add_calibration_items
-- Each open round is decided by everybody who reviews, apart from each other.
INSERT INTO review_items (item, audit, survey, place, origin, part, reader, state)
SELECT abs(random() % 1000000000000), 'calibration:' || c.calibration, x.survey, x.place, 'calibration', 0, $user, 'open'
FROM calibrations c JOIN calibration_items x ON x.calibration = c.calibration
WHERE c.closed_at IS NULL
ON CONFLICT DO NOTHING;

-- name: gold.left
-- How many gold items an audit still has to give, beside how many decisions it still waits for.
SELECT i.audit,
       coalesce(json_extract(a.plan, '$.gold'), 0)
           - (SELECT count(*) FROM review_items g WHERE g.audit = 'gold:' || i.audit
              AND g.state = 'decided') AS gold,
       (SELECT count(*) FROM review_items r WHERE r.audit = i.audit AND r.state = 'open') AS rest
FROM review_items i JOIN audits a ON a.audit = i.audit
WHERE i.item = $item AND i.origin = 'random';

-- name: gold.pick
-- A gold item that this expert may be asked: outside the audit's frame, never seen by them in any
-- audit, not theirs, and not made by them.
SELECT g.survey FROM gold_items g
WHERE g.author <> $user
  AND NOT EXISTS (SELECT 1 FROM audit_frame f WHERE f.audit = $audit AND f.survey = g.survey)
  AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.survey = g.survey AND v.user = $user)
  AND NOT EXISTS (
      SELECT 1 FROM users u JOIN subjects s ON s.survey = g.survey
      LEFT JOIN attributed m ON m.survey = g.survey
      WHERE u.user = $user AND u.employee IS NOT NULL
        AND (s.employee = u.employee OR m.employee = u.employee
             OR EXISTS (SELECT 1 FROM shifts h WHERE h.point = s.point AND h.employee = u.employee)))
  AND EXISTS (SELECT 1 FROM evidence e WHERE e.survey = g.survey)
ORDER BY random() LIMIT 1;

-- name: gold.add_item
-- Looks like any item of the audit. One that was given and not decided is given again.
INSERT INTO review_items (item, audit, survey, place, origin, part, reader, state)
SELECT abs(random() % 1000000000000), 'gold:' || $audit, $survey, place, 'gold', 0, $user, 'open'
FROM review_items WHERE audit = $audit ORDER BY random() LIMIT 1
ON CONFLICT (audit, survey, part, reader) DO UPDATE SET place = excluded.place
RETURNING item;

-- name: gold.is_lead
SELECT role = 'administrator' OR (role = 'expert' AND lead = 1) FROM users
WHERE user = $user AND disabled = 0;

-- name: gold.role
SELECT role FROM users WHERE user = $user;

-- name: gold.set_lead
UPDATE users SET lead = $lead WHERE user = $user;

-- name: gold.settled
-- What stands for a survey, and what keeps it from being settled.
SELECT r.id, r.verdict, r.reason, r.correction,
       coalesce(a.state NOT IN ('closed', 'abandoned'), 0) AS audit_open,
       EXISTS (SELECT 1 FROM open_appeals p WHERE p.survey = s.survey) AS appealed,
       EXISTS (SELECT 1 FROM evidence e WHERE e.survey = s.survey) AS kept
FROM subjects s LEFT JOIN rulings r ON r.survey = s.survey LEFT JOIN audits a ON a.audit = r.audit
WHERE s.survey = $survey;

-- name: gold.add
INSERT INTO gold (survey, verdict, reason, correction, ruling, at, author, note)
VALUES ($survey, $verdict, $reason, $correction, $ruling, $at, $author, $note) RETURNING id;

-- name: gold.retire
INSERT INTO gold (survey, verdict, reason, correction, ruling, retired, at, author, note)
SELECT survey, verdict, reason, correction, ruling, 1, $at, $author, $note FROM gold_items
WHERE survey = $survey RETURNING id;

-- name: gold.list
SELECT g.survey, g.verdict, g.reason, g.correction, g.at, g.author, g.note,
       count(v.id) AS asked, coalesce(sum(v.verdict = g.verdict), 0) AS right
FROM gold_items g LEFT JOIN votes v ON v.survey = g.survey AND v.origin = 'gold'
GROUP BY g.id ORDER BY g.id;

-- name: gold.calibration_add
INSERT INTO calibrations (calibration, title, at, author) VALUES ($calibration, $title, $at, $author)
ON CONFLICT DO NOTHING;

-- name: gold.calibration_item
INSERT INTO calibration_items (calibration, place, survey, verdict, reason, correction)
VALUES ($calibration, $place, $survey, $verdict, $reason, $correction)
ON CONFLICT DO NOTHING;

-- name: gold.calibration_close
UPDATE calibrations SET closed_at = $at, closed_by = $author
WHERE calibration = $calibration AND closed_at IS NULL;

-- name: gold.calibration_get
SELECT closed_at IS NOT NULL AS closed FROM calibrations WHERE calibration = $calibration;

-- name: gold.calibrations
SELECT c.calibration, c.title, c.at, c.author, c.closed_at,
       (SELECT count(*) FROM calibration_items x WHERE x.calibration = c.calibration) AS items
FROM calibrations c ORDER BY c.at DESC, c.calibration;

-- name: gold.calibration_results
-- Decisions of a round by expert, and how many of them are what the round holds true.
SELECT v.user, (SELECT name FROM users u WHERE u.user = v.user) AS name, count(*) AS decided,
       sum(v.verdict = x.verdict) AS right,
       sum(v.verdict = x.verdict AND v.reason IS x.reason) AS exact
FROM votes v JOIN calibration_items x
    ON x.calibration = substr(v.audit, 13) AND x.survey = v.survey
WHERE v.audit = 'calibration:' || $calibration AND ($user IS NULL OR v.user = $user)
GROUP BY v.user ORDER BY v.user;

-- name: gold.calibration_votes
SELECT x.place, v.user, v.verdict FROM votes v JOIN calibration_items x
    ON x.calibration = substr(v.audit, 13) AND x.survey = v.survey
WHERE v.audit = 'calibration:' || $calibration ORDER BY x.place, v.user;

-- name: reviewer.users
SELECT u.user, u.name FROM users u
WHERE ($user IS NULL OR u.user = $user)
  AND (u.user = $user OR EXISTS (
      SELECT 1 FROM verdicts v WHERE v.user = u.user AND v.at >= $from AND v.at < $to
      AND ($audit IS NULL OR v.audit IN ($audit, 'gold:' || $audit))))
ORDER BY u.user;

-- name: reviewer.decided
-- What stands of an expert's own decisions in a period. For the expert's own eyes (own) nothing that
-- others said in an audit that goes on.
WITH mine AS (
    SELECT v.id, v.verdict, v.audit, v.survey, v.part, w.active_s, w.played_s,
           $own = 0 OR NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = v.audit
                                   AND a.state NOT IN ('closed', 'abandoned')) AS told
    FROM votes v
    JOIN verdicts w ON w.id = v.id
    WHERE v.user = $user AND v.at >= $from AND v.at < $to AND v.part < 3
      AND v.origin NOT IN ('gold', 'calibration') AND ($audit IS NULL OR v.audit = $audit)
)
SELECT count(*) AS decided, coalesce(sum(verdict = 'valid'), 0) AS valid,
       coalesce(sum(verdict = 'invalid'), 0) AS invalid,
       coalesce(sum(verdict = 'undeterminable'), 0) AS undeterminable,
       -- at the command line nobody tells
       (SELECT active_s FROM mine WHERE active_s > 0 ORDER BY active_s
        LIMIT 1 OFFSET (SELECT (count(*) - 1) / 2 FROM mine WHERE active_s > 0)) AS median_active_s,
       (SELECT played_s FROM mine ORDER BY played_s
        LIMIT 1 OFFSET (SELECT (count(*) - 1) / 2 FROM mine)) AS median_played_s,
       (SELECT count(*) FROM verdicts l WHERE l.user = $user AND l.counted = 0 AND l.at >= $from
        AND l.at < $to AND ($audit IS NULL OR l.audit = $audit)) AS late,
       (SELECT count(*) FROM verdicts l WHERE l.user = $user AND l.verdict = 'undone'
        AND l.at >= $from AND l.at < $to AND ($audit IS NULL OR l.audit = $audit)) AS undone,
       (SELECT count(*) FROM skips k JOIN review_items i ON i.item = k.item WHERE k.user = $user
        AND k.at >= $from AND k.at < $to AND ($audit IS NULL OR i.audit = $audit)) AS skipped,
       (SELECT count(*) FROM mine m JOIN votes o ON o.audit = m.audit AND o.survey = m.survey
        AND o.part = 1 - m.part WHERE m.part < 2 AND m.told) AS double_items,
       (SELECT count(*) FROM mine m JOIN votes o ON o.audit = m.audit AND o.survey = m.survey
        AND o.part = 1 - m.part AND o.verdict = m.verdict WHERE m.part < 2 AND m.told) AS double_agreed,
       (SELECT count(*) FROM mine m JOIN votes o ON o.audit = m.audit AND o.survey = m.survey
        AND o.part = 2 WHERE m.part < 2 AND m.told) AS ruled,
       (SELECT count(*) FROM mine m JOIN votes o ON o.audit = m.audit AND o.survey = m.survey
        AND o.part = 2 AND o.verdict = m.verdict WHERE m.part < 2 AND m.told) AS upheld
FROM mine;

-- name: reviewer.gold
SELECT count(*) AS items, coalesce(sum(verdict = truth), 0) AS right,
       coalesce(sum(verdict = truth AND reason IS truth_reason), 0) AS exact
FROM (
    SELECT v.verdict, v.reason, g.verdict AS truth, g.reason AS truth_reason
    FROM votes v JOIN gold g ON g.id = (SELECT max(h.id) FROM gold h WHERE h.survey = v.survey
                                        AND h.at <= v.at)
    WHERE v.origin = 'gold' AND v.user = $user AND v.at >= $from AND v.at < $to
      AND ($audit IS NULL OR v.audit = 'gold:' || $audit)
      AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = substr(v.audit, 6)
                      AND a.state NOT IN ('closed', 'abandoned') AND $own = 1)
);

-- name: reviewer.calibration
SELECT count(*) AS items, coalesce(sum(v.verdict = x.verdict), 0) AS right,
       coalesce(sum(v.verdict = x.verdict AND v.reason IS x.reason), 0) AS exact
FROM votes v JOIN calibrations c ON c.calibration = substr(v.audit, 13)
JOIN calibration_items x ON x.calibration = c.calibration AND x.survey = v.survey
WHERE v.origin = 'calibration' AND c.closed_at IS NOT NULL AND v.user = $user
  AND v.at >= $from AND v.at < $to AND $audit IS NULL;
