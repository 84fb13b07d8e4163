-- name: audit.get
SELECT audit, title, state, period_from, period_to, plan, frame_sha256, frame_size, seed,
       created_at, created_by
FROM audits WHERE audit = $audit;

-- name: audit.frame_size
SELECT coalesce(frame_size, 0) FROM audits WHERE audit = $audit;

-- name: audit.count_drawable
-- What a draw may take: silent surveys only where they are not taken as known.
SELECT count(*) FROM audit_frame WHERE audit = $audit AND NOT ($silent_known AND class = 'silent');

-- name: audit.list
SELECT audit FROM audits ORDER BY created_at, audit;

-- name: audit.add
INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at, created_by)
VALUES ($audit, $title, 'planned', $from, $to, $plan, $now, $author);

-- name: audit.set_frame
UPDATE audits SET frame_sha256 = $sha256, frame_size = $size WHERE audit = $audit;

-- name: audit.set_state
UPDATE audits SET state = $state WHERE audit = $audit;

-- name: audit.count_undecided
SELECT count(*) FROM review_items WHERE audit = $audit AND state = 'open' AND part < 3;

-- name: audit.set_seed
UPDATE audits SET seed = $seed WHERE audit = $audit;

-- name: audit.add_step
INSERT INTO audit_steps (audit, step, at, author, detail)
VALUES ($audit, $step, $now, $author, $detail)
RETURNING id;

-- name: audit.repeated_by
SELECT audit FROM audits WHERE json_extract(plan, '$.repeats') = $audit
ORDER BY created_at, audit;

-- name: audit.overlapping
-- Other audits begun over a period that this one's touches, abandoned ones included.
SELECT o.audit FROM audits a
JOIN audits o ON o.audit <> a.audit AND o.period_from < a.period_to AND o.period_to > a.period_from
WHERE a.audit = $audit ORDER BY o.created_at, o.audit;

-- name: audit.withdraw_items
UPDATE review_items SET state = 'withdrawn' WHERE audit = $audit AND state = 'open';

-- name: audit.count_step
SELECT count(*) FROM audit_steps WHERE audit = $audit AND step = $step;

-- name: audit.steps
SELECT step, at, author, detail FROM audit_steps WHERE audit = $audit ORDER BY id;

-- name: audit.count_open
SELECT count(*) FROM surveys WHERE opened_at >= $from AND opened_at < $to AND state = 'open';

-- name: audit.count_unheard
SELECT count(*) FROM surveys
WHERE opened_at >= $from AND opened_at < $to AND state = 'silent' AND test = 0
  AND instr(flags, 'panel_unheard');

-- name: audit.gaps
-- Devices at points whose running numbers have holes next to events of the period.
WITH holey AS (
    SELECT device, boot FROM device_runs
    WHERE last_seq - first_seq + 1 > events AND device IN (SELECT device FROM devices)
), steps AS (
    SELECT e.device, e.at, e.seq, lag(e.seq) OVER w AS seq_before, lag(e.at) OVER w AS at_before
    FROM holey h JOIN events e ON e.device = h.device AND e.boot = h.boot
    WINDOW w AS (PARTITION BY e.device, e.boot ORDER BY e.seq)
)
SELECT device, sum(seq - seq_before - 1) AS missing FROM steps
WHERE seq > seq_before + 1 AND max(at, at_before) >= $from AND min(at, at_before) < $to
GROUP BY device ORDER BY device;

-- name: audit.frame_source
-- Every closed survey of a period that no hand, or else no automatic flag, has voided. The answer as
-- it stands now is frozen as the class, and so is who it counts for.
SELECT s.survey, s.site, s.point,
       CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee, coalesce(s.question, '') AS question,
       coalesce(s.question_kind, '') AS question_kind, s.opened_at, s.closes_at,
       coalesce(s.answer, 'silent') AS class, s.force_majeure, coalesce(l.state, '') AS video
FROM surveys s LEFT JOIN links l ON l.survey = s.survey
LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND coalesce((SELECT voided FROM voids v WHERE v.survey = s.survey
                ORDER BY v.id DESC LIMIT 1), s.auto_void) = 0
ORDER BY s.survey;

-- name: audit.frame_ratings
-- Every spontaneous rating by a panel in a period that nobody has voided.
SELECT s.survey, s.site, s.point,
       CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee, '' AS question, '' AS question_kind, s.opened_at,
       s.closes_at, s.answer AS class, 0 AS force_majeure, coalesce(l.state, '') AS video
