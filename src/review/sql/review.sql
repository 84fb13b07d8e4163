-- name: review.held
-- The item that the user holds a live lease on.
SELECT item, audit, survey FROM review_items
WHERE lease_user = $user AND lease_until > $now AND state = 'open'
  AND ($audit IS NULL OR audit = $audit)
  AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = review_items.audit
                  AND a.state IN ('closed', 'abandoned'))
ORDER BY lease_until DESC LIMIT 1;

-- name: review.pick
-- The next free item: what is still being fetched and what this user has skipped come last. Nobody
-- is given a survey of their own, or of a point where they serve.
SELECT i.item, i.audit, i.survey FROM review_items i
WHERE i.state = 'open' AND (i.lease_until IS NULL OR i.lease_until <= $now)
  AND ($audit IS NULL OR i.audit = $audit)
  AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = i.audit
                  AND a.state IN ('closed', 'abandoned'))
  AND NOT EXISTS (
      SELECT 1 FROM users u JOIN subjects s ON s.survey = i.survey
      LEFT JOIN attributed m ON m.survey = i.survey
      WHERE u.user = $user AND u.employee IS NOT NULL
        AND (s.employee = u.employee OR m.employee = u.employee
             OR EXISTS (SELECT 1 FROM shifts h WHERE h.point = s.point AND h.employee = u.employee)))
ORDER BY EXISTS (SELECT 1 FROM skips s WHERE s.item = i.item AND s.user = $user),
         EXISTS (SELECT 1 FROM jobs j WHERE j.survey = i.survey
                 AND j.state IN ('waiting', 'running')),
         i.audit, i.place
LIMIT 1;

-- name: review.lease
UPDATE review_items SET lease_user = $user, lease_token = $token, lease_until = $until
WHERE item = $item;

-- name: review.add_lease
INSERT INTO leases (token, item, user, until) VALUES ($token, $item, $user, $until);

-- name: review.was_leased
SELECT 1 FROM leases WHERE token = $token AND item = $item AND user = $user;

-- name: review.extend
UPDATE review_items SET lease_until = $until
WHERE item = $item AND lease_user = $user AND lease_token = $token AND state = 'open'
  AND lease_until > $now;

-- name: review.release
UPDATE review_items SET lease_user = NULL, lease_token = NULL, lease_until = NULL
WHERE item = $item AND lease_user = $user AND lease_token = $token AND state = 'open';

-- name: review.get_item
SELECT i.item, i.audit, i.survey, i.place, i.origin, i.state, i.lease_user, i.lease_token,
       i.lease_until, coalesce(a.title, '') AS audit_title, coalesce(a.plan, '{}') AS plan,
       coalesce(a.state IN ('closed', 'abandoned'), 0) AS audit_over
FROM review_items i LEFT JOIN audits a ON a.audit = i.audit
WHERE i.item = $item;

-- name: review.decide
UPDATE review_items SET state = 'decided' WHERE item = $item;

-- name: review.reopen
UPDATE review_items SET state = 'open', lease_user = $user, lease_token = $token,
       lease_until = $until WHERE item = $item;

-- name: review.add_verdict
INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, comment, correction,
                      checklist, reasons_version, watched, played_s, active_s, wall_s,
                      blinding_broken, counted, supersedes)
VALUES ($item, $audit, $survey, $user, $at, $verdict, $reason, $comment, $correction,
        $checklist, $reasons_version, $watched, $played_s, $active_s, $wall_s,
        $blinding_broken, $counted, $supersedes);

-- name: review.last_verdict
-- The newest counted row of an item.
SELECT id, user, verdict, reason, comment, correction FROM verdicts
WHERE item = $item AND counted = 1 ORDER BY id DESC LIMIT 1;

-- name: review.newest_verdict_id
SELECT max(id) FROM verdicts WHERE item = $item AND user = $user;

-- name: review.undoable
-- The user's newest decision that still stands in an audit that is not closed.
SELECT v.id, v.item, v.audit, v.survey FROM verdicts v
JOIN review_items i ON i.item = v.item
LEFT JOIN audits a ON a.audit = v.audit
WHERE v.user = $user AND v.counted = 1 AND v.verdict <> 'undone' AND i.state = 'decided'
  AND coalesce(a.state, 'drawn') <> 'closed'
  AND v.id = (SELECT max(w.id) FROM verdicts w WHERE w.item = v.item AND w.counted = 1)
ORDER BY v.id DESC LIMIT 1;

-- name: review.fm_follows
-- Did a force majeure situation begin at the point soon after the survey, which is not in one?
SELECT EXISTS (SELECT 1 FROM surveys s JOIN force_majeure f ON f.point = s.point
    AND f.first_at >= s.closes_at AND f.first_at < s.closes_at + 600000000
    WHERE s.survey = $survey AND s.force_majeure = 0);

