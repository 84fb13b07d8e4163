-- name: jobs.index_key
SELECT key FROM index_key;

-- name: jobs.plan_links
-- A link job for each closed survey that has none yet; negatives before others.
INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)
SELECT 'link', s.survey, CASE s.answer WHEN 'no' THEN 2 ELSE 3 END,
       (SELECT o.lost_at FROM survey_lost o WHERE o.survey = s.survey), 'waiting', $now, $now
FROM watched s
WHERE s.state <> 'open' AND s.test = 0
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.survey = s.survey)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.survey = s.survey AND j.kind = 'link')
ORDER BY s.opened_at;

-- name: jobs.plan_moved
-- Link jobs again for surveys that are no longer what their link was made from.
INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)
SELECT 'link', s.survey, CASE s.answer WHEN 'no' THEN 2 ELSE 3 END,
       (SELECT o.lost_at FROM survey_lost o WHERE o.survey = s.survey), 'waiting', $now, $now
FROM watched s JOIN links l ON l.survey = s.survey
WHERE s.state <> 'open' AND s.test = 0
  AND l.placed <> (SELECT b.placed FROM link_basis b WHERE b.survey = s.survey)
ON CONFLICT (kind, survey, audit) DO UPDATE SET state = 'waiting', attempts = 0,
    next_try_at = excluded.next_try_at, code = '', message = '', ended_at = NULL
WHERE jobs.state IN ('done', 'failed');

-- name: jobs.plan_corrected
-- Link jobs again where placements or clocks were corrected, and for surveys without footage where
-- a camera's or archive's row was.
INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)
SELECT 'link', s.survey, CASE s.answer WHEN 'no' THEN 2 ELSE 3 END,
       (SELECT o.lost_at FROM survey_lost o WHERE o.survey = s.survey), 'waiting', $now, $now
FROM watched s JOIN links l ON l.survey = s.survey
WHERE s.state <> 'open' AND s.test = 0
  AND (l.basis <> (SELECT b.basis FROM link_basis b WHERE b.survey = s.survey)
       OR (l.state NOT IN ('linked', 'expired')
           AND l.sources <> (SELECT b.sources FROM link_basis b WHERE b.survey = s.survey)))
ON CONFLICT (kind, survey, audit) DO UPDATE SET state = 'waiting', attempts = 0,
    next_try_at = excluded.next_try_at, code = '', message = '', ended_at = NULL
WHERE jobs.state IN ('done', 'failed');

-- name: jobs.registry_version
-- Grows with every row that jobs.plan_corrected looks at.
SELECT coalesce((SELECT max(id) FROM placements), 0) + coalesce((SELECT max(id) FROM clocks), 0)
     + coalesce((SELECT max(id) FROM cameras), 0) + coalesce((SELECT max(id) FROM archives), 0);

-- name: jobs.add
-- Make a job, or make a waiting one more urgent; one that is done stays done.
INSERT INTO jobs (kind, survey, audit, class, lost_at, state, next_try_at, made_at)
SELECT $kind, survey, $audit, $class, lost_at, 'waiting', $now, $now
FROM survey_lost WHERE survey = $survey
ON CONFLICT (kind, survey, audit) DO UPDATE SET class = min(class, excluded.class);

-- name: jobs.refetch
-- What was fetched of a survey is due again: its link shows something else now.
INSERT INTO jobs (kind, survey, audit, class, lost_at, state, next_try_at, made_at)
SELECT DISTINCT e.kind, e.survey, coalesce(e.audit, ''), $class, o.lost_at, 'waiting', $now, $now
FROM evidence e JOIN survey_lost o ON o.survey = e.survey
WHERE e.survey = $survey
ON CONFLICT (kind, survey, audit) DO UPDATE SET state = 'waiting', attempts = 0,
    next_try_at = excluded.next_try_at, code = '', message = '', ended_at = NULL
WHERE jobs.state IN ('done', 'failed');

-- name: jobs.revive
-- Fetches that had ended without footage are due again.
UPDATE jobs SET state = 'waiting', attempts = 0, next_try_at = $now, code = '', message = '',
       ended_at = NULL
WHERE survey = $survey AND kind <> 'link' AND state IN ('done', 'failed') AND code <> '';

-- name: jobs.take
-- The most urgent job that is due at an archive with a turn to give, under a lease; a runner that
-- died lets go when its lease ends. Of archives in doubt only one job at a time. What should be
-- overwritten already comes last: it is asked for when nothing can be saved instead.
WITH lanes (archive) AS (
    SELECT '' UNION SELECT archive FROM archives),
