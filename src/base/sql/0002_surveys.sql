-- Raw facts from devices. Append-only; at is on the device's clock.
CREATE TABLE events (
    device TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('press', 'hold', 'yes', 'no', 'unsure', 'alive')),
    at INTEGER NOT NULL, duration_ms INTEGER,
    arrived_at INTEGER NOT NULL, import INTEGER REFERENCES imports,
    PRIMARY KEY (device, boot, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_at ON events (device, at);

-- Derived from events, pairings, questions, offsets and now: may be dropped and made again.
CREATE TABLE surveys (
    survey TEXT PRIMARY KEY,           -- <device>.<boot>.<seq> of the opening press
    point TEXT NOT NULL, site TEXT NOT NULL, employee TEXT,
    question TEXT, question_kind TEXT, channel TEXT NOT NULL DEFAULT 'panel',
    opened_at INTEGER NOT NULL, closes_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'silent')),
    answer TEXT CHECK (answer IN ('yes', 'no', 'unsure')), answered_at INTEGER,
    extra_answers INTEGER NOT NULL DEFAULT 0, late_answers INTEGER NOT NULL DEFAULT 0,
    force_majeure INTEGER NOT NULL DEFAULT 0, test INTEGER NOT NULL DEFAULT 0,
    flags TEXT NOT NULL DEFAULT '',    -- names separated by one space, sorted
    device_offset_us INTEGER NOT NULL, device_uncertainty_us INTEGER NOT NULL
) STRICT;
CREATE INDEX surveys_point ON surveys (point, opened_at);
CREATE INDEX surveys_opened ON surveys (opened_at);

CREATE TABLE spontaneous (
    rating TEXT PRIMARY KEY,           -- <device>.<boot>.<seq> of the answer
    point TEXT NOT NULL, site TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
    channel TEXT NOT NULL DEFAULT 'panel'
) STRICT;
CREATE INDEX spontaneous_point ON spontaneous (point, at);

CREATE TABLE force_majeure (
    situation TEXT PRIMARY KEY,        -- <device>.<boot>.<seq> of the first hold
    point TEXT NOT NULL, site TEXT NOT NULL,
    first_at INTEGER NOT NULL, until_at INTEGER NOT NULL, holds INTEGER NOT NULL
) STRICT;
CREATE INDEX force_majeure_point ON force_majeure (point, first_at);

-- What late events or corrections changed in a survey that was known before.
CREATE TABLE survey_history (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL, at INTEGER NOT NULL, import INTEGER,
    was TEXT, became TEXT              -- canonical JSON of the survey; NULL: not there
) STRICT;
CREATE INDEX survey_history_key ON survey_history (survey);

-- Voids by hand; latest row per survey stands.
CREATE TABLE voids (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL, voided INTEGER NOT NULL,
    at INTEGER NOT NULL, author TEXT NOT NULL, second TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX voids_key ON voids (survey);
