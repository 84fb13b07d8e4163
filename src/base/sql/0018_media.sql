-- What is known of kept evidence beyond its row; made when it is kept, never changed.
CREATE TABLE evidence_extras (
    evidence INTEGER PRIMARY KEY REFERENCES evidence,
    sidecar TEXT NOT NULL,             -- SHA-256 of the JSON file with the time of every frame
    flags TEXT NOT NULL DEFAULT '[]',  -- JSON array of words about the pictures
    measures TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX evidence_extras_sidecar ON evidence_extras (sidecar);

-- Parts of a camera's picture that nobody is shown, from a moment on: append-only, each row all of
-- them (none: an empty array); of the rows up to a moment the latest stands, of equals the newest.
CREATE TABLE masks (
    id INTEGER PRIMARY KEY, camera TEXT NOT NULL, from_us INTEGER NOT NULL,
    shapes TEXT NOT NULL,              -- JSON: [[[x, y], ...], ...] in ten-thousandths of the picture
    author TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX masks_camera ON masks (camera, from_us);

-- How a camera's picture should look, from a moment on: dated and append-only in the same way.
CREATE TABLE camera_references (
    id INTEGER PRIMARY KEY, camera TEXT NOT NULL, from_us INTEGER NOT NULL,
    frame_at INTEGER NOT NULL, sha256 TEXT NOT NULL, -- the still, kept as evidence is
    cells BLOB NOT NULL, author TEXT NOT NULL, made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX camera_references_camera ON camera_references (camera, from_us);

-- How evidence is shown: view says why it needs a viewing copy (masks, codec, or '' for none).
CREATE VIEW evidence_shown AS
SELECT e.id, coalesce(x.sidecar, '') AS sidecar, coalesce(x.flags, '[]') AS picture_flags,
    CASE WHEN coalesce((SELECT m.shapes FROM masks m
                        WHERE m.camera = e.camera AND m.from_us <= e.got_from
                        ORDER BY m.from_us DESC, m.id DESC LIMIT 1), '[]') <> '[]' THEN 'masks'
         WHEN e.kind = 'clip' AND e.codec <> 'h264' THEN 'codec'
         ELSE '' END AS view
FROM evidence e LEFT JOIN evidence_extras x ON x.evidence = e.id;
