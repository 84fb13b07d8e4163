-- name: purge.candidates
-- Files all of whose rows are old enough, and that nothing holds.
SELECT e.sha256, min(e.kind) AS kind, min(e.survey) AS survey, max(e.bytes) AS bytes,
       max(e.got_to) AS got_to, max(e.id) AS newest
FROM evidence e
WHERE NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = e.sha256)
GROUP BY e.sha256
HAVING max(e.got_to) < $before
   AND e.sha256 NOT IN (SELECT h.sha256 FROM held_evidence h WHERE h.until IS NULL OR h.until > $now)
ORDER BY e.sha256 LIMIT $limit;

-- name: purge.plan
SELECT kind, count(*) AS files, sum(bytes) AS bytes, min(got_to) AS oldest FROM (
    SELECT min(e.kind) AS kind, max(e.bytes) AS bytes, max(e.got_to) AS got_to FROM evidence e
    WHERE NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = e.sha256)
    GROUP BY e.sha256
    HAVING max(e.got_to) < $before
       AND e.sha256 NOT IN (SELECT h.sha256 FROM held_evidence h WHERE h.until IS NULL OR h.until > $now))
GROUP BY kind ORDER BY kind;

-- name: purge.kept
-- What is old enough to go and held, by what holds it.
SELECT h.why, count(DISTINCT h.sha256) AS files FROM held_evidence h
JOIN (SELECT sha256 FROM evidence GROUP BY sha256 HAVING max(got_to) < $before) e
    ON e.sha256 = h.sha256
WHERE (h.until IS NULL OR h.until > $now)
  AND NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = h.sha256)
GROUP BY h.why ORDER BY h.why;

-- name: purge.add
INSERT INTO destructions (sha256, newest, kind, survey, bytes, at, rule, author)
VALUES ($sha256, $newest, $kind, $survey, $bytes, $now, $rule, $author);

-- name: purge.left
SELECT sha256, bytes FROM gone WHERE removed_at IS NULL ORDER BY sha256 LIMIT $limit;

-- name: purge.count_left
SELECT count(*) FROM gone WHERE removed_at IS NULL;

-- name: purge.count_records
SELECT count(*) FROM destructions;

-- name: purge.removed
UPDATE destructions SET removed_at = $now WHERE sha256 = $sha256 AND removed_at IS NULL;

-- name: purge.get
SELECT at, rule FROM gone WHERE sha256 = $sha256;

-- name: purge.destroyed
SELECT sha256 FROM gone WHERE removed_at IS NOT NULL ORDER BY sha256;

-- name: purge.bytes
SELECT coalesce(sum(bytes), 0) AS bytes,
       coalesce(sum(CASE WHEN made_at >= $since THEN bytes END), 0) AS recent, min(made_at) AS first
FROM (SELECT max(bytes) AS bytes, min(made_at) AS made_at FROM evidence e
      WHERE NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = e.sha256) GROUP BY sha256);

-- name: hold.add
INSERT INTO holds (survey, audit, site, from_at, to_at, until, reason, at, author)
VALUES ($survey, $audit, $site, nullif($from, -1), nullif($to, -1), nullif($until, -1), $reason, $now, $author)
RETURNING id;

-- name: hold.knows
SELECT ($survey IS NULL OR EXISTS (SELECT 1 FROM subjects WHERE survey = $survey))
   AND ($audit IS NULL OR EXISTS (SELECT 1 FROM audits WHERE audit = $audit))
   AND ($site IS NULL OR EXISTS (SELECT 1 FROM sites WHERE site = $site));

-- name: hold.release
UPDATE holds SET released_at = $now, released_by = $author, release_reason = $reason
WHERE id = $hold AND released_at IS NULL;

-- name: hold.get
SELECT released_at FROM holds WHERE id = $hold;

-- name: hold.list
SELECT id, survey, audit, site, from_at, to_at, until, reason, at, author, released_at, released_by,
       release_reason
FROM holds ORDER BY id DESC;
