-- name: appeal.subject
-- How a survey or rating counts now, and for whom.
SELECT s.survey, s.state = 'open' AS open, s.opened_at, s.closes_at, s.force_majeure, s.site,
       CASE WHEN m.id IS NULL THEN s.employee ELSE m.employee END AS employee,
       coalesce((SELECT v.voided FROM voids v WHERE v.survey = s.survey ORDER BY v.id DESC LIMIT 1),
                s.auto_void) AS voided,
       r.id AS ruling, r.audit, r.origin, r.part, r.at AS ruled_at, coalesce(r.verdict, '') AS verdict,
       coalesce(r.reason, '') AS reason, coalesce(r.correction, '') AS correction,
       (SELECT a.appeal FROM open_appeals a WHERE a.survey = s.survey) AS waiting,
       (SELECT max(a.appeal) FROM appeals a JOIN appeal_decisions d ON d.appeal = a.appeal
        WHERE a.survey = s.survey AND a.contested IS r.id AND d.outcome <> 'withdrawn') AS decided,
       (SELECT lost_at FROM survey_lost l WHERE l.survey = s.survey) AS lost_at,
       EXISTS (SELECT 1 FROM evidence e WHERE e.survey = s.survey) AS kept
FROM subjects s LEFT JOIN attributed m ON m.survey = s.survey
LEFT JOIN rulings r ON r.survey = s.survey
WHERE s.survey = $survey;

-- name: appeal.user
SELECT role, coalesce(employee, '') AS employee FROM users WHERE user = $user AND disabled = 0;

-- name: appeal.add_item
INSERT INTO review_items (item, audit, survey, place, origin, part, state)
VALUES (abs(random() % 1000000000000), $audit, $survey, 0, $origin,
        (SELECT max(2, coalesce(max(part), 0)) + 1 FROM review_items
         WHERE audit = $audit AND survey = $survey), 'open')
RETURNING item;

-- name: appeal.add
INSERT INTO appeals (survey, item, contested, asks, comment, user, employee, at, due_at)
VALUES ($survey, $item, $contested, $asks, $comment, $user, $employee, $at, $due_at)
RETURNING appeal;

-- name: appeal.add_job
-- Before everything else.
INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)
VALUES ($kind, $survey, 0, (SELECT lost_at FROM survey_lost WHERE survey = $survey), 'waiting',
        $now, $now)
ON CONFLICT (kind, survey, audit) DO UPDATE SET class = 0;

-- name: appeal.get
SELECT a.appeal, a.survey, a.item, a.contested, a.asks, a.comment, a.user, a.at, a.due_at, i.audit,
       i.part, i.lease_user, i.lease_token, i.lease_until, d.outcome,
       coalesce(v.verdict, '') AS verdict, coalesce(v.reason, '') AS reason,
       coalesce(v.correction, '') AS correction
FROM appeals a JOIN review_items i ON i.item = a.item
LEFT JOIN appeal_decisions d ON d.appeal = a.appeal
LEFT JOIN verdicts v ON v.id = a.contested
WHERE a.appeal = $appeal;

-- name: appeal.barred
-- Why somebody, by whatever login of theirs, must not decide about a survey: 1 decided on it before,
-- 2 decided an appeal, 3 asks in this one, 0 none of these.
WITH self(user) AS (SELECT $user UNION ALL SELECT p.user FROM users p WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $user))
SELECT CASE WHEN EXISTS (SELECT 1 FROM verdicts v WHERE v.survey = $survey
                         AND v.user IN (SELECT user FROM self) AND v.counted = 1) THEN 1
            WHEN EXISTS (SELECT 1 FROM appeals a JOIN appeal_decisions d ON d.appeal = a.appeal
                         WHERE a.survey = $survey AND d.user IN (SELECT user FROM self)
                         AND d.outcome <> 'withdrawn') THEN 2
            WHEN $appellant IN (SELECT user FROM self) THEN 3 ELSE 0 END;

-- name: appeal.decide
INSERT INTO appeal_decisions (appeal, outcome, verdict, comment, user, at)
VALUES ($appeal, $outcome, $verdict, $comment, $user, $at)
RETURNING id;

