-- name: sync_asks.add
INSERT INTO clock_syncs (camera, from_us, to_us, area_left, area_top, area_right, area_bottom, author,
    asked_at)
SELECT $camera, $from, $to, iif($whole, NULL, $left), iif($whole, NULL, $top),
    iif($whole, NULL, $right), iif($whole, NULL, $bottom), $author, $now
WHERE EXISTS (SELECT 1 FROM cameras WHERE camera = $camera)
RETURNING id;

-- name: sync_asks.open
SELECT count(*) FROM clock_syncs WHERE camera = $camera AND state IN ('waiting', 'running');

-- name: sync_asks.restart
-- What a process that is gone left half done.
UPDATE clock_syncs SET state = 'waiting', looked = 0, windows = 0 WHERE state = 'running';

-- name: sync_asks.take
UPDATE clock_syncs SET state = 'running'
WHERE id = (SELECT min(id) FROM clock_syncs WHERE state = 'waiting')
RETURNING id, camera, from_us, to_us, area_left, area_top, area_right, area_bottom;

-- name: sync_asks.progress
UPDATE clock_syncs SET looked = $looked, windows = $windows WHERE id = $id;

-- name: sync_asks.end
UPDATE clock_syncs SET state = $state, ended_at = $now, message = $message, point = $point,
    at = iif($state = 'found', $at, NULL), offset_us = iif($state = 'found', $offset_us, NULL),
    uncertainty_us = iif($state = 'found', $uncertainty_us, NULL),
    known_us = iif($state = 'failed', NULL, $known_us),
    known_uncertainty_us = iif($state = 'failed', NULL, $known_uncertainty_us),
    events = iif($state = 'failed', NULL, $events), agreeing = iif($state = 'failed', NULL, $agreeing),
    chance_log10 = iif($state = 'failed', NULL, $chance / 100.0)
WHERE id = $id;

-- name: sync_asks.one
SELECT camera, state, at, offset_us, uncertainty_us FROM clock_syncs WHERE id = $id;

-- name: sync_asks.accept
UPDATE clock_syncs SET state = 'accepted', accepted_by = $author, accepted_at = $now WHERE id = $id;

-- name: sync_asks.list
-- The newest 50 of each camera, newest first.
SELECT * FROM clock_syncs s WHERE ($camera IS NULL OR camera = $camera)
  AND id IN (SELECT id FROM clock_syncs t WHERE t.camera = s.camera ORDER BY id DESC LIMIT 50)
ORDER BY id DESC LIMIT 500;
