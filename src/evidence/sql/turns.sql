-- name: turns.get
SELECT failures, closed_until, off_until, down_since, code, message FROM archive_turns
WHERE archive = $archive;

-- name: turns.failed
-- Nobody asks for a while.
INSERT INTO archive_turns (archive, failures, closed_until, down_since, code, message, failed_at,
    failed_code, failure)
VALUES ($archive, 1, $closed_until, $now, $code, $message, $now, $code, $message)
ON CONFLICT (archive) DO UPDATE SET failures = failures + 1, closed_until = excluded.closed_until,
    down_since = coalesce(down_since, excluded.down_since), code = excluded.code,
    message = excluded.message, failed_at = excluded.failed_at, failed_code = excluded.failed_code,
    failure = excluded.failure;

-- name: turns.missed
-- Asked outside of the jobs, it failed: told, but nobody is kept from asking.
INSERT INTO archive_turns (archive, failed_at, failed_code, failure)
VALUES ($archive, $now, $code, $message)
ON CONFLICT (archive) DO UPDATE SET failed_at = excluded.failed_at,
    failed_code = excluded.failed_code, failure = excluded.failure;

-- name: turns.begin_outage
INSERT INTO archive_outages (archive, from_us, code, message)
SELECT $archive, $now, $code, $message
WHERE NOT EXISTS (SELECT 1 FROM archive_outages WHERE archive = $archive AND to_us IS NULL);

-- name: turns.answered
UPDATE archive_turns SET failures = 0, closed_until = 0, down_since = NULL, code = '', message = '',
    answered_at = max(coalesce(answered_at, 0), $now)
WHERE archive = $archive AND failures > 0;

-- name: turns.seen
INSERT INTO archive_turns (archive, answered_at) VALUES ($archive, $now)
ON CONFLICT (archive) DO UPDATE SET answered_at = max(coalesce(answered_at, 0), excluded.answered_at);

-- name: turns.owner_of_secret
-- Whose a secret is already: a destination's, another archive's, or this one's at another host (all
-- of the address up to the first slash behind it).
SELECT 'destination ' || destination AS owner FROM destinations
WHERE $secret <> '' AND $secret IN (secret, old_secret)
UNION ALL
SELECT 'archive ' || archive || ' at ' || origin FROM (
    SELECT archive, secret,
        substr(url, 1, instr(url, '://') + 2 + instr(substr(url, instr(url, '://') + 3) || '/', '/')) AS origin
    FROM archives)
WHERE $secret <> '' AND secret = $secret AND NOT (archive = $archive AND rtrim(origin, '/') = rtrim(
    substr($url, 1, instr($url, '://') + 2 + instr(substr($url, instr($url, '://') + 3) || '/', '/')), '/'))
LIMIT 1;

-- name: turns.end_outage
UPDATE archive_outages SET to_us = $now WHERE archive = $archive AND to_us IS NULL;

-- name: turns.wake
-- Whoever waits because the archive did not answer need not wait any longer.
UPDATE jobs SET next_try_at = $now
WHERE archive = $archive AND state = 'waiting' AND next_try_at > $now
  AND code IN ('transient', 'timeout', 'archive_auth', 'archive_busy');

-- name: turns.pause
-- By its rate: what was read has to last so long, what sessions read beside each other together.
INSERT INTO archive_turns (archive, closed_until) VALUES ($archive, $began + $lasts_us)
ON CONFLICT (archive) DO UPDATE SET closed_until = max(closed_until, $began) + $lasts_us;

-- name: turns.set
-- What the archive's row says; the rest stays.
INSERT INTO archive_turns (archive, sessions, off_until) VALUES ($archive, $sessions, $off_until)
ON CONFLICT (archive) DO UPDATE SET sessions = excluded.sessions, off_until = excluded.off_until;