-- name: appeal.close_item
UPDATE review_items SET state = CASE $withdrawn WHEN 1 THEN 'withdrawn' ELSE 'decided' END,
       lease_user = NULL, lease_token = NULL, lease_until = NULL
WHERE item = $item;

-- name: appeal.list
SELECT a.appeal, a.survey, s.site, s.point, s.opened_at, s.spontaneous, a.asks, a.comment, a.user,
       a.employee, a.at, a.due_at, d.outcome, d.comment AS answer, d.user AS decided_by,
       d.at AS decided_at, v.verdict, v.reason, v.correction, n.verdict AS became,
       n.reason AS became_reason, n.correction AS became_correction,
       i.lease_user, i.lease_until,
       (SELECT role FROM users u WHERE u.user = a.user) AS role,
       (SELECT name FROM points p WHERE p.point = s.point ORDER BY id DESC LIMIT 1) AS point_name,
       (SELECT name FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS site_name,
       (SELECT time_zone FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS time_zone,
       $decider IS NOT NULL AND a.user NOT IN (
               SELECT $decider UNION ALL SELECT p.user FROM users p
               WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $decider))
           AND NOT EXISTS (SELECT 1 FROM verdicts w WHERE w.survey = a.survey AND w.counted = 1
                           AND w.user IN (
               SELECT $decider UNION ALL SELECT p.user FROM users p
               WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $decider)))
           AND NOT EXISTS (SELECT 1 FROM appeals b JOIN appeal_decisions e ON e.appeal = b.appeal
                           WHERE b.survey = a.survey AND e.outcome <> 'withdrawn'
                           AND e.user IN (
               SELECT $decider UNION ALL SELECT p.user FROM users p
               WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $decider)))
           AND NOT EXISTS (SELECT 1 FROM users u LEFT JOIN attributed m ON m.survey = a.survey
                           WHERE u.user = $decider AND u.employee IS NOT NULL
                             AND (s.employee = u.employee OR m.employee = u.employee
                                  OR EXISTS (SELECT 1 FROM shifts h WHERE h.point = s.point
                                             AND h.employee = u.employee))) AS may_decide
FROM appeals a JOIN subjects s ON s.survey = a.survey JOIN review_items i ON i.item = a.item
LEFT JOIN appeal_decisions d ON d.appeal = a.appeal
LEFT JOIN verdicts v ON v.id = a.contested
LEFT JOIN verdicts n ON n.id = d.verdict
WHERE ($survey IS NULL OR a.survey = $survey)
  AND ($employee IS NULL OR a.employee = $employee OR a.user = $user)
  AND ($sites IS NULL OR s.site IN (SELECT value FROM json_each($sites)))
  AND ($open < 0 OR $open = (d.appeal IS NULL))
ORDER BY d.appeal IS NOT NULL, CASE WHEN d.appeal IS NULL THEN a.due_at ELSE -d.at END, a.appeal DESC
LIMIT $limit;

-- name: appeal.rulings
SELECT r.survey, s.site, s.point, s.opened_at, s.answer, r.verdict, r.reason, r.at,
       (SELECT name FROM points p WHERE p.point = s.point ORDER BY id DESC LIMIT 1) AS point_name,
       (SELECT name FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS site_name,
       (SELECT time_zone FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS time_zone
FROM rulings r JOIN subjects s ON s.survey = r.survey
LEFT JOIN attributed m ON m.survey = r.survey
LEFT JOIN audits a ON a.audit = r.audit
WHERE r.at > $since AND r.verdict <> 'valid' AND r.part < 3
  AND coalesce(a.state IN ('closed', 'abandoned'), 1)
  AND ($employee IS NULL OR CASE WHEN m.id IS NULL THEN s.employee ELSE m.employee END = $employee)
  AND ($sites IS NULL OR s.site IN (SELECT value FROM json_each($sites)))
  AND NOT EXISTS (SELECT 1 FROM appeals x LEFT JOIN appeal_decisions d ON d.appeal = x.appeal
                  WHERE x.survey = r.survey AND (d.appeal IS NULL OR (x.contested = r.id
                        AND d.outcome <> 'withdrawn')))
ORDER BY r.at DESC, r.survey LIMIT 500;
