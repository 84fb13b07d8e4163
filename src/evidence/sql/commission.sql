-- name: commission.press
-- The press of a survey, and the kept clip that shows it.
SELECT s.opened_at, s.device_uncertainty_us, e.camera, e.sha256, e.index_offset_us, e.codec,
    (SELECT k.sha256 FROM evidence k WHERE k.survey = s.survey AND k.kind = 'still'
     AND k.camera = e.camera ORDER BY k.id DESC LIMIT 1) AS still,
    e.got_from, e.got_to
FROM surveys s LEFT JOIN evidence e ON e.id = (
    SELECT max(c.id) FROM evidence c WHERE c.survey = s.survey AND c.kind = 'clip')
WHERE s.survey = $survey;

-- name: commission.rows
SELECT camera_row, coalesce(archive_row, 0) AS archive_row FROM camera_state WHERE camera = $camera;

-- name: commission.add
INSERT INTO commissionings (camera, survey, press_at, frame_at, error_us, offset_us, uncertainty_us,
    still, codec, width, height, rights, author, made_at, camera_row, archive_row)
VALUES ($camera, $survey, $press_at, $frame_at, $error_us, $offset_us, $uncertainty_us, $still,
    $codec, $width, $height, $rights, $author, $made_at, $camera_row, $archive_row)
RETURNING id;

-- name: commission.list
SELECT s.camera, s.site, s.archive, s.due, m.survey, m.press_at, m.frame_at, m.error_us, m.offset_us,
    m.uncertainty_us, m.still, m.codec, m.width, m.height, m.rights, m.author, m.made_at
FROM camera_state s LEFT JOIN commissionings m ON m.id = s.commissioning
ORDER BY s.camera;

-- name: commission.add_overlay
INSERT INTO overlays (camera, at, index_us, shown_us, offset_us, uncertainty_us, trusted, author,
    made_at)
VALUES ($camera, $at, $index_us, $shown_us, $offset_us, $uncertainty_us, $trusted, $author, $made_at)
RETURNING id;

-- name: commission.overlays
SELECT camera, at, index_us, shown_us, offset_us, uncertainty_us, trusted, author, made_at
FROM overlays WHERE $camera IS NULL OR camera = $camera ORDER BY camera, at, id;

-- name: commission.picture
SELECT sha256 FROM evidence e WHERE camera = $camera AND kind = 'still'
  AND NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = e.sha256)
ORDER BY id DESC LIMIT 1;