running (archive, count) AS (
    SELECT archive, count(*) FROM jobs WHERE state = 'running' AND lease_until > $now
    GROUP BY archive),
free (archive) AS (
    SELECT l.archive FROM lanes l LEFT JOIN running r ON r.archive = l.archive
    LEFT JOIN archive_turns t ON t.archive = l.archive
    WHERE l.archive = '' OR (coalesce(t.closed_until, 0) <= $now AND coalesce(t.off_until, 0) <= $now
        AND coalesce(r.count, 0) < CASE WHEN t.failures > 0 THEN 1
                                        ELSE coalesce(t.sessions, $sessions) END)),
first (job) AS (
    SELECT coalesce(
        (SELECT job FROM jobs INDEXED BY jobs_order
         WHERE archive = f.archive AND state IN ('waiting', 'running')
           AND (lost_at IS NULL OR lost_at > $now)
           AND CASE state WHEN 'waiting' THEN next_try_at ELSE lease_until END <= $now
         ORDER BY class, lost_at IS NULL, lost_at, job LIMIT 1),
        (SELECT job FROM jobs INDEXED BY jobs_order
         WHERE archive = f.archive AND state IN ('waiting', 'running') AND lost_at <= $now
           AND CASE state WHEN 'waiting' THEN next_try_at ELSE lease_until END <= $now
         ORDER BY class, lost_at IS NULL, lost_at, job LIMIT 1)) FROM free f)
UPDATE jobs SET state = 'running', owner = $owner, lease_until = $until, attempts = attempts + 1
WHERE job = (SELECT j.job FROM first JOIN jobs j ON j.job = first.job
             ORDER BY coalesce(j.lost_at <= $now, 0), j.class, j.lost_at IS NULL, j.lost_at, j.job LIMIT 1)
RETURNING job, kind, survey, audit, class, attempts, archive;

-- name: jobs.free_dead
-- What a runner had taken, and what it had put off.
UPDATE jobs SET lease_until = iif(state = 'running', 0, lease_until),
                next_try_at = iif(state = 'waiting', 0, next_try_at)
WHERE owner = $owner AND state IN ('running', 'waiting');

-- name: jobs.next_due
-- When the next job may be taken; where all turns are given, when to look again.
SELECT min(max(CASE j.state WHEN 'running' THEN j.lease_until ELSE j.next_try_at END,
               coalesce(t.closed_until, 0), coalesce(t.off_until, 0),
               iif(j.state = 'waiting' AND EXISTS (
                   SELECT 1 FROM jobs r WHERE r.archive = j.archive AND r.state = 'running'
                   AND r.lease_until > $now), $again, 0)))
FROM (SELECT archive, state,
             min(CASE state WHEN 'running' THEN lease_until ELSE next_try_at END) AS next_try_at,
             min(lease_until) AS lease_until
      FROM jobs WHERE state IN ('waiting', 'running') GROUP BY archive, state) j
LEFT JOIN archive_turns t ON t.archive = j.archive;

-- name: jobs.companions
-- The stills that come next in line at the same archive and are due: put off until the lease of the job
-- that fetches them together ends. A runner that dies leaves them waiting.
UPDATE jobs SET next_try_at = $until, owner = $owner
WHERE job IN (SELECT job FROM jobs INDEXED BY jobs_order
    WHERE archive = $archive AND class = $class AND kind = 'still' AND audit = $audit
      AND state IN ('waiting', 'running') AND state = 'waiting'
      AND next_try_at <= $now AND (lost_at IS NULL OR lost_at > $now) AND archive <> ''
    ORDER BY class, lost_at IS NULL, lost_at, job LIMIT $most)
RETURNING survey;

-- name: jobs.let_go
-- They end in their own turn, which asks for nothing where the still is kept.
UPDATE jobs SET next_try_at = $now, owner = NULL
WHERE state = 'waiting' AND owner = $owner AND next_try_at = $until;

-- name: jobs.end
UPDATE jobs SET state = $state, code = $code, message = $message, ended_at = $now,
       owner = NULL, lease_until = NULL
WHERE job = $job AND owner = $owner;

-- name: jobs.retry
-- The archive is told apart: a job goes where its link leads.
UPDATE jobs SET state = 'waiting', code = $code, message = $message, next_try_at = $next_try_at,
       owner = NULL, lease_until = NULL,
       archive = coalesce((SELECT archive FROM survey_archive WHERE survey = jobs.survey), '')
WHERE job = $job AND owner = $owner;
