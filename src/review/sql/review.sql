-- name: review.audit_known
-- Calibrations and targeted checks have items and no audit.
SELECT EXISTS (SELECT 1 FROM audits WHERE audit = $audit)
    OR EXISTS (SELECT 1 FROM review_items WHERE audit = $audit);

-- name: review.held
-- The item that the user holds a live lease on; a gold item looks like one of its audit.
SELECT item, audit, survey FROM review_items
WHERE lease_user = $user AND lease_until > $now AND state = 'open' AND part < 3
  AND ($audit IS NULL OR audit IN ($audit, 'gold:' || $audit))
  AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = replace(review_items.audit, 'gold:', '')
                  AND a.state IN ('closed', 'abandoned'))
ORDER BY lease_until DESC LIMIT 1;

-- name: review.pick
-- The next free item: calibrations come first, what is still being fetched and what this user has
-- skipped come last. Nobody is given a survey of their own, or of a point where they serve, nor one of
-- the same audit again that they, or another login of the same employee, decided or hold. Appeals and gold items are handed out elsewhere.
SELECT i.item, i.audit, i.survey FROM review_items i
WHERE i.state = 'open' AND (i.lease_until IS NULL OR i.lease_until <= $now)
  AND i.part < 3 AND i.origin <> 'gold' AND i.reader IN ('', $user)
  AND NOT EXISTS (
      SELECT 1 FROM review_items o WHERE o.audit = i.audit AND o.survey = i.survey
      AND o.item <> i.item AND o.reader = i.reader
      AND ((o.state = 'open' AND o.lease_until > $now AND o.lease_user IN (
                SELECT $user UNION ALL SELECT p.user FROM users p
                WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $user)))
           OR EXISTS (SELECT 1 FROM verdicts v WHERE v.item = o.item AND v.counted = 1
                      AND v.user IN (
                SELECT $user UNION ALL SELECT p.user FROM users p
                WHERE p.employee = (SELECT me.employee FROM users me WHERE me.user = $user)))))
  AND ($audit IS NULL OR i.audit = $audit)
  AND NOT EXISTS (SELECT 1 FROM audits a WHERE a.audit = i.audit
                  AND a.state IN ('closed', 'abandoned'))
  AND NOT EXISTS (
      SELECT 1 FROM users u JOIN watched s ON s.survey = i.survey
      LEFT JOIN attributed m ON m.survey = i.survey
      WHERE u.user = $user AND u.employee IS NOT NULL
        AND (s.employee = u.employee OR m.employee = u.employee
             OR EXISTS (SELECT 1 FROM shifts h WHERE h.point = s.point AND h.employee = u.employee)))
ORDER BY EXISTS (SELECT 1 FROM skips s WHERE s.item = i.item AND s.user = $user),
         EXISTS (SELECT 1 FROM jobs j WHERE j.survey = i.survey
                 AND j.state IN ('waiting', 'running')),
         i.origin <> 'calibration', i.audit, i.place, i.part
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
-- A gold item looks like one of its audit: shown is what experts see, audit where decisions go.
SELECT i.item, i.audit, i.survey, i.place, i.part, i.state, i.lease_user, i.lease_token,
       i.lease_until, coalesce(a.title, c.title, '') AS audit_title, coalesce(a.plan, '{}') AS plan,
       coalesce(a.state IN ('closed', 'abandoned'), c.closed_at IS NOT NULL, 0) AS audit_over,
       replace(i.audit, 'gold:', '') AS shown,
       CASE i.origin WHEN 'gold' THEN 'random' ELSE i.origin END AS origin,
       i.origin IN ('gold', 'calibration') AS training
FROM review_items i LEFT JOIN audits a ON a.audit = replace(i.audit, 'gold:', '')
LEFT JOIN calibrations c ON i.origin = 'calibration' AND c.calibration = substr(i.audit, 13)
WHERE i.item = $item;

