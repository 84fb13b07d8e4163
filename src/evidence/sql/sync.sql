-- name: sync.point
-- Of the points that a camera sees in a time, the one with most surveys.
SELECT s.point FROM surveys s
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND EXISTS (SELECT 1 FROM placements p WHERE p.point = s.point AND p.camera = $camera
              AND p.valid_from <= s.opened_at AND (p.valid_to IS NULL OR p.valid_to > s.opened_at))
GROUP BY s.point ORDER BY count(*) DESC, s.point LIMIT 1;

-- name: sync.surveys
-- When buttons went down at a point.
SELECT opened_at, answered_at, device_uncertainty_us FROM surveys
WHERE point = $point AND opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0
ORDER BY opened_at LIMIT 20000;
