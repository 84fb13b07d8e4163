-- name: survey.list
-- Surveys as people and programs see them, with what video and reviewers say. NULL parameters do not
-- filter.
WITH seen AS (
    SELECT s.*, CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS counted_for,
           coalesce(l.state, 'pending') AS video,
           CASE WHEN coalesce(v.voided, s.auto_void) THEN 'voided'
                ELSE coalesce(r.verdict, 'unreviewed') END AS validity,
           CASE WHEN v.voided THEN v.reason
                WHEN s.auto_void AND v.voided IS NULL THEN s.auto_reason
                ELSE r.reason END AS reason
    FROM surveys s
    LEFT JOIN links l ON l.survey = s.survey
    LEFT JOIN voids v ON v.id = (SELECT max(w.id) FROM voids w WHERE w.survey = s.survey)
    LEFT JOIN rulings r ON r.survey = s.survey
    LEFT JOIN attributed a ON a.survey = s.survey
    WHERE s.opened_at >= $from AND s.opened_at < $to
      AND (s.opened_at, s.survey) > ($after_at, $after)
      AND ($survey IS NULL OR s.survey = $survey)
      AND ($site IS NULL OR s.site = $site)
      AND ($sites IS NULL OR s.site IN (SELECT value FROM json_each($sites)))
      AND ($point IS NULL OR s.point = $point)
      AND ($answer IS NULL OR s.answer = $answer)
      AND ($state IS NULL OR s.state = $state)
      AND ($question IS NULL OR s.question = $question)
      AND ($kind IS NULL OR coalesce(s.question_kind, 'none') = $kind)
      AND ($channel IS NULL OR s.channel = $channel)
      AND ($flag IS NULL OR instr(' ' || s.flags || ' ', ' ' || $flag || ' ')
           OR ($flag = 'force_majeure' AND s.force_majeure))
)
SELECT * FROM seen
WHERE ($video IS NULL OR video = $video)
  AND ($employee IS NULL OR coalesce(counted_for, 'unassigned') = $employee)
  AND ($validity IS NULL OR validity = $validity)
  AND ($reason IS NULL OR reason = $reason)
ORDER BY opened_at, survey LIMIT $limit;

-- name: survey.ratings
-- The same of spontaneous ratings.
WITH seen AS (
    SELECT s.*, CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS counted_for,
           coalesce(l.state, 'pending') AS video,
           CASE WHEN coalesce(v.voided, s.auto_void) THEN 'voided'
                ELSE coalesce(r.verdict, 'unreviewed') END AS validity,
           CASE WHEN v.voided THEN v.reason
                WHEN s.auto_void AND v.voided IS NULL THEN 'test_mode'
                ELSE r.reason END AS reason
    FROM subjects s
    LEFT JOIN links l ON l.survey = s.survey
    LEFT JOIN voids v ON v.id = (SELECT max(w.id) FROM voids w WHERE w.survey = s.survey)
    LEFT JOIN rulings r ON r.survey = s.survey
    LEFT JOIN attributed a ON a.survey = s.survey
    WHERE s.spontaneous = 1 AND s.opened_at >= $from AND s.opened_at < $to
      AND (s.opened_at, s.survey) > ($after_at, $after)
      AND ($survey IS NULL OR s.survey = $survey)
      AND ($site IS NULL OR s.site = $site)
      AND ($sites IS NULL OR s.site IN (SELECT value FROM json_each($sites)))
      AND ($point IS NULL OR s.point = $point)
      AND ($answer IS NULL OR s.answer = $answer)
      AND ($state IS NULL OR s.state = $state)
      AND ($question IS NULL OR s.question = $question)
      AND ($kind IS NULL OR coalesce(s.question_kind, 'none') = $kind)
      AND ($channel IS NULL OR s.channel = $channel)
      AND ($flag IS NULL OR instr(' ' || s.flags || ' ', ' ' || $flag || ' ')
           OR ($flag = 'force_majeure' AND s.force_majeure))
)
SELECT * FROM seen
WHERE ($video IS NULL OR video = $video)
  AND ($employee IS NULL OR coalesce(counted_for, 'unassigned') = $employee)
  AND ($validity IS NULL OR validity = $validity)
  AND ($reason IS NULL OR reason = $reason)
ORDER BY opened_at, survey LIMIT $limit;

-- name: survey.subject
-- Where and when a survey or a spontaneous rating was.
SELECT point, opened_at, closes_at, spontaneous FROM subjects WHERE survey = $survey;

-- name: survey.link
SELECT state, camera, asked_from, asked_to, fraction, gaps, index_offset_us, uncertainty_us, flags,
       message, attempts, next_try_at, made_at
FROM links WHERE survey = $survey;

