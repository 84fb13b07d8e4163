CREATE TABLE audits (
    audit TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN
        ('planned', 'frozen', 'checkpointed', 'seeded', 'drawn', 'closed', 'abandoned')),
    period_from INTEGER NOT NULL, period_to INTEGER NOT NULL,
    plan TEXT NOT NULL,                -- canonical JSON
    frame_sha256 TEXT, frame_size INTEGER, seed TEXT,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL
) STRICT;

CREATE TABLE audit_steps (
    id INTEGER PRIMARY KEY, audit TEXT NOT NULL REFERENCES audits, step TEXT NOT NULL,
    at INTEGER NOT NULL, author TEXT NOT NULL, detail TEXT NOT NULL -- canonical JSON
) STRICT;
CREATE INDEX audit_steps_key ON audit_steps (audit);

-- The frame as frozen: never changed by later events or edits.
CREATE TABLE audit_frame (
    audit TEXT NOT NULL REFERENCES audits, survey TEXT NOT NULL, ordinal INTEGER NOT NULL,
    stratum TEXT NOT NULL,             -- site/point, or as the plan says
    -- spelt out: three or more words IN a list become a table made anew for every row that is written
    class TEXT NOT NULL CHECK (class = 'yes' OR class = 'unsure' OR class = 'no' OR class = 'silent'),
    question TEXT NOT NULL, question_kind TEXT NOT NULL, opened_at INTEGER NOT NULL,
    force_majeure INTEGER NOT NULL, site TEXT NOT NULL, point TEXT NOT NULL, employee TEXT,
    video TEXT NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (audit, survey)
) STRICT, WITHOUT ROWID;
-- Cells are counted from this index alone, without reading the lines.
CREATE INDEX audit_frame_cells ON audit_frame (audit, stratum, class, force_majeure, question_kind,
    site, point, employee, question, opened_at);

CREATE TABLE audit_sample (
    audit TEXT NOT NULL REFERENCES audits, place INTEGER NOT NULL, survey TEXT NOT NULL,
    rank INTEGER NOT NULL,             -- in the order of its stratum
    stratum TEXT NOT NULL, ticket TEXT NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1, -- how often it was drawn by now, with replacement
    round INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (audit, place), UNIQUE (audit, survey, generation)
) STRICT, WITHOUT ROWID;
