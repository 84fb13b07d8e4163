-- name: retention.due
-- The camera whose earliest recording was not looked for since.
SELECT c.camera FROM cameras c
WHERE c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera)
  AND NOT EXISTS (SELECT 1 FROM retention_seen r WHERE r.camera = c.camera AND r.at > $since)
  AND NOT EXISTS (SELECT 1 FROM archive_turns t WHERE t.archive = c.archive AND t.failures > 0)
ORDER BY c.camera LIMIT 1;

-- name: retention.put
INSERT OR REPLACE INTO retention_seen (camera, at, earliest_at, code)
VALUES ($camera, $at, iif($earliest_at = 0, NULL, $earliest_at), $code);

-- name: retention.next
-- An archive that fails is not looked at, so its cameras set no moment.
SELECT min(at) FROM (
    SELECT max(r.at) AS at FROM retention_seen r JOIN cameras c ON c.camera = r.camera
    WHERE c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera)
      AND NOT EXISTS (SELECT 1 FROM archive_turns t WHERE t.archive = c.archive AND t.failures > 0)
    GROUP BY r.camera);

-- name: retention.again
-- What waits is lost at another moment than was thought.
UPDATE jobs SET lost_at = (SELECT o.lost_at FROM survey_lost o WHERE o.survey = jobs.survey)
WHERE state = 'waiting' AND survey IN (
    SELECT s.survey FROM subjects s JOIN placements p ON p.point = s.point WHERE p.camera = $camera);

-- name: retention.list
-- Declared and measured, in days.
SELECT c.camera, c.retention_days, m.kept_us FROM cameras c
LEFT JOIN retention_measured m ON m.camera = c.camera
WHERE c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera) ORDER BY c.camera;
