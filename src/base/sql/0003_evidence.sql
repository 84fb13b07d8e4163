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
    attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER, made_at INTEGER NOT NULL
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
