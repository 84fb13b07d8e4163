-- name: evidence.add
INSERT INTO evidence (survey, audit, kind, sha256, bytes, media_type, codec, derived, camera,
    asked_from, asked_to, got_from, got_to, frame_at, view_offset_us, gaps, index_offset_us,
    uncertainty_us, source, requests, bytes_read, software, made_at)
VALUES (nullif($survey, ''), nullif($audit, ''), $kind, $sha256, $bytes, $media_type, $codec,
    $derived, $camera, $asked_from, $asked_to, $got_from, $got_to,
    CASE $kind WHEN 'still' THEN $frame_at END, $view_offset_us, $gaps, $index_offset_us,
    $uncertainty_us, $source, $requests, $bytes_read, $software, $made_at)
RETURNING id;

-- name: evidence.find
SELECT id, survey, coalesce(audit, '') AS audit, kind, sha256, bytes, media_type, codec, derived,
    camera, asked_from, asked_to, got_from, got_to, frame_at, view_offset_us, gaps,
    index_offset_us, uncertainty_us, source, requests, bytes_read, made_at,
    coalesce((SELECT sidecar FROM evidence_extras x WHERE x.evidence = evidence.id), '') AS sidecar
FROM evidence WHERE survey = $survey AND kind = $kind ORDER BY id DESC LIMIT 1;

-- name: evidence.survey
-- What linking and fetching need of a survey or a spontaneous rating.
SELECT survey, point, opened_at, closes_at, state, answer, answered_at, device_uncertainty_us
FROM watched WHERE survey = $survey;

-- name: evidence.link
SELECT state, camera, asked_from, asked_to, fraction, index_offset_us, uncertainty_us, attempts,
       made_at, placed, basis, sources,
       EXISTS (SELECT 1 FROM evidence e WHERE e.survey = l.survey) AS has_evidence
FROM links l WHERE survey = $survey;

-- name: evidence.basis
SELECT placed, basis, sources FROM link_basis WHERE survey = $survey;

-- name: evidence.put_link
INSERT INTO links (survey, state, camera, asked_from, asked_to, fraction, gaps, index_offset_us,
    uncertainty_us, flags, message, attempts, next_try_at, made_at, placed, basis, sources)
VALUES ($survey, $state, nullif($camera, ''), $asked_from, $asked_to, $fraction, $gaps,
    $index_offset_us, $uncertainty_us, $flags, $message, $attempts, nullif($next_try_at, 0),
    $made_at, $placed, $basis, $sources)
ON CONFLICT (survey) DO UPDATE SET state = excluded.state, camera = excluded.camera,
    asked_from = excluded.asked_from, asked_to = excluded.asked_to,
    fraction = excluded.fraction, gaps = excluded.gaps,
    index_offset_us = excluded.index_offset_us, uncertainty_us = excluded.uncertainty_us,
    flags = excluded.flags, message = excluded.message, attempts = excluded.attempts,
    next_try_at = excluded.next_try_at, made_at = excluded.made_at, placed = excluded.placed,
    basis = excluded.basis, sources = excluded.sources;

-- name: evidence.renew_link
-- The link stands, for what is known now.
UPDATE links SET uncertainty_us = $uncertainty_us, flags = $flags, message = $message,
    placed = $placed, basis = $basis, sources = $sources, made_at = $made_at
WHERE survey = $survey;

-- name: evidence.count_files
SELECT (SELECT count(DISTINCT sha256) FROM evidence
        WHERE sha256 NOT IN (SELECT sha256 FROM gone))
    + (SELECT count(DISTINCT sidecar) FROM evidence_extras)
    + (SELECT count(DISTINCT sha256) FROM camera_references);

-- name: evidence.files
-- Each file once, with what the rows say of it.
-- A sidecar's size stands nowhere: -1.
SELECT sha256, min(bytes) AS bytes, count(*) AS rows, min(survey) AS survey, min(kind) AS kind
FROM evidence WHERE sha256 NOT IN (SELECT sha256 FROM gone) GROUP BY sha256
UNION ALL
SELECT x.sidecar, -1, count(*), min(e.survey), 'sidecar'
FROM evidence_extras x JOIN evidence e ON e.id = x.evidence GROUP BY x.sidecar
UNION ALL
SELECT sha256, -1, count(*), min(camera), 'reference' FROM camera_references GROUP BY sha256
ORDER BY sha256;

-- name: evidence.knows_file
SELECT EXISTS (SELECT 1 FROM evidence WHERE sha256 = $sha256)
    OR EXISTS (SELECT 1 FROM evidence_extras WHERE sidecar = $sha256)
    OR EXISTS (SELECT 1 FROM camera_references WHERE sha256 = $sha256);

-- name: evidence.inconsistent
SELECT survey, 'its link is ' || state || ' but names no camera' AS text FROM links
WHERE state IN ('linked', 'partial') AND camera IS NULL
UNION ALL
SELECT DISTINCT e.survey, 'it has evidence, but its link is ' || l.state
FROM evidence e JOIN links l ON l.survey = e.survey WHERE l.state NOT IN ('linked', 'partial')
UNION ALL
SELECT DISTINCT e.survey, 'it has evidence, but no link' FROM evidence e
WHERE e.survey IS NOT NULL AND NOT EXISTS (SELECT 1 FROM links l WHERE l.survey = e.survey)
UNION ALL
SELECT DISTINCT e.survey, 'its evidence names camera ' || e.camera || ', which is unknown'
FROM evidence e WHERE NOT EXISTS (SELECT 1 FROM cameras c WHERE c.camera = e.camera);