-- name: review.add_skip
INSERT INTO skips (item, user, at, reason) VALUES ($item, $user, $at, $reason);

-- name: review.progress
SELECT count(*) AS total, coalesce(sum(state = 'decided'), 0) AS reviewed
FROM review_items WHERE audit = $audit;

-- name: review.survey
-- What the expert may know of the survey; the answer and the employee are left to the caller.
SELECT s.survey, s.opened_at, s.closes_at, s.answered_at, s.answer, s.force_majeure, s.spontaneous,
       s.point, s.site, coalesce(s.question_kind, '') AS question_kind,
       s.force_majeure = 0 AND EXISTS (SELECT 1 FROM force_majeure f WHERE f.point = s.point
           AND f.first_at >= s.closes_at AND f.first_at < s.closes_at + 600000000) AS fm_follows,
       (SELECT name FROM points p WHERE p.point = s.point ORDER BY id DESC LIMIT 1) AS point_name,
       (SELECT name FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS site_name,
       (SELECT time_zone FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS time_zone,
       (SELECT replace(text, '{employee}', '…') FROM questions q WHERE q.question = s.question AND q.point = s.point
          AND q.valid_from <= s.opened_at ORDER BY q.valid_from DESC, id DESC LIMIT 1) AS question,
       l.state AS link_state, l.camera, l.uncertainty_us, l.flags AS link_flags,
       l.message AS link_message,
       (SELECT name FROM cameras c WHERE c.camera = l.camera ORDER BY id DESC LIMIT 1) AS camera_name
FROM subjects s LEFT JOIN links l ON l.survey = s.survey
WHERE s.survey = $survey;

-- name: review.evidence
SELECT sha256, media_type, kind, codec, got_from, got_to, asked_from, asked_to, view_offset_us,
       frame_at, gaps, view, picture_flags, sidecar
FROM evidence e JOIN evidence_shown USING (id)
WHERE survey = $survey AND kind = $kind ORDER BY id DESC LIMIT 1;

-- name: review.neighbours
-- Stills of the surveys around this one at the same point: one clip cannot show the same person
-- rating ten times.
SELECT * FROM (
    SELECT s.opened_at, e.sha256, e.frame_at, v.view, 'before' AS place FROM subjects s
    JOIN evidence e ON e.survey = s.survey AND e.kind = 'still'
    JOIN evidence_shown v ON v.id = e.id
    WHERE s.point = $point AND s.opened_at < $opened_at AND s.opened_at >= $opened_at - $reach
    GROUP BY s.survey ORDER BY s.opened_at DESC LIMIT 3)
UNION ALL
SELECT * FROM (
    SELECT s.opened_at, e.sha256, e.frame_at, v.view, 'after' AS place FROM subjects s
    JOIN evidence e ON e.survey = s.survey AND e.kind = 'still'
    JOIN evidence_shown v ON v.id = e.id
    WHERE s.point = $point AND s.opened_at > $opened_at AND s.opened_at <= $opened_at + $reach
    GROUP BY s.survey ORDER BY s.opened_at LIMIT 3)
ORDER BY opened_at;

-- name: review.is_own
-- Does the user serve where it happened? As review.pick asks.
SELECT EXISTS (SELECT 1 FROM users u JOIN subjects s ON s.survey = $survey
               LEFT JOIN attributed m ON m.survey = s.survey
               WHERE u.user = $user AND u.employee IS NOT NULL
                 AND (s.employee = u.employee OR m.employee = u.employee
                      OR EXISTS (SELECT 1 FROM shifts h
                                 WHERE h.point = s.point AND h.employee = u.employee)));

-- name: review.drawn
SELECT i.item, coalesce(a.state IN ('closed', 'abandoned'), 0) AS over
FROM review_items i LEFT JOIN audits a ON a.audit = i.audit
WHERE i.audit = $audit AND i.survey = $survey;

-- name: review.add_imported_item
INSERT INTO review_items (audit, survey, place, origin, state)
VALUES ('imported', $survey, 0, 'imported', 'decided')
ON CONFLICT DO NOTHING;

-- name: review.imported_item
SELECT item FROM review_items WHERE audit = 'imported' AND survey = $survey;

-- name: review.decided_then
SELECT verdict, reason, comment FROM verdicts
WHERE item = $item AND user = $user AND at = $at AND verdict <> 'undone' ORDER BY id DESC LIMIT 1;

-- name: review.newest_counted
SELECT max(at) FROM verdicts WHERE item = $item AND counted = 1;