-- name: turns.outlook
-- For each archive that stands: how it answers, what waits, what of it will be lost when, what was
-- lost already, and how fast work went in the last hours.
SELECT a.archive, coalesce(t.failures, 0) AS failures, coalesce(t.closed_until, 0) AS closed_until,
    coalesce(t.off_until, 0) AS off_until, t.down_since, coalesce(t.code, '') AS code,
    coalesce(t.message, '') AS message, t.sessions,
    coalesce(t.answered_at >= i.at, 0) AS answered, iif(t.failed_at >= i.at, t.failed_at, 0) AS failed_at,
    coalesce(t.failed_at >= max(i.at, coalesce(t.answered_at, 0)), 0) AS failing,
    coalesce(t.failed_code, '') AS failed_code, coalesce(t.failure, '') AS failure,
    (SELECT count(*) FROM jobs j WHERE j.archive = a.archive AND j.state = 'waiting') AS waiting,
    (SELECT count(*) FROM jobs j WHERE j.archive = a.archive AND j.state = 'running') AS running,
    (SELECT min(j.next_try_at) FROM jobs j WHERE j.archive = a.archive AND j.state = 'waiting')
        AS next_try_at,
    (SELECT min(j.lost_at) FROM jobs j WHERE j.archive = a.archive AND j.state = 'waiting'
     AND j.lost_at > $now) AS lost_at,
    (SELECT count(*) FROM jobs j WHERE j.archive = a.archive AND j.state IN ('waiting', 'running')
     AND j.lost_at <= $now) AS overdue,
    (SELECT count(DISTINCT j.survey) FROM jobs j WHERE j.archive = a.archive
     AND j.state IN ('done', 'failed') AND j.lost_at <= j.ended_at AND j.code <> ''
     AND j.ended_at >= $since) AS lost,
    (SELECT sum(e.bytes_read) FROM evidence e WHERE e.made_at >= $day_ago AND e.camera IN (
        SELECT c.camera FROM camera_state c WHERE c.archive = a.archive)) AS bytes_read,
    (SELECT sum(e.bytes) FROM evidence e WHERE e.made_at >= $day_ago AND e.camera IN (
        SELECT c.camera FROM camera_state c WHERE c.archive = a.archive)) AS bytes_kept
FROM archives a JOIN imports i ON i.import = a.import
LEFT JOIN archive_turns t ON t.archive = a.archive
WHERE a.id = (SELECT max(b.id) FROM archives b WHERE b.archive = a.archive)
ORDER BY a.archive;

-- name: turns.losses
-- Surveys whose footage was overwritten before an archive gave it, newest first, as outlook counts them.
SELECT j.survey, s.point, s.opened_at, group_concat(DISTINCT j.kind) AS kinds, min(j.lost_at) AS lost_at,
    max(j.ended_at) AS ended_at, sum(j.attempts) AS attempts, max(j.code) AS code
FROM jobs j LEFT JOIN surveys s ON s.survey = j.survey
WHERE j.archive = $archive AND j.state IN ('done', 'failed') AND j.lost_at <= j.ended_at
  AND j.code <> '' AND j.ended_at >= $since
GROUP BY j.survey ORDER BY max(j.ended_at) DESC, j.survey LIMIT 100000;

-- name: turns.at_risk
-- Waiting work whose footage is gone before the moment at which the n-th job would be done.
SELECT count(DISTINCT survey) FROM (
    SELECT survey, lost_at, row_number() OVER (ORDER BY class, lost_at IS NULL, lost_at, job) AS n
    FROM jobs WHERE archive = $archive AND state = 'waiting')
WHERE lost_at IS NOT NULL AND lost_at > $now AND lost_at < $begins + n * $each_us;

-- name: turns.pace
-- Jobs that ended lately, and in how many hours of the clock.
SELECT count(*) AS jobs, count(DISTINCT ended_at / 3600000000) AS hours FROM jobs
WHERE archive = $archive AND state = 'done' AND code = '' AND ended_at >= $since AND ended_at < $now;

-- name: turns.outages
SELECT o.archive, o.from_us, o.to_us, o.code, o.message,
    (SELECT count(DISTINCT j.survey) FROM jobs j WHERE j.archive = o.archive
     AND j.lost_at >= o.from_us AND (o.to_us IS NULL OR j.lost_at <= j.ended_at)
     AND j.state IN ('done', 'failed') AND j.code <> '' AND j.lost_at <= j.ended_at) AS lost
FROM archive_outages o WHERE $archive IS NULL OR o.archive = $archive
ORDER BY o.from_us DESC LIMIT 50;

-- name: turns.link_next
UPDATE links SET next_try_at = $next_try_at WHERE survey = $survey AND state = 'unreachable';
