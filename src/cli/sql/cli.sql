-- name: cli.surveys_to_link
-- Not linked, not finally, made from what was corrected since, or with footage missing that the
-- archive may still list (surveys that closed after $recent).
SELECT s.survey FROM subjects s LEFT JOIN links l ON l.survey = s.survey
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND (l.state IS NULL OR l.state IN ('pending', 'unreachable')
       OR (l.state IN ('no_recording', 'partial') AND s.closes_at > $recent)
       OR EXISTS (SELECT 1 FROM link_basis b WHERE b.survey = s.survey
                  AND (l.placed <> b.placed OR l.basis <> b.basis
                       OR (l.state NOT IN ('linked', 'expired') AND l.sources <> b.sources))))
ORDER BY s.opened_at, s.survey;

-- name: cli.link_states
SELECT l.state, count(*) AS count FROM links l JOIN subjects s ON s.survey = l.survey
WHERE s.opened_at >= $from AND s.opened_at < $to GROUP BY l.state;

-- name: cli.surveys_for_stills
SELECT s.survey FROM subjects s
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND ($all OR s.answer IS NOT NULL)
ORDER BY s.opened_at, s.survey;

-- name: cli.surveys_of_audit
-- Each archive's in the order of time: windows that overlap follow one another, and share what they fetch.
SELECT a.survey FROM audit_sample a
LEFT JOIN survey_archive r ON r.survey = a.survey LEFT JOIN surveys s ON s.survey = a.survey
WHERE a.audit = $audit GROUP BY a.survey ORDER BY r.archive, s.opened_at, min(a.place);

-- name: cli.knows_audit
SELECT EXISTS (SELECT 1 FROM audits WHERE audit = $audit);

-- name: doctor.bare_points
-- Points that cannot do the whole job, and the first thing that each lacks.
SELECT p.point,
    CASE
        WHEN NOT EXISTS (SELECT 1 FROM devices d WHERE d.point = p.point) THEN 'devices'
        WHEN NOT EXISTS (SELECT 1 FROM questions q WHERE q.point = p.point) THEN 'questions'
        ELSE 'placements'
    END AS lacks
FROM (SELECT DISTINCT point FROM points) p
WHERE NOT EXISTS (SELECT 1 FROM devices d WHERE d.point = p.point)
   OR NOT EXISTS (SELECT 1 FROM questions q WHERE q.point = p.point)
   OR NOT EXISTS (SELECT 1 FROM placements l WHERE l.point = p.point)
ORDER BY p.point LIMIT 20;

-- name: doctor.unmeasured
-- Clocks that were never measured.
SELECT 'device:' || device AS target FROM (SELECT DISTINCT device FROM devices)
WHERE NOT EXISTS (SELECT 1 FROM clocks c WHERE c.target = 'device:' || device)
UNION ALL
SELECT 'camera:' || camera FROM (SELECT DISTINCT camera, archive FROM cameras)
WHERE NOT EXISTS (SELECT 1 FROM clocks c
                  WHERE c.target IN ('camera:' || camera, 'archive:' || archive))
LIMIT 20;

-- name: doctor.stray_clocks
-- Measured clocks of what nobody knows: most likely a misspelt id.
SELECT DISTINCT target FROM clocks c
WHERE CASE substr(target, 1, instr(target, ':') - 1)
      WHEN 'device' THEN NOT EXISTS (SELECT 1 FROM devices WHERE device = substr(c.target, 8))
      WHEN 'camera' THEN NOT EXISTS (SELECT 1 FROM cameras WHERE camera = substr(c.target, 8))
      ELSE NOT EXISTS (SELECT 1 FROM archives WHERE archive = substr(c.target, 9)) END
ORDER BY target LIMIT 20;

-- name: doctor.jobs
SELECT state, count(*) AS count, min(next_try_at) AS next_try_at,
       (SELECT message FROM jobs k WHERE k.state = j.state AND k.message <> ''
        ORDER BY job DESC LIMIT 1) AS message
