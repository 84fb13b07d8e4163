-- name: jobs.plan_links
-- A link job for each closed survey that has none yet; negatives before others.
INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at)
SELECT 'link', s.survey, CASE s.answer WHEN 'no' THEN 2 ELSE 3 END, 'waiting', $now, $now
FROM surveys s
WHERE s.state <> 'open' AND s.test = 0
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.survey = s.survey)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.survey = s.survey AND j.kind = 'link')
ORDER BY s.opened_at;

-- name: jobs.add
-- Make a job, or make a waiting one more urgent.
INSERT INTO jobs (kind, survey, audit, class, lost_at, state, next_try_at, made_at)
VALUES ($kind, $survey, $audit, $class, nullif($lost_at, 0), 'waiting', $now, $now)
ON CONFLICT (kind, survey, audit) DO UPDATE SET class = min(class, excluded.class);

-- name: jobs.take
-- The most urgent job that is due, under a lease; a runner that died lets go when its lease ends.
UPDATE jobs SET state = 'running', owner = $owner, lease_until = $until, attempts = attempts + 1
WHERE job = (
    SELECT job FROM jobs
    WHERE (state = 'waiting' AND next_try_at <= $now)
       OR (state = 'running' AND lease_until <= $now)
    ORDER BY class, lost_at IS NULL, lost_at, job LIMIT 1)
RETURNING job, kind, survey, audit, class, attempts;

-- name: jobs.next_due
SELECT min(CASE state WHEN 'running' THEN lease_until ELSE next_try_at END) FROM jobs
WHERE state IN ('waiting', 'running');

-- name: jobs.end
UPDATE jobs SET state = $state, code = $code, message = $message, ended_at = $now,
       owner = NULL, lease_until = NULL
WHERE job = $job AND owner = $owner;

-- name: jobs.retry
UPDATE jobs SET state = 'waiting', code = $code, message = $message, next_try_at = $next_try_at,
       owner = NULL, lease_until = NULL
WHERE job = $job AND owner = $owner;