FROM subjects s LEFT JOIN links l ON l.survey = s.survey
LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.spontaneous = 1 AND s.channel = 'panel' AND s.opened_at >= $from AND s.opened_at < $to
  AND s.test = 0
  AND coalesce((SELECT voided FROM voids v WHERE v.survey = s.survey
                ORDER BY v.id DESC LIMIT 1), 0) = 0
ORDER BY s.survey;

-- name: audit.site_zone
SELECT time_zone FROM sites WHERE site = $site ORDER BY id DESC LIMIT 1;

-- name: audit.cache_much
-- A frame's index is written all over: held in memory it goes to disk once.
PRAGMA cache_size = -120000;

-- name: audit.cache_usual
PRAGMA cache_size = -2000;

-- name: audit.add_frame
INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question, question_kind,
                         opened_at, force_majeure, site, point, employee, video, line)
VALUES ($audit, $survey, $ordinal, $stratum, $class, $question, $question_kind, $opened_at,
        $force_majeure, $site, $point, $employee, $video, $line);

-- name: audit.units
SELECT survey, stratum, class FROM audit_frame WHERE audit = $audit ORDER BY ordinal;

-- name: audit.add_sample
INSERT INTO audit_sample (audit, place, rank, survey, stratum, ticket, generation, round)
VALUES ($audit, $place, $rank, $survey, $stratum, $ticket, $generation, $round);

-- name: audit.sample
SELECT place, rank, survey, stratum, ticket, generation, round FROM audit_sample
WHERE audit = $audit ORDER BY place;

-- name: audit.rounds
-- What each round asked for, in their order.
SELECT json_extract(detail, '$.planned') AS planned, json_extract(detail, '$.round') AS round
FROM audit_steps WHERE audit = $audit AND step IN ('draw', 'extend') ORDER BY id;

-- name: audit.add_item
-- Numbered by chance: no number tells an expert that a second one decides the same survey. Drawn
-- before, it is in the queue.
INSERT INTO review_items (item, audit, survey, place, origin, state)
SELECT abs(random() % 1000000000000), $audit, $survey, $place, 'random', 'open'
WHERE NOT EXISTS (SELECT 1 FROM review_items
                  WHERE audit = $audit AND survey = $survey AND origin = 'random');

-- name: audit.add_job
INSERT INTO jobs (kind, survey, audit, class, lost_at, state, next_try_at, made_at)
VALUES ($kind, $survey, $audit, $class, (SELECT lost_at FROM survey_lost WHERE survey = $survey),
        'waiting', $now, $now)
ON CONFLICT (kind, survey, audit) DO UPDATE SET class = min(class, excluded.class);

-- name: audit.progress
-- The random items of an audit by the verdict that stands; open appeals about the surveys of its
-- frame; gold items outside it that some expert can be asked.
SELECT (SELECT count(*) FROM audit_sample WHERE audit = $audit) AS sample,
       (SELECT count(*) FROM open_appeals p JOIN audit_frame f
            ON f.audit = $audit AND f.survey = p.survey) AS appeals_open,
       (SELECT count(*) FROM gold_items g
        WHERE EXISTS (SELECT 1 FROM evidence e WHERE e.survey = g.survey)
          AND NOT EXISTS (SELECT 1 FROM audit_frame f
                          WHERE f.audit = $audit AND f.survey = g.survey)) AS gold_there,
       count(v.id) AS reviewed,
       coalesce(sum(v.verdict = 'valid'), 0) AS valid,
       coalesce(sum(v.verdict = 'invalid'), 0) AS invalid,
       coalesce(sum(v.verdict = 'undeterminable'), 0) AS undeterminable,
       coalesce(sum(v.verdict = 'valid' AND v.correction = 'NOT_ASKED'), 0) AS not_asked
FROM standing v
WHERE v.audit = $audit AND v.origin = 'random';

-- name: audit.cells
-- The frozen frame of a domain by cell, with the verdicts that stand for its random sample; one drawn
-- twice counts twice. What a manager moved away from the employee that a
-- domain is about is counted apart. Frame and verdicts are counted apart, so that the
-- frame is read once from its index and only the sample's rows are looked up.
WITH domain AS NOT MATERIALIZED (
    SELECT survey, stratum, class, force_majeure FROM audit_frame
    WHERE audit = $audit
      AND ($kind IS NULL OR question_kind = $kind)
      AND ($site IS NULL OR site = $site)
      AND ($point IS NULL OR point = $point)
      AND ($employee IS NULL OR coalesce(employee, 'unassigned') = $employee)
      AND ($question IS NULL OR question = $question)
      AND opened_at >= $from AND opened_at < $to
)
SELECT stratum, class, force_majeure, sum(frame) AS frame, sum(valid) AS valid,
       sum(false_fm) AS false_fm, sum(invalid) AS invalid, sum(undeterminable) AS undeterminable,
       sum(moved_valid) AS moved_valid, sum(moved_invalid) AS moved_invalid,
       sum(not_asked) AS not_asked
