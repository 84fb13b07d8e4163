-- name: escalate.shares
-- What the random sample gave by employee and by point, beside how many the frame holds of each.
WITH seen AS (
    SELECT f.employee, f.point, v.verdict FROM standing v
    JOIN audit_frame f ON f.audit = v.audit AND f.survey = v.survey
    WHERE v.audit = $audit AND v.origin = 'random' AND v.verdict <> 'undeterminable'
), scopes AS (
    SELECT 'employee:' || employee AS scope, verdict FROM seen WHERE employee IS NOT NULL
    UNION ALL SELECT 'point:' || point, verdict FROM seen
)
SELECT scope, count(*) AS reviewed, sum(verdict = 'invalid') AS invalid,
       (SELECT count(*) FROM audit_frame f WHERE f.audit = $audit
        AND (scope = 'employee:' || f.employee OR scope = 'point:' || f.point)) AS frame
FROM scopes GROUP BY scope HAVING sum(verdict = 'invalid') > 0 ORDER BY scope;

-- name: escalate.add
INSERT INTO escalations (audit, scope, rule, reviewed, invalid, low_ppm, at)
VALUES ($audit, $scope, $rule, $reviewed, $invalid, $low, $at) ON CONFLICT DO NOTHING;

-- name: escalate.list
SELECT e.escalation, e.audit, e.scope, e.rule, e.reviewed, e.invalid, e.low_ppm, e.at, d.accepted,
       d.reason, d.author, d.at AS decided_at,
       count(x.id) AS items, count(v.id) AS decided, coalesce(sum(v.verdict = 'invalid'), 0) AS found
FROM escalations e LEFT JOIN escalation_decisions d ON d.escalation = e.escalation
LEFT JOIN escalation_items x ON x.escalation = e.escalation
LEFT JOIN votes v ON v.item = x.item
WHERE $audit IS NULL OR e.audit = $audit
GROUP BY e.escalation ORDER BY e.at DESC, e.escalation;

-- name: escalate.get
SELECT e.audit, e.scope, e.rule, a.seed, d.id IS NOT NULL AS over,
       json_extract(a.plan, '$.escalate_count') AS count
FROM escalations e
JOIN audits a ON a.audit = e.audit
LEFT JOIN escalation_decisions d ON d.escalation = e.escalation
WHERE e.escalation = $escalation;

-- name: escalate.rest
-- Of the frame, in its order, what was neither sampled nor targeted.
SELECT f.survey FROM audit_frame f
WHERE f.audit = $audit AND ($scope = 'employee:' || f.employee OR $scope = 'point:' || f.point)
  AND NOT EXISTS (SELECT 1 FROM audit_sample s WHERE s.audit = f.audit AND s.survey = f.survey)
  AND NOT EXISTS (SELECT 1 FROM review_items i WHERE i.survey = f.survey AND i.origin = 'targeted')
  AND EXISTS (SELECT 1 FROM subjects u WHERE u.survey = f.survey)
ORDER BY f.ordinal;

-- name: escalate.decide
INSERT INTO escalation_decisions (escalation, accepted, reason, author, at)
VALUES ($escalation, $accepted, $reason, $author, $at) RETURNING id;

-- name: escalate.add_item
INSERT INTO escalation_items (escalation, item, at) VALUES ($escalation, $item, $at);
