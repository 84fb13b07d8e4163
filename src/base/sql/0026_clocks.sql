-- How each archive answers, shared by all workers: who fails is left alone for a while, and asked by
-- one worker first. Not a fact of the past: made again by asking.
CREATE TABLE archive_turns (
    archive TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,     -- in a row, of the archive as a whole
    closed_until INTEGER NOT NULL DEFAULT 0, -- not asked before: after failures, by its rate
    off_until INTEGER NOT NULL DEFAULT 0,    -- not asked before: outside its hours
    sessions INTEGER,                        -- at a time; NULL: as the configuration says
    down_since INTEGER, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Every outage of an archive with what was waiting and what it cost, kept.
CREATE TABLE archive_outages (
    outage INTEGER PRIMARY KEY, archive TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER,
    code TEXT NOT NULL, message TEXT NOT NULL
) STRICT;
CREATE INDEX archive_outages_archive ON archive_outages (archive, from_us);

-- The archive that a job goes to: its link's camera's, else that of the point's first camera.
CREATE VIEW survey_archive AS
SELECT s.survey, (SELECT c.archive FROM cameras c WHERE c.camera = coalesce(
        (SELECT l.camera FROM links l WHERE l.survey = s.survey),
        (SELECT p.camera FROM placements p WHERE p.point = s.point AND p.valid_from <= s.opened_at
             AND (p.valid_to IS NULL OR p.valid_to > s.opened_at)
         ORDER BY p.priority, p.id DESC LIMIT 1))
    ORDER BY c.id DESC LIMIT 1) AS archive
FROM subjects s;
CREATE TRIGGER jobs_new_archive AFTER INSERT ON jobs WHEN NEW.archive = ''
BEGIN
    UPDATE jobs SET archive = coalesce((SELECT archive FROM survey_archive
                                        WHERE survey = NEW.survey), '') WHERE job = NEW.job;
END;
CREATE TRIGGER jobs_again_archive AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'waiting' AND OLD.state IN ('done', 'failed')
BEGIN
    UPDATE jobs SET archive = coalesce((SELECT archive FROM survey_archive
                                        WHERE survey = NEW.survey), '') WHERE job = NEW.job;
END;

-- The last look at each archive's clock, whatever came of it; measurements that count are in clocks.
CREATE TABLE archive_looks (
    archive TEXT PRIMARY KEY, at INTEGER NOT NULL, offset_us INTEGER, uncertainty_us INTEGER,
    method TEXT NOT NULL DEFAULT '', finding TEXT NOT NULL DEFAULT '', -- known, moved, jumped
    code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', jumped_at INTEGER
) STRICT, WITHOUT ROWID;

-- A camera's commissioning: a press in view, the frame that a person says shows it. Append-only; the
-- newest of a camera stands.
CREATE TABLE commissionings (
    id INTEGER PRIMARY KEY, camera TEXT NOT NULL, survey TEXT NOT NULL DEFAULT '',
    press_at INTEGER NOT NULL, frame_at INTEGER NOT NULL, -- UTC, the frame as it was told then
    error_us INTEGER NOT NULL,         -- frame_at - press_at: what was wrong with the known offset
    offset_us INTEGER NOT NULL, uncertainty_us INTEGER NOT NULL, -- index clock - UTC as it is now known
    still TEXT NOT NULL DEFAULT '', codec TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, rights TEXT NOT NULL, author TEXT NOT NULL, made_at INTEGER NOT NULL,
    camera_row INTEGER NOT NULL, archive_row INTEGER NOT NULL -- what it was commissioned as
) STRICT;
CREATE INDEX commissionings_camera ON commissionings (camera);

-- Cameras, whether each is commissioned, and why that has to be done again: never, camera (its row
-- changed), archive (its archive's did), clock (it was found set since).
CREATE VIEW camera_state AS
SELECT c.camera, c.site, c.archive, c.id AS camera_row, a.id AS archive_row, m.id AS commissioning,
    CASE WHEN m.id IS NULL THEN 'never'
         WHEN m.camera_row <> c.id THEN 'camera'
         WHEN m.archive_row <> a.id THEN 'archive'
         WHEN EXISTS (SELECT 1 FROM clocks k WHERE k.step = 1 AND k.at > m.press_at
                      AND k.target IN ('camera:' || c.camera, 'archive:' || c.archive)) THEN 'clock'
         ELSE '' END AS due
FROM cameras c
LEFT JOIN archives a ON a.id = (SELECT max(b.id) FROM archives b WHERE b.archive = c.archive)
LEFT JOIN commissionings m ON m.id = (SELECT max(n.id) FROM commissionings n WHERE n.camera = c.camera)
WHERE c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera);

-- What the picture's own clock shows: overlay - index, read by a person off a frame. Append-only.
CREATE TABLE overlays (
    id INTEGER PRIMARY KEY, camera TEXT NOT NULL, at INTEGER NOT NULL, -- UTC of the frame
    index_us INTEGER NOT NULL, shown_us INTEGER NOT NULL, -- the index clock there; what was read
    offset_us INTEGER NOT NULL, uncertainty_us INTEGER NOT NULL,
    trusted INTEGER NOT NULL,          -- whether it set the index clock's offset
    author TEXT NOT NULL, made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX overlays_camera ON overlays (camera, at);

-- The earliest recording of each camera that its archive still had, looked for once a day.
CREATE TABLE retention_seen (
    camera TEXT NOT NULL, at INTEGER NOT NULL, earliest_at INTEGER, -- NULL: nothing recorded
    code TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (camera, at)
) STRICT, WITHOUT ROWID;

-- How long an archive keeps a camera's recordings by what was seen: only where the earliest moved on
-- since a day before, so that a new archive, which has overwritten nothing yet, says nothing. The
-- shortest of the last week.
CREATE VIEW retention_measured AS
SELECT r.camera, min(r.at - r.earliest_at) AS kept_us FROM retention_seen r
WHERE r.at > (SELECT max(n.at) FROM retention_seen n WHERE n.camera = r.camera) - 604800000000
  AND EXISTS (SELECT 1 FROM retention_seen p WHERE p.camera = r.camera
              AND p.at <= r.at - 72000000000 AND p.earliest_at <= r.earliest_at - 43200000000)
GROUP BY r.camera;