-- name: review.settle_open
-- Two experts disagree about the survey of an item: a third one is to rule.
INSERT INTO review_items (item, audit, survey, place, origin, part, state)
SELECT abs(random() % 1000000000000), i.audit, i.survey, i.place, i.origin, 2, 'open'
FROM review_items i
JOIN votes a ON a.audit = i.audit AND a.survey = i.survey AND a.part = 0
JOIN votes b ON b.audit = i.audit AND b.survey = i.survey AND b.part = 1
WHERE i.item = $item AND i.part < 2
  AND (a.verdict <> b.verdict OR a.correction IS NOT b.correction)
ON CONFLICT (audit, survey, part, reader) DO UPDATE SET state = 'open' WHERE state = 'withdrawn';

-- name: review.settle_withdraw
-- A ruling that nobody gave yet is not needed where two experts do not disagree any more.
UPDATE review_items SET state = 'withdrawn', lease_user = NULL, lease_token = NULL, lease_until = NULL
WHERE part = 2 AND state = 'open'
  AND (audit, survey) = (SELECT i.audit, i.survey FROM review_items i WHERE i.item = $item AND i.part < 2)
  AND NOT EXISTS (
      SELECT 1 FROM votes a JOIN votes b ON b.audit = a.audit AND b.survey = a.survey AND b.part = 1
      WHERE a.audit = review_items.audit AND a.survey = review_items.survey AND a.part = 0
        AND (a.verdict <> b.verdict OR a.correction IS NOT b.correction));

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
SELECT v.id, v.item, v.audit, v.survey, i.part, i.origin IN ('gold', 'calibration') AS training
FROM verdicts v JOIN review_items i ON i.item = v.item
LEFT JOIN audits a ON a.audit = replace(v.audit, 'gold:', '')
WHERE v.user = $user AND v.counted = 1 AND v.verdict <> 'undone' AND i.state = 'decided' AND i.part < 3
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
-- Every decision is one step, so that nobody can tell by it which survey is looked at twice, or which
-- is gold: of these there are as many as the plan says, or as there are outside the frame; in the end
-- as many as were asked.
SELECT count(*) FILTER (WHERE part < 2 OR (part = 2 AND state = 'decided'))
           + CASE WHEN count(*) FILTER (WHERE state = 'open') > 0 THEN max(g.asked, min(g.planned, g.there))
                  ELSE g.asked END AS total,
       count(*) FILTER (WHERE part < 3 AND state = 'decided') + g.asked AS reviewed
FROM (SELECT coalesce((SELECT json_extract(plan, '$.gold') FROM audits WHERE audit = $audit), 0) AS planned,
             (SELECT count(*) FROM review_items
              WHERE audit = 'gold:' || $audit AND state = 'decided') AS asked,
             (SELECT count(*) FROM gold_items i
              WHERE NOT EXISTS (SELECT 1 FROM audit_frame f WHERE f.audit = $audit AND f.survey = i.survey)
                AND EXISTS (SELECT 1 FROM evidence e WHERE e.survey = i.survey)) AS there) g
LEFT JOIN review_items ON audit = $audit;