FROM jobs j WHERE state IN ('waiting', 'running', 'failed') GROUP BY state;

-- name: doctor.destinations
-- Each with what waits and what is dead; tests are nobody's loss.
SELECT d.destination, d.enabled, d.secret, h.attempts, h.made_at, h.next_at, h.reason,
       (SELECT count(*) FROM deliveries w WHERE w.destination = d.destination
        AND w.state = 'waiting' AND w.kind <> 'test') AS waiting,
       (SELECT count(*) FROM deliveries x WHERE x.destination = d.destination
        AND x.state = 'dead' AND x.kind <> 'test' AND x.body <> '') AS dead,
       (SELECT x.reason FROM deliveries x WHERE x.destination = d.destination
        AND x.state = 'dead' AND x.kind <> 'test' ORDER BY x.delivery DESC LIMIT 1) AS dead_reason
FROM destinations d
LEFT JOIN deliveries h ON h.delivery = (
    SELECT min(w.delivery) FROM deliveries w WHERE w.destination = d.destination
    AND w.state = 'waiting' AND w.kind <> 'test')
WHERE d.id = (SELECT max(e.id) FROM destinations e WHERE e.destination = d.destination)
ORDER BY d.destination LIMIT 100;

-- name: doctor.undeliverable
SELECT destination, count(*) AS count FROM deliveries WHERE state = 'dead' AND body = ''
GROUP BY destination ORDER BY destination LIMIT 20;

-- name: cli.secret_users
SELECT 'archive:' || archive AS target FROM archives a
WHERE secret = $secret AND id = (SELECT max(id) FROM archives b WHERE b.archive = a.archive)
UNION ALL
SELECT 'destination:' || destination FROM destinations d
WHERE $secret IN (secret, old_secret)
  AND id = (SELECT max(id) FROM destinations e WHERE e.destination = d.destination)
ORDER BY target;

-- name: cli.secret_names
SELECT secret FROM (
    SELECT secret FROM archives a
    WHERE id = (SELECT max(id) FROM archives b WHERE b.archive = a.archive)
    UNION
    SELECT secret FROM destinations d
    WHERE id = (SELECT max(id) FROM destinations e WHERE e.destination = d.destination)
    UNION
    SELECT old_secret FROM destinations d
    WHERE id = (SELECT max(id) FROM destinations e WHERE e.destination = d.destination))
WHERE secret <> '' ORDER BY secret;

-- name: doctor.experts
SELECT count(*) FROM users WHERE role = 'expert' AND disabled = 0;

-- name: doctor.newest_survey
SELECT max(closes_at) FROM surveys;

-- name: cli.imports
SELECT import, at, author, kind, source, read, added, duplicate, rejected FROM imports
WHERE ($kind IS NULL OR kind = $kind) AND at >= $from AND at < $to
ORDER BY import;

-- name: cli.counts
-- Of a scope, kind and from the newest row stands.
SELECT c.scope, c.kind, c.valid_from, c.valid_to, c.count, c.source, c.import, i.at, i.author,
       c.id = (SELECT max(d.id) FROM counts d
               WHERE d.scope = c.scope AND d.kind = c.kind AND d.valid_from = c.valid_from) AS stands
FROM counts c JOIN imports i USING (import)
WHERE ($scope IS NULL OR c.scope = $scope) AND ($kind IS NULL OR c.kind = $kind)
  AND c.valid_from < $to AND c.valid_to > $from AND ($history OR stands)
ORDER BY c.scope, c.kind, c.valid_from, c.id DESC;

-- name: cli.clocks
-- Measurements that stand: of a target and moment the newest.
SELECT c.target, c.at, c.offset_us, c.uncertainty_us, c.step, c.method, i.author, i.at AS made_at
FROM clocks c JOIN imports i USING (import)
WHERE ($target IS NULL OR c.target = $target)
  AND c.id = (SELECT max(d.id) FROM clocks d WHERE d.target = c.target AND d.at = c.at)
ORDER BY c.target, c.at;
