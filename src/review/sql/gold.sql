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
