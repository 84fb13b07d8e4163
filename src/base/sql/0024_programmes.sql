-- Continuous monitoring: audits of a day each that take their steps by themselves. Settings are never
-- changed: the newest row of a programme stands.
CREATE TABLE programmes (
    id INTEGER PRIMARY KEY, programme TEXT NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL             -- canonical JSON
) STRICT;
CREATE INDEX programmes_key ON programmes (programme);

-- How far the days are; what was done stands in their audits.
CREATE TABLE programme_days (
    programme TEXT NOT NULL, day TEXT NOT NULL, audit TEXT NOT NULL REFERENCES audits,
    problem TEXT NOT NULL DEFAULT '', tried_at INTEGER NOT NULL DEFAULT 0,
    reported_at INTEGER,
    PRIMARY KEY (programme, day)
) STRICT, WITHOUT ROWID;

-- Secrets that named people bound themselves to before a day's frame was pinned.
CREATE TABLE programme_secrets (
    programme TEXT NOT NULL, day TEXT NOT NULL, who TEXT NOT NULL,
    commitment TEXT NOT NULL, committed_at INTEGER NOT NULL,
    secret TEXT, revealed_at INTEGER,
    PRIMARY KEY (programme, day, who)
) STRICT, WITHOUT ROWID;
