-- name: report.audit
SELECT audit, title, state, period_from, period_to, plan, frame_sha256, frame_size, seed, created_at,
       created_by
FROM audits WHERE audit = $audit;

-- name: report.steps
SELECT s.step, s.at, s.author, s.detail, l.leaf AS entry
FROM audit_steps s LEFT JOIN log_leaves l ON l.kind = 'step' AND l.subject = s.id
WHERE s.audit = $audit ORDER BY s.id;

-- name: report.sites
SELECT f.site, f.surveys, s.name, s.time_zone
FROM (SELECT site, count(*) AS surveys FROM audit_frame WHERE audit = $audit GROUP BY site) f
LEFT JOIN sites s ON s.id = (SELECT max(t.id) FROM sites t WHERE t.site = f.site)
ORDER BY f.site LIMIT $max;

-- name: report.questions
SELECT f.question, f.kind, f.surveys,
       (SELECT replace(text, '{employee}', '…') FROM questions q WHERE q.question = f.question AND q.valid_from < $to
        ORDER BY q.valid_from DESC, q.id DESC LIMIT 1) AS text,
       (SELECT q.window_us / 1000000.0 FROM questions q WHERE q.question = f.question
        AND q.valid_from < $to ORDER BY q.valid_from DESC, q.id DESC LIMIT 1) AS window_s
FROM (SELECT question, question_kind AS kind, count(*) AS surveys FROM audit_frame
      WHERE audit = $audit GROUP BY question, question_kind) f
ORDER BY f.kind, f.question LIMIT $max;

-- name: report.strata
-- The frozen frame by stratum, beside what was drawn of it and found.
WITH frame AS (
    SELECT stratum, site, point, count(*) AS surveys, sum(class = 'yes') AS yes,
           sum(class = 'unsure') AS unsure, sum(class = 'no') AS no, sum(class = 'silent') AS silent,
           sum(force_majeure) AS force_majeure
    FROM audit_frame WHERE audit = $audit GROUP BY stratum
), drawn AS (
    SELECT stratum, count(*) AS sample FROM audit_sample WHERE audit = $audit GROUP BY stratum
), found AS (
    SELECT m.stratum, sum(v.verdict = 'valid') AS valid, sum(v.verdict = 'invalid') AS invalid,
           sum(v.verdict = 'undeterminable') AS undeterminable
    FROM audit_sample m CROSS JOIN standing v ON v.audit = m.audit AND v.survey = m.survey
    WHERE m.audit = $audit AND v.origin = 'random'
    GROUP BY m.stratum
)
SELECT f.*, coalesce(d.sample, 0) AS sample, coalesce(o.valid, 0) AS valid,
       coalesce(o.invalid, 0) AS invalid, coalesce(o.undeterminable, 0) AS undeterminable
FROM frame f LEFT JOIN drawn d ON d.stratum = f.stratum LEFT JOIN found o ON o.stratum = f.stratum
ORDER BY f.stratum LIMIT $max;

-- name: report.video
-- What was known of the footage when the frame was frozen.
SELECT video AS state, count(*) AS surveys FROM audit_frame WHERE audit = $audit
GROUP BY video ORDER BY video;

-- name: report.found
-- What was decided of the random sample, by verdict and reason.
SELECT v.verdict, coalesce(v.reason, '') AS reason, count(*) AS surveys
FROM standing v WHERE v.audit = $audit AND v.origin = 'random'
GROUP BY v.verdict, v.reason ORDER BY v.verdict, surveys DESC, v.reason;

-- name: report.decided
-- One by one: what was excluded, or could not be decided.
SELECT v.survey, f.stratum,
       (SELECT min(a.place) FROM audit_sample a WHERE a.audit = v.audit AND a.survey = v.survey) AS rank,
       f.class, coalesce(v.reason, '') AS reason, v.user, v.at, w.watched, v.comment, f.video,
       l.leaf AS entry
FROM standing v JOIN verdicts w ON w.id = v.id
CROSS JOIN audit_frame f ON f.audit = v.audit AND f.survey = v.survey
LEFT JOIN log_leaves l ON l.kind = 'verdict' AND l.subject = v.id
WHERE v.audit = $audit AND v.origin = 'random' AND v.verdict = $verdict
ORDER BY rank LIMIT $max;