FROM (
    SELECT stratum, class, force_majeure, count(*) AS frame, 0 AS valid, 0 AS false_fm,
           0 AS invalid, 0 AS undeterminable, 0 AS moved_valid, 0 AS moved_invalid, 0 AS not_asked
    FROM domain GROUP BY stratum, class, force_majeure
    UNION ALL
    SELECT d.stratum, d.class, d.force_majeure, 0, v.verdict = 'valid',
           v.verdict = 'valid' AND a.id IS NULL AND coalesce(v.correction, '')
               = CASE d.force_majeure WHEN 0 THEN 'FM_REACHES_BACK' ELSE 'FALSE_FM' END,
           v.verdict = 'invalid', v.verdict = 'undeterminable',
           v.verdict = 'valid' AND a.id IS NOT NULL, v.verdict = 'invalid' AND a.id IS NOT NULL,
           v.verdict = 'valid' AND coalesce(v.correction, '') = 'NOT_ASKED'
    FROM audit_sample m CROSS JOIN standing v ON v.audit = m.audit AND v.survey = m.survey
    CROSS JOIN domain d ON d.survey = v.survey
    LEFT JOIN attributed a ON a.survey = v.survey AND $employee IS NOT NULL
        AND coalesce(a.employee, 'unassigned') <> $employee
    WHERE m.audit = $audit AND v.origin = 'random'
)
GROUP BY stratum, class, force_majeure
ORDER BY stratum, class, force_majeure;

-- name: audit.cube_frame
-- The frozen frame by all that a domain may name, in one pass over its index, whose order this is.
SELECT stratum, class, force_majeure, question_kind, site, point,
       coalesce(employee, 'unassigned') AS employee, question, count(*) AS frame, 0 AS valid,
       0 AS false_fm, 0 AS invalid, 0 AS undeterminable, 0 AS moved_valid, 0 AS moved_invalid,
       0 AS not_asked
FROM audit_frame INDEXED BY audit_frame_cells
WHERE audit = $audit
GROUP BY audit_frame.stratum, audit_frame.class, audit_frame.force_majeure,
         audit_frame.question_kind, audit_frame.site, audit_frame.point, audit_frame.employee,
         audit_frame.question
ORDER BY audit_frame.stratum, audit_frame.class, audit_frame.force_majeure;

-- name: audit.cube_sample
-- The verdicts that stand for the random sample, one by one, as audit.cells counts them.
SELECT d.stratum, d.class, d.force_majeure, d.question_kind, d.site, d.point,
       coalesce(d.employee, 'unassigned') AS employee, d.question, 0 AS frame,
       v.verdict = 'valid' AS valid,
       v.verdict = 'valid' AND a.id IS NULL AND coalesce(v.correction, '')
           = CASE d.force_majeure WHEN 0 THEN 'FM_REACHES_BACK' ELSE 'FALSE_FM' END AS false_fm,
       v.verdict = 'invalid' AS invalid, v.verdict = 'undeterminable' AS undeterminable,
       v.verdict = 'valid' AND a.id IS NOT NULL AS moved_valid,
       v.verdict = 'invalid' AND a.id IS NOT NULL AS moved_invalid,
       v.verdict = 'valid' AND coalesce(v.correction, '') = 'NOT_ASKED' AS not_asked
FROM audit_sample m CROSS JOIN standing v ON v.audit = m.audit AND v.survey = m.survey
CROSS JOIN audit_frame d ON d.audit = m.audit AND d.survey = v.survey
LEFT JOIN attributed a ON a.survey = v.survey AND $by_employee
    AND coalesce(a.employee, 'unassigned') <> coalesce(d.employee, 'unassigned')
WHERE m.audit = $audit AND v.origin = 'random';

