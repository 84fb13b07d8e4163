-- That somebody wants an archive's clock looked at now; the next look answers it.
CREATE TABLE archive_look_asks (
    archive TEXT PRIMARY KEY, asked_at INTEGER NOT NULL, author TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Offsets of cameras to be found from what presses light up, and what came of each.
CREATE TABLE clock_syncs (
    id INTEGER PRIMARY KEY, camera TEXT NOT NULL,
    from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, -- surveys opened in there
    area_left INTEGER, area_top INTEGER, area_right INTEGER, area_bottom INTEGER, -- 1/100 per cent; NULL: all
    author TEXT NOT NULL, asked_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'found', 'refused', 'failed', 'accepted')),
    looked INTEGER NOT NULL DEFAULT 0, windows INTEGER NOT NULL DEFAULT 0, -- seconds of footage around presses
    ended_at INTEGER, message TEXT NOT NULL DEFAULT '', point TEXT NOT NULL DEFAULT '',
    at INTEGER, offset_us INTEGER, uncertainty_us INTEGER, known_us INTEGER, known_uncertainty_us INTEGER,
    events INTEGER, agreeing INTEGER, chance_log10 REAL,
    accepted_by TEXT, accepted_at INTEGER
) STRICT;
CREATE INDEX clock_syncs_camera ON clock_syncs (camera, id);