-- name: survey.evidence
SELECT kind, audit, sha256, bytes, media_type, codec, derived, camera, asked_from, asked_to,
       got_from, got_to, frame_at, view_offset_us, gaps, index_offset_us, uncertainty_us, requests,
       bytes_read, software, made_at, view, picture_flags, sidecar,
       (SELECT d.at FROM destructions d WHERE d.sha256 = evidence.sha256 AND d.newest >= evidence.id
        ORDER BY d.newest LIMIT 1) AS destroyed_at,
       (SELECT d.rule FROM destructions d WHERE d.sha256 = evidence.sha256 AND d.newest >= evidence.id
        ORDER BY d.newest LIMIT 1) AS destroyed_by
FROM evidence JOIN evidence_shown USING (id) WHERE survey = $survey ORDER BY id;

-- name: survey.reviews
-- Gold items and calibrations are about experts, not about the survey. part: 0 and 1 experts, 2 a ruling
-- where these disagreed, 3 and up appeals.
SELECT v.audit, v.user, v.at, v.verdict, v.reason, v.comment, v.correction, v.checklist, v.watched,
       v.played_s, v.active_s, v.wall_s, v.blinding_broken, v.counted, coalesce(i.part, 0) AS part,
       i.origin
FROM verdicts v LEFT JOIN review_items i ON i.item = v.item
WHERE v.survey = $survey AND coalesce(i.origin, '') NOT IN ('gold', 'calibration') ORDER BY v.id;

-- name: survey.appeals
SELECT a.appeal, a.user, a.at, a.asks, a.comment, a.due_at, d.outcome, d.user AS decided_by,
       d.at AS decided_at, d.comment AS answer
FROM appeals a LEFT JOIN appeal_decisions d ON d.appeal = a.appeal
WHERE a.survey = $survey ORDER BY a.appeal;

-- name: survey.history
SELECT at, was, became FROM survey_history WHERE survey = $survey ORDER BY id;

-- name: survey.changes
-- What late events and corrections changed, oldest first, with the audits whose frozen frames keep
-- what was.
SELECT h.id, h.survey, h.at, h.was, h.became,
       (SELECT group_concat(f.audit, ' ') FROM audit_frame f JOIN audits a ON a.audit = f.audit
        WHERE f.survey = h.survey AND a.state <> 'abandoned') AS frozen_in
FROM survey_history h WHERE (h.at, h.id) > ($at, $id)
  AND ($sites IS NULL OR json_extract(coalesce(h.became, h.was), '$.site') IN
                         (SELECT value FROM json_each($sites)))
ORDER BY h.at, h.id LIMIT $limit;

-- name: survey.voids
SELECT voided, at, author, second, reason, import FROM voids WHERE survey = $survey ORDER BY id;

-- name: survey.attributions
SELECT a.employee, a.undone, a.at, a.author, a.reason, a.employee IS NULL OR EXISTS (
    SELECT 1 FROM subjects s JOIN points p ON p.site = s.site JOIN shifts h ON h.point = p.point
    WHERE s.survey = a.survey AND h.employee = a.employee AND h.valid_from <= s.opened_at
      AND h.valid_to > s.opened_at
      AND h.id = (SELECT max(g.id) FROM shifts g WHERE g.point = h.point
                  AND g.valid_from = h.valid_from AND g.employee = h.employee)) AS on_shift
FROM attributions a WHERE a.survey = $survey ORDER BY a.id;

-- name: survey.shift_employee
-- Who was on shift, whatever was decided since.
SELECT employee FROM subjects WHERE survey = $survey;

-- name: survey.names
-- Of the employees and questions that the dossier names by their ids; who has no name stays an id.
WITH people AS (
    SELECT employee FROM subjects WHERE survey = $survey
    UNION SELECT employee FROM attributions WHERE survey = $survey
    UNION SELECT json_extract(was, '$.employee') FROM survey_history WHERE survey = $survey
    UNION SELECT json_extract(became, '$.employee') FROM survey_history WHERE survey = $survey
), asked AS (
    SELECT question, point, opened_at FROM subjects WHERE survey = $survey
    UNION SELECT json_extract(h.was, '$.question'), s.point, s.opened_at
    FROM survey_history h JOIN subjects s ON s.survey = h.survey WHERE h.survey = $survey
), found AS (
    SELECT 'employee' AS kind, p.employee AS id,
           (SELECT e.name FROM employees e WHERE e.employee = p.employee
            ORDER BY e.id DESC LIMIT 1) AS name
    FROM people p
    UNION ALL
    SELECT DISTINCT 'question', a.question,
           (SELECT replace(q.text, '{employee}', '…') FROM questions q
            WHERE q.question = a.question AND q.point = a.point AND q.valid_from <= a.opened_at
            ORDER BY q.valid_from DESC, q.id DESC LIMIT 1)
    FROM asked a
)
SELECT kind, id, name FROM found WHERE name <> '' ORDER BY kind, id;

-- name: survey.stands
-- What decides whether a void or its opposite makes sense.
SELECT coalesce((SELECT v.voided FROM voids v WHERE v.survey = s.survey
                 ORDER BY v.id DESC LIMIT 1), s.auto_void) AS voided,
       (SELECT min(f.audit) FROM audit_frame f JOIN audits a ON a.audit = f.audit
        WHERE f.survey = s.survey AND a.state <> 'abandoned') AS frozen_in