-- name: audit.frame_transactions
-- Every sale of a period at a point that is known, as told last: told for the second time, it is
-- another moment than the one that an earlier audit may have looked at. Class says whether a survey
-- was opened there about then.
SELECT 'txn.' || t.txn || CASE t.told WHEN 1 THEN '' ELSE '.' || t.told END AS survey, p.site, t.point, t.employee, '' AS question, '' AS question_kind,
       t.at AS opened_at, t.at + $length AS closes_at,
       CASE WHEN EXISTS (SELECT 1 FROM surveys s WHERE s.point = t.point AND s.test = 0
                         AND s.opened_at >= t.at - $reach AND s.opened_at < t.at + $length + $reach)
            THEN 'yes' ELSE 'no' END AS class, 0 AS force_majeure, '' AS video
FROM (SELECT *, (SELECT count(*) FROM transactions WHERE txn = l.txn) AS told FROM transactions l
      WHERE l.at >= $from AND l.at < $to
      AND l.id = (SELECT max(id) FROM transactions WHERE txn = l.txn)) t
JOIN points p ON p.id = (SELECT max(id) FROM points WHERE point = t.point)
ORDER BY survey;

-- name: audit.count_left
-- Sales that were told to lie in the period, at a point that is known, and are told otherwise now.
SELECT count(DISTINCT t.txn) FROM transactions t
WHERE t.at >= $from AND t.at < $to AND t.point IN (SELECT point FROM points)
  AND NOT EXISTS (
    SELECT 1 FROM transactions l WHERE l.id = (SELECT max(id) FROM transactions WHERE txn = t.txn)
    AND l.at >= $from AND l.at < $to AND l.point IN (SELECT point FROM points));

-- name: audit.frame_points
-- Points, in the order in which their minutes' ids follow each other.
SELECT point FROM points p WHERE id = (SELECT max(id) FROM points WHERE point = p.point)
ORDER BY point || '.';

-- name: audit.surveyed
-- When surveys were opened at a point.
SELECT opened_at FROM surveys
WHERE point = $point AND test = 0 AND opened_at >= $from AND opened_at < $to ORDER BY opened_at;

-- name: audit.add_visit
-- What was drawn of transactions or minutes gets a place among what can be watched.
INSERT OR IGNORE INTO visits (visit, kind, point, site, opened_at, closes_at)
SELECT survey, $kind, point, site, opened_at, opened_at + $length FROM audit_frame
WHERE audit = $audit AND survey = $survey;

-- name: audit.keeps_least
-- The camera that keeps the least of those placed at some point within a period.
SELECT k.camera, k.kept_us FROM camera_keeps k
WHERE EXISTS (SELECT 1 FROM placements p WHERE p.camera = k.camera AND p.valid_from < $to
              AND (p.valid_to IS NULL OR p.valid_to > $from))
ORDER BY 2, 1 LIMIT 1;

-- name: audit.lacks_clips
-- Does any survey of a period lack a clip that is kept? Where there is none, too.
SELECT NOT EXISTS (SELECT 1 FROM surveys WHERE opened_at >= $from AND opened_at < $to AND test = 0)
    OR EXISTS (SELECT 1 FROM surveys s WHERE s.opened_at >= $from AND s.opened_at < $to AND s.test = 0
               AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.survey = s.survey AND e.kind = 'clip'
                               AND e.sha256 NOT IN (SELECT sha256 FROM gone)));

-- name: audit.count_waiting
SELECT count(*) FROM review_items WHERE audit = $audit AND state = 'open';

-- name: audit.pace
-- What experts decided in the 30 days up to the newest decision, and on how many days (UTC).
SELECT count(*) AS decided, count(DISTINCT at / 86400000000) AS days FROM verdicts
WHERE counted = 1 AND verdict <> 'undone'
  AND at > (SELECT max(at) FROM verdicts) - 30 * 86400000000;

-- name: audit.newest_entry
SELECT max(leaf) FROM log_leaves WHERE audit = $audit AND kind IN ('step', 'verdict');

-- name: audit.duty
-- What a login is to an audit: its role, whether an administrator's login belongs to the same
-- employee, and whether the plan declares that one person does both.
SELECT u.role,
       EXISTS (SELECT 1 FROM users b WHERE b.employee = u.employee AND b.role = 'administrator'
               AND b.disabled = 0) AND u.role = 'auditor' AS runs_it,
       (SELECT coalesce(json_extract(plan, '$.one_person'), 0) FROM audits WHERE audit = $audit)
         AS one_person
FROM users u WHERE u.user = $user;

-- name: audit.independent
-- An auditor who is, as far as is known, no administrator.
SELECT u.user FROM users u
WHERE u.role = 'auditor' AND u.disabled = 0 AND NOT EXISTS (
    SELECT 1 FROM users b WHERE b.employee = u.employee AND b.role = 'administrator' AND b.disabled = 0)
ORDER BY u.user LIMIT 1;