-- name: review.survey
-- What the expert may know of the survey; the answer and the employee are left to the caller.
SELECT s.survey, s.opened_at, s.closes_at, s.answered_at, s.answer, s.force_majeure, s.spontaneous,
       s.visit, s.point, s.site, coalesce(s.question_kind, '') AS question_kind,
       s.force_majeure = 0 AND s.visit = '' AND EXISTS (SELECT 1 FROM force_majeure f WHERE f.point = s.point
           AND f.first_at >= s.closes_at AND f.first_at < s.closes_at + 600000000) AS fm_follows,
       (SELECT name FROM points p WHERE p.point = s.point ORDER BY id DESC LIMIT 1) AS point_name,
       (SELECT name FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS site_name,
       (SELECT time_zone FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS time_zone,
       (SELECT replace(text, '{employee}', '…') FROM questions q WHERE q.question = s.question AND q.point = s.point
          AND q.valid_from <= s.opened_at ORDER BY q.valid_from DESC, id DESC LIMIT 1) AS question,
       l.state AS link_state, l.camera, l.uncertainty_us, l.flags AS link_flags,
       l.message AS link_message,
       (SELECT name FROM cameras c WHERE c.camera = l.camera ORDER BY id DESC LIMIT 1) AS camera_name
FROM watched s LEFT JOIN links l ON l.survey = s.survey
WHERE s.survey = $survey;

-- name: review.evidence
SELECT sha256, media_type, kind, codec, got_from, got_to, asked_from, asked_to, view_offset_us,
       frame_at, gaps, view, picture_flags, sidecar
FROM evidence e JOIN evidence_shown USING (id)
WHERE survey = $survey AND kind = $kind ORDER BY id DESC LIMIT 1;

-- name: review.neighbours
-- Stills of the surveys around this one at the same point: one clip cannot show the same person
-- rating ten times. Of a sale or a minute there are none: they would tell whether a survey was opened.
SELECT * FROM (
    SELECT s.opened_at, e.sha256, e.frame_at, v.view, 'before' AS place FROM watched s
    JOIN evidence e ON e.survey = s.survey AND e.kind = 'still'
    JOIN evidence_shown v ON v.id = e.id
    WHERE s.point = $point AND s.visit = '' AND s.opened_at < $opened_at AND s.opened_at >= $opened_at - $reach
    GROUP BY s.survey ORDER BY s.opened_at DESC LIMIT 3)
UNION ALL
SELECT * FROM (
    SELECT s.opened_at, e.sha256, e.frame_at, v.view, 'after' AS place FROM watched s
    JOIN evidence e ON e.survey = s.survey AND e.kind = 'still'
    JOIN evidence_shown v ON v.id = e.id
    WHERE s.point = $point AND s.visit = '' AND s.opened_at > $opened_at AND s.opened_at <= $opened_at + $reach
    GROUP BY s.survey ORDER BY s.opened_at LIMIT 3)
ORDER BY opened_at;

-- name: review.is_own
-- Does the user serve where it happened? As review.pick asks.
SELECT EXISTS (SELECT 1 FROM users u JOIN watched s ON s.survey = $survey
               LEFT JOIN attributed m ON m.survey = s.survey
               WHERE u.user = $user AND u.employee IS NOT NULL
                 AND (s.employee = u.employee OR m.employee = u.employee
                      OR EXISTS (SELECT 1 FROM shifts h
                                 WHERE h.point = s.point AND h.employee = u.employee)));

-- name: review.drawn
-- Where an expert's decision about a survey of an audit goes: what they decided already, else the
-- first part that waits. Nobody decides two parts.
-- full: others decided all its parts.
SELECT i.item, coalesce(a.state IN ('closed', 'abandoned'), 0) AS over, i.part,
       NOT w.mine AND i.state <> 'open' AND EXISTS (
           SELECT 1 FROM review_items d WHERE d.audit = i.audit AND d.survey = i.survey AND d.part = 1)
           AS full
FROM review_items i LEFT JOIN audits a ON a.audit = i.audit
JOIN (SELECT x.item, EXISTS (SELECT 1 FROM verdicts v WHERE v.item = x.item AND v.user = $user
                             AND v.counted = 1) AS mine
      FROM review_items x WHERE x.audit = $audit AND x.survey = $survey) w ON w.item = i.item
WHERE i.audit = $audit AND i.survey = $survey AND i.part < 3 AND i.state <> 'withdrawn'
ORDER BY w.mine DESC, i.state = 'open' DESC, i.part
LIMIT 1;

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

-- name: review.is_visit
SELECT EXISTS (SELECT 1 FROM visits WHERE visit = $survey);