FROM subjects s WHERE s.survey = $survey;

-- name: survey.knows_user
-- Staff have no say in what counts of them.
SELECT EXISTS (SELECT 1 FROM users WHERE user = $user AND disabled = 0 AND role <> 'staff');

-- name: survey.is_own
-- Whether the survey counts for the employee that a user is.
SELECT EXISTS (
    SELECT 1 FROM users u JOIN subjects s ON s.survey = $survey
    LEFT JOIN attributed a ON a.survey = s.survey
    WHERE u.user = $user
      AND u.employee = CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END);

-- name: survey.is_one_person
-- Whether two logins are of one employee.
SELECT EXISTS (SELECT 1 FROM users a JOIN users b ON b.employee = a.employee
               WHERE a.user = $user AND b.user = $second);

-- name: survey.add_void
INSERT INTO voids (survey, voided, at, author, second, reason)
VALUES ($survey, $voided, $at, $author, $second, $reason);

-- name: survey.import_kind
SELECT kind FROM imports WHERE import = $import;

-- name: survey.import_frozen
-- An audit in whose frozen frame something of the import is, and how much of it.
SELECT f.audit, count(*) AS count FROM events e
JOIN audit_frame f ON f.survey = e.device || '.' || e.boot || '.' || e.seq
JOIN audits a ON a.audit = f.audit
WHERE e.import = $import AND e.kind IN ('press', 'yes', 'no', 'unsure') AND a.state <> 'abandoned'
GROUP BY f.audit ORDER BY f.audit LIMIT 1;

-- name: survey.import_is_own
-- Whether something of the import counts for the employee that a user is.
SELECT EXISTS (
    SELECT 1 FROM users u JOIN events e ON e.import = $import
    JOIN subjects s ON s.survey = e.device || '.' || e.boot || '.' || e.seq
    LEFT JOIN attributed a ON a.survey = s.survey
    WHERE u.user = $user AND e.kind IN ('press', 'yes', 'no', 'unsure')
      AND u.employee = CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END);

-- name: survey.void_import
-- Surveys whose opening press, and spontaneous ratings whose answer, came with the import and that do
-- not stand so yet.
INSERT INTO voids (survey, voided, at, author, second, reason, import)
SELECT id, 1, $at, $author, $second, $reason, $import
FROM (SELECT device || '.' || boot || '.' || seq AS id FROM events
      WHERE import = $import AND kind IN ('press', 'yes', 'no', 'unsure')) e
LEFT JOIN surveys s ON s.survey = e.id
LEFT JOIN spontaneous x ON x.rating = e.id
WHERE coalesce(s.survey, x.rating) IS NOT NULL
  AND NOT coalesce((SELECT v.voided FROM voids v WHERE v.survey = e.id ORDER BY v.id DESC LIMIT 1),
                   s.auto_void, 0);

-- name: survey.unvoid_import
-- What was voided with the import and by nothing since.
INSERT INTO voids (survey, voided, at, author, second, reason, import)
SELECT v.survey, 0, $at, $author, $second, $reason, $import FROM voids v
WHERE v.import = $import AND v.voided = 1
  AND v.id = (SELECT max(w.id) FROM voids w WHERE w.survey = v.survey);

-- name: survey.first_administrator
SELECT user FROM users WHERE role = 'administrator' AND disabled = 0 ORDER BY created_at, user
LIMIT 1;

-- name: survey.open_proposal
SELECT id FROM void_proposals p WHERE survey = $survey
  AND NOT EXISTS (SELECT 1 FROM void_answers a WHERE a.proposal = p.id);

-- name: survey.add_proposal
INSERT INTO void_proposals (survey, voided, at, author, reason)
VALUES ($survey, $voided, $at, $author, $reason) RETURNING id;

-- name: survey.proposal
SELECT p.voided, p.author, p.reason, EXISTS (
    SELECT 1 FROM void_answers a WHERE a.proposal = p.id) AS answered
FROM void_proposals p WHERE p.id = $proposal AND p.survey = $survey;

-- name: survey.answer_proposal
INSERT INTO void_answers (proposal, at, user, agreed, note)
VALUES ($proposal, $at, $user, $agreed, $note);

-- name: survey.proposals
SELECT p.id, p.survey, s.site, s.point, s.opened_at, p.voided, p.at, p.author, p.reason,
       a.at AS answered_at, a.user, a.agreed, a.note
FROM void_proposals p LEFT JOIN subjects s ON s.survey = p.survey
LEFT JOIN void_answers a ON a.proposal = p.id
WHERE ($survey IS NULL AND a.at IS NULL OR p.survey = $survey)
  AND ($sites IS NULL OR s.site IN (SELECT value FROM json_each($sites)))
ORDER BY p.id LIMIT 1000;

-- name: survey.newest_void
SELECT max(id) FROM voids;