-- name: report.causes
-- Why footage was not there for what could not be decided: as known when the frame was frozen.
SELECT f.video AS state, coalesce(v.reason, '') AS reason, count(*) AS surveys
FROM standing v CROSS JOIN audit_frame f ON f.audit = v.audit AND f.survey = v.survey
WHERE v.audit = $audit AND v.origin = 'random' AND v.verdict = 'undeterminable'
GROUP BY f.video, v.reason ORDER BY f.video, v.reason;

-- name: report.reviewers
SELECT v.user, count(*) AS decisions, sum(v.verdict = 'invalid') AS invalid,
       sum(v.verdict = 'undeterminable') AS undeterminable,
       cast(round(sum(v.played_s)) AS INTEGER) AS played_s,
       cast(round(sum(v.active_s)) AS INTEGER) AS active_s,
       sum(v.blinding_broken OR coalesce(json_extract(a.plan, '$.show_answer'), 0)) AS blinding_broken
FROM verdicts v JOIN review_items i ON i.item = v.item JOIN audits a ON a.audit = v.audit
WHERE v.audit = $audit AND v.counted = 1 AND v.verdict <> 'undone' AND i.origin = 'random'
GROUP BY v.user ORDER BY v.user LIMIT $max;

-- name: report.work
SELECT (SELECT count(*) FROM verdicts WHERE audit = $audit AND verdict = 'undone') AS undone,
       (SELECT count(*) FROM verdicts WHERE audit = $audit AND counted = 0) AS late,
       (SELECT count(*) FROM verdicts WHERE audit = $audit AND correction = 'FALSE_FM') AS false_fm,
       (SELECT count(*) FROM skips s JOIN review_items i ON i.item = s.item
        WHERE i.audit = $audit) AS skips,
       (SELECT count(*) FROM audit_steps s LEFT JOIN users u ON u.user = s.author
        WHERE s.audit = $audit AND s.step IN ('plan', 'freeze', 'checkpoint', 'seed', 'draw', 'extend', 'close')
          AND (u.user IS NULL OR u.role <> 'auditor')) AS unaudited,
       -- By an auditor's login of whom nothing tells that it is no administrator's person.
       (SELECT count(*) FROM audit_steps s JOIN users u ON u.user = s.author AND u.role = 'auditor'
        WHERE s.audit = $audit AND s.step IN ('plan', 'freeze', 'checkpoint', 'seed', 'draw', 'extend', 'close')
          AND EXISTS (SELECT 1 FROM users b WHERE b.role = 'administrator' AND b.disabled = 0
                      AND (b.employee IS NULL OR u.employee IS NULL))) AS unproven_apart,
       -- Called genuine or not while no picture was shown.
       (SELECT count(*) FROM standing v JOIN verdicts w ON w.id = v.id
        WHERE v.audit = $audit AND v.origin = 'random' AND v.verdict <> 'undeterminable'
          AND w.watched = '[]') AS unwatched,
       (SELECT count(*) FROM audit_sample a JOIN links l ON l.survey = a.survey
        WHERE a.audit = $audit AND a.generation = 1 AND l.camera IS NOT NULL
          AND instr(l.flags, 'time_uncertain') > 0) AS time_uncertain,
       (SELECT count(*) FROM audit_sample WHERE audit = $audit) AS sample,
       (SELECT coalesce(max(round), 0) FROM audit_sample WHERE audit = $audit) AS rounds;

-- name: report.apart
-- Looks outside the random sample at surveys of the frame: they enter no estimate.
SELECT i.origin, count(*) AS items, sum(i.state = 'decided') AS decided,
       sum(coalesce(v.verdict = 'invalid', 0)) AS invalid
FROM review_items i JOIN audit_frame f ON f.audit = $audit AND f.survey = i.survey
LEFT JOIN votes v ON v.item = i.item
WHERE i.origin IN ('targeted', 'imported') GROUP BY i.origin ORDER BY i.origin;

