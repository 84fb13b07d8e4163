-- Which camera and which seconds show a survey.
CREATE TABLE links (
    survey TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN
        ('linked', 'partial', 'no_recording', 'no_camera', 'expired', 'unreachable', 'pending')),
    camera TEXT, asked_from INTEGER NOT NULL, asked_to INTEGER NOT NULL,
    fraction REAL NOT NULL DEFAULT 0,  -- of the asked interval that is recorded
    gaps TEXT NOT NULL DEFAULT '[]',   -- JSON array of [from, to] in UTC microseconds
    index_offset_us INTEGER NOT NULL DEFAULT 0, uncertainty_us INTEGER NOT NULL DEFAULT 0,
    flags TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER, made_at INTEGER NOT NULL,
    -- What it was made from (link_basis then): another basis now means another link.
    placed TEXT NOT NULL DEFAULT '', basis TEXT NOT NULL DEFAULT '',
    sources INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX links_state ON links (state, next_try_at);

-- A file kept under its SHA-256 as evidence/ab/abcdef...; the same bytes may serve several rows.
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    survey TEXT, audit TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('clip', 'still')),
    sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL,
    codec TEXT NOT NULL, derived INTEGER NOT NULL DEFAULT 0, camera TEXT NOT NULL,
    asked_from INTEGER NOT NULL, asked_to INTEGER NOT NULL,
    got_from INTEGER NOT NULL, got_to INTEGER NOT NULL, frame_at INTEGER,
    view_offset_us INTEGER NOT NULL DEFAULT 0, -- from the file's first frame to asked_from
    gaps TEXT NOT NULL DEFAULT '[]',
    index_offset_us INTEGER NOT NULL, uncertainty_us INTEGER NOT NULL,
    source TEXT NOT NULL,              -- JSON array of archive pieces read, without credentials
    requests INTEGER NOT NULL, bytes_read INTEGER NOT NULL,
    software TEXT NOT NULL, made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_survey ON evidence (survey, kind);
CREATE INDEX evidence_file ON evidence (sha256);
CREATE INDEX evidence_camera ON evidence (camera, kind);

-- Work to do at the archives, in the order of class and deadline.
CREATE TABLE jobs (
    job INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('link', 'still', 'clip')),
    survey TEXT NOT NULL, audit TEXT NOT NULL DEFAULT '',
    class INTEGER NOT NULL,            -- 0 held or appealed, 1 sampled, 2 negative, 3 other
    lost_at INTEGER,                   -- when the archive overwrites it, if known
    archive TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER NOT NULL,
    owner TEXT, lease_until INTEGER, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
    made_at INTEGER NOT NULL, ended_at INTEGER,
    UNIQUE (kind, survey, audit)
) STRICT;
CREATE INDEX jobs_next ON jobs (state, next_try_at);
-- The order of work at each archive: taking the next job reads no more than those before it that are
-- not due.
CREATE INDEX jobs_ended ON jobs (archive, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_order ON jobs (archive, class, lost_at IS NULL, lost_at, job)
    WHERE state IN ('waiting', 'running');

-- What the link of a survey depends on. Registry tables are append-only, so ids tell versions.
-- placed: the survey itself; basis: its point's placements and the measurements of their cameras'
-- clocks next to it; sources: the rows of those cameras and archives (a corrected channel or address
-- may find what was not recorded before).
CREATE VIEW link_basis AS
SELECT s.survey,
    s.placed_at || ' ' || coalesce(s.answered_at, '-') || ' ' || s.device_uncertainty_us AS placed,
    (SELECT coalesce(max(p.id), 0) FROM placements p WHERE p.point = s.point) || ' ' ||
    (SELECT coalesce(sum(k.id), 0) FROM (
        SELECT 'camera:' || p.camera AS target FROM placements p WHERE p.point = s.point
        UNION
        SELECT 'archive:' || c.archive FROM placements p JOIN cameras c ON c.camera = p.camera
        WHERE p.point = s.point) t
     JOIN clocks k ON k.target = t.target AND k.at IN (
        (SELECT max(b.at) FROM clocks b WHERE b.target = t.target AND b.at <= s.opened_at),
        (SELECT min(a.at) FROM clocks a WHERE a.target = t.target AND a.at > s.opened_at))
    ) AS basis,
    (SELECT coalesce(max(c.id), 0) FROM placements p JOIN cameras c ON c.camera = p.camera
     WHERE p.point = s.point)
    + (SELECT coalesce(max(a.id), 0) FROM placements p JOIN cameras c ON c.camera = p.camera
       JOIN archives a ON a.archive = c.archive WHERE p.point = s.point) AS sources
FROM watched s;

-- When the first archive that may show a survey overwrites it, by the smaller of declared and measured
-- retention; NULL where nothing says.
CREATE VIEW survey_lost AS
SELECT s.survey, s.opened_at + (
    SELECT min(CASE WHEN c.retention_days IS NULL THEN m.kept_us WHEN m.kept_us IS NULL
                        THEN 86400000000 * c.retention_days
                    ELSE min(86400000000 * c.retention_days, m.kept_us) END)
    FROM placements p JOIN cameras c ON c.camera = p.camera
    LEFT JOIN retention_measured m ON m.camera = p.camera
    WHERE p.point = s.point AND c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera)
) AS lost_at
FROM watched s;
