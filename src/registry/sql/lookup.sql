-- Lookups. The latest row of a natural key stands.

-- name: registry.get_archives
SELECT archive, kind, url, files, time_zone, user, secret, options FROM archives a
WHERE id = (SELECT max(id) FROM archives WHERE archive = a.archive)
  AND ($archive IS NULL OR archive = $archive)
ORDER BY archive;

-- name: registry.get_cameras
SELECT c.camera, c.site, c.channel, c.name, c.retention_days, c.overlay_trusted,
  a.archive, a.kind, a.url, a.files, a.time_zone, a.user, a.secret, a.options
FROM cameras c JOIN archives a ON a.archive = c.archive
WHERE c.id = (SELECT max(id) FROM cameras WHERE camera = c.camera)
  AND a.id = (SELECT max(id) FROM archives WHERE archive = c.archive)
  AND ($camera IS NULL OR c.camera = $camera)
ORDER BY c.camera;

-- name: registry.get_sites
SELECT site, name, time_zone,
  coalesce((SELECT n.site_group FROM site_groups n WHERE n.site = s.site), '') AS site_group
FROM sites s
WHERE id = (SELECT max(id) FROM sites WHERE site = s.site)
  AND ($site IS NULL OR site = $site)
ORDER BY site;

-- name: registry.get_points
SELECT p.point, p.name AS point_name, s.site, s.name, s.time_zone,
  coalesce((SELECT n.site_group FROM site_groups n WHERE n.site = s.site), '') AS site_group
FROM points p JOIN sites s ON s.site = p.site
WHERE p.id = (SELECT max(id) FROM points WHERE point = p.point)
  AND s.id = (SELECT max(id) FROM sites WHERE site = s.site)
  AND ($point IS NULL OR p.point = $point)
ORDER BY p.point;

-- name: registry.get_site_hours
SELECT hours_from, hours, site_group FROM site_versions WHERE site = $id ORDER BY hours_from;

-- name: registry.get_point_hours
SELECT hours_from, hours, '' AS site_group FROM points p
WHERE point = $id
  AND id = (SELECT max(id) FROM points WHERE point = p.point AND hours_from = p.hours_from)
ORDER BY hours_from;

-- name: registry.get_placements
SELECT camera, valid_from, valid_to, priority FROM placements p
WHERE point = $point AND valid_from <= $at AND (valid_to IS NULL OR valid_to > $at)
  AND id = (SELECT max(id) FROM placements
            WHERE point = p.point AND camera = p.camera AND valid_from = p.valid_from)
ORDER BY camera, valid_from DESC;

-- All pairings of the devices asked for: those of other points too, because they end these.
-- name: registry.get_pairings
SELECT device, point, valid_from, valid_to, role, test FROM devices d
WHERE ($device IS NULL OR device = $device)
  AND ($point IS NULL OR device IN (SELECT device FROM devices WHERE point = $point))
  AND id = (SELECT max(id) FROM devices WHERE device = d.device AND valid_from = d.valid_from)
ORDER BY device, valid_from;

-- name: registry.get_questions
SELECT question, kind, text, valid_from, valid_to, window_us FROM questions q
WHERE point = $point
  AND id = (SELECT max(id) FROM questions
            WHERE point = q.point AND question = q.question AND valid_from = q.valid_from)
ORDER BY valid_from, question;

-- name: registry.get_shifts
SELECT employee, valid_from, valid_to FROM shifts s
WHERE point = $point AND valid_from < $to AND valid_to > $from
  AND id = (SELECT max(id) FROM shifts
            WHERE point = s.point AND employee = s.employee AND valid_from = s.valid_from)
ORDER BY valid_from, employee;

-- name: registry.get_clock
SELECT at, offset_us, uncertainty_us, step FROM clocks c
WHERE target = $target AND id = (SELECT max(id) FROM clocks WHERE target = c.target AND at = c.at)
ORDER BY at;

-- name: registry.get_clock_targets
SELECT DISTINCT target FROM clocks ORDER BY target;