-- name: report.appeals
-- Of surveys of the frame: what was asked, and what came of it.
SELECT p.asks, coalesce(d.outcome, 'open') AS outcome, count(*) AS appeals
FROM appeals p JOIN audit_frame f ON f.audit = $audit AND f.survey = p.survey
LEFT JOIN appeal_decisions d ON d.appeal = p.appeal
GROUP BY p.asks, d.outcome ORDER BY p.asks, d.outcome;

-- name: report.escalations
SELECT e.rule, CASE d.accepted WHEN 1 THEN 'accepted' WHEN 0 THEN 'declined' ELSE 'proposed' END AS state,
       count(*) AS scopes, sum(e.reviewed) AS reviewed, sum(e.invalid) AS invalid
FROM escalations e LEFT JOIN escalation_decisions d ON d.escalation = e.escalation
WHERE e.audit = $audit GROUP BY e.rule, d.accepted ORDER BY e.rule, state;

-- name: report.anchors
-- Others' proofs that the checkpoint before the seed was there at a time.
SELECT a.kind, a.name, a.anchored_at FROM log_anchors a JOIN log_checkpoints c ON c.id = a.checkpoint
WHERE c.audit = $audit ORDER BY a.anchored_at, a.id;

-- name: report.sample
SELECT place AS rank, survey, stratum, ticket, round FROM audit_sample WHERE audit = $audit
ORDER BY place LIMIT $max;

-- name: report.overlapping
SELECT o.audit, o.title, o.state, o.period_from, o.period_to, o.created_at AS planned_at
FROM audits o, audits a
WHERE a.audit = $audit AND o.audit <> a.audit AND o.period_from < a.period_to
  AND o.period_to > a.period_from
ORDER BY o.created_at, o.audit LIMIT $max;

-- name: report.clocks
-- The last measurement of each clock up to the end of the period.
SELECT c.target, c.at, c.offset_us / 1000 AS offset_ms, c.uncertainty_us / 1000 AS uncertainty_ms,
       c.method
FROM clocks c
WHERE c.id = (SELECT d.id FROM clocks d WHERE d.target = c.target AND d.at <= $to
              ORDER BY d.at DESC, d.id DESC LIMIT 1)
ORDER BY c.target LIMIT $max;

-- name: report.cameras
-- Cameras that showed what was drawn.
SELECT l.camera, count(*) AS surveys, sum(l.state = 'linked') AS linked,
       (SELECT c.site FROM cameras c WHERE c.camera = l.camera ORDER BY c.id DESC LIMIT 1) AS site,
       cast(max(l.uncertainty_us) / 1000 AS INTEGER) AS uncertainty_ms
FROM audit_sample a JOIN links l ON l.survey = a.survey
WHERE a.audit = $audit AND a.generation = 1 AND l.camera IS NOT NULL
GROUP BY l.camera ORDER BY l.camera LIMIT $max;

-- name: report.edits
-- What was written into the registry after the freeze: a frozen frame does not know of it.
SELECT kind, count(*) AS imports, sum(added) AS rows, min(at) AS first_at, max(at) AS last_at
FROM imports WHERE at > $frozen AND added > 0
  AND kind IN ('sites', 'points', 'devices', 'cameras', 'placements', 'questions', 'shifts', 'clocks',
               'archives', 'events', 'employees')
GROUP BY kind ORDER BY kind;

-- name: report.editions
SELECT edition, at, author, sha256, public_sha256 FROM audit_reports
WHERE audit = $audit ORDER BY edition;

-- name: report.edition
SELECT edition, sha256, model, public_sha256, public_model FROM audit_reports
WHERE audit = $audit AND ($edition = 0 OR edition = $edition) ORDER BY edition DESC LIMIT 1;

-- name: report.add_edition
INSERT INTO audit_reports (audit, edition, at, author, sha256, model, public_sha256, public_model)
VALUES ($audit, $edition, $now, $author, $sha256, $model, $public_sha256, $public_model);

-- name: report.frame_sites
SELECT DISTINCT site FROM audit_frame WHERE audit = $audit ORDER BY site;
