-- Raw facts from devices. Append-only; at is on the device's clock.
CREATE TABLE events (
    device TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    -- A bounce (contact under 30 ms) is kept so that the sequence shows no gap.
    -- Not `kind IN (...)`: for each row SQLite would make a table of the words anew.
    kind TEXT NOT NULL
        CHECK (kind = 'press' OR kind = 'hold' OR kind = 'yes' OR kind = 'no' OR kind = 'unsure'
               OR kind = 'alive' OR kind = 'bounce'),
    at INTEGER NOT NULL, duration_ms INTEGER,
    channel TEXT,                      -- NULL: the panel; else e.g. qr
    arrived_at INTEGER NOT NULL, import INTEGER REFERENCES imports,
    PRIMARY KEY (device, boot, seq)
) STRICT, WITHOUT ROWID;
-- With all that surveys are made of, so that reading them in order does not look each row up.
CREATE INDEX events_at ON events (device, at, boot, seq, kind, channel, arrived_at);

-- The running numbers that a device used since one of its restarts, kept with every event, so that
-- gaps and silence show without reading the events.
CREATE TABLE device_runs (
    device TEXT NOT NULL, boot INTEGER NOT NULL,
    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, events INTEGER NOT NULL,
    arrived_at INTEGER NOT NULL,       -- the newest arrival
    ahead_us INTEGER NOT NULL,         -- the most that an event was ahead of its receipt...
    ahead_at INTEGER NOT NULL,         -- ...and its time, on the device's clock
    PRIMARY KEY (device, boot)
) STRICT, WITHOUT ROWID;

-- Derived from events, pairings, questions, offsets and now: may be dropped and made again.
CREATE TABLE surveys (
    survey TEXT PRIMARY KEY,           -- <device>.<boot>.<seq> of the opening press
    point TEXT NOT NULL, site TEXT NOT NULL, employee TEXT,
    question TEXT, question_kind TEXT, channel TEXT NOT NULL DEFAULT 'panel',
    opened_at INTEGER NOT NULL, closes_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'open' OR state = 'answered' OR state = 'silent'),
    answer TEXT CHECK (answer = 'yes' OR answer = 'no' OR answer = 'unsure'), answered_at INTEGER,
    extra_answers INTEGER NOT NULL DEFAULT 0, late_answers INTEGER NOT NULL DEFAULT 0,
    force_majeure INTEGER NOT NULL DEFAULT 0, test INTEGER NOT NULL DEFAULT 0,
    auto_void INTEGER NOT NULL DEFAULT 0, -- voided by an automatic flag...
    auto_reason TEXT,                  -- ...of this name
    flags TEXT NOT NULL DEFAULT '',    -- names separated by one space, sorted
    device_offset_us INTEGER NOT NULL, device_uncertainty_us INTEGER NOT NULL,
    placed_at INTEGER NOT NULL DEFAULT 0 -- when point, opened_at or closes_at last changed: a link
                                       -- made before shows something else
) STRICT;
CREATE INDEX surveys_point ON surveys (point, opened_at);
CREATE INDEX surveys_opened ON surveys (opened_at, survey);
CREATE INDEX surveys_due ON surveys (closes_at) WHERE state = 'open';
CREATE INDEX surveys_unheard ON surveys (point, closes_at) WHERE instr(flags, 'panel_unheard');

CREATE TABLE spontaneous (
    rating TEXT PRIMARY KEY,           -- <device>.<boot>.<seq> of the answer
    point TEXT NOT NULL, site TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
    employee TEXT,                     -- who was on shift for certain
    channel TEXT NOT NULL DEFAULT 'panel', test INTEGER NOT NULL DEFAULT 0,
    device_offset_us INTEGER NOT NULL DEFAULT 0, device_uncertainty_us INTEGER NOT NULL DEFAULT 0,
    placed_at INTEGER NOT NULL DEFAULT 0 -- when point or at last changed, as in surveys
) STRICT;
CREATE INDEX spontaneous_point ON spontaneous (point, at);
CREATE INDEX spontaneous_at ON spontaneous (at, rating);

CREATE TABLE force_majeure (
    situation TEXT PRIMARY KEY,        -- <device>.<boot>.<seq> of the first hold
    point TEXT NOT NULL, site TEXT NOT NULL,
    first_at INTEGER NOT NULL, until_at INTEGER NOT NULL, holds INTEGER NOT NULL,
    hold_after_no INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX force_majeure_point ON force_majeure (point, first_at);

-- What footage can show and people can rule on: surveys, and spontaneous ratings as surveys that
-- open, close and are answered at one moment. The types are spelt out: only where those of both parts
-- agree are conditions tried on the tables' own indexes.
CREATE VIEW subjects AS
SELECT survey, point, site, employee, question, question_kind, channel, opened_at, closes_at, state,
       answer, answered_at, extra_answers, late_answers, force_majeure, test, auto_void, flags,
       device_offset_us, device_uncertainty_us, placed_at, CAST(0 AS INTEGER) AS spontaneous
FROM surveys
UNION ALL
SELECT rating, point, site, employee, CAST(NULL AS TEXT), CAST(NULL AS TEXT), channel, at, at,
       CAST('answered' AS TEXT), answer, at, CAST(0 AS INTEGER), CAST(0 AS INTEGER),
       CAST(0 AS INTEGER), test, test, CAST('' AS TEXT), device_offset_us, device_uncertainty_us,
       placed_at, CAST(1 AS INTEGER)
FROM spontaneous;

-- What late events or corrections changed in a survey that was known before.
CREATE TABLE survey_history (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL, at INTEGER NOT NULL, import INTEGER,
    was TEXT, became TEXT              -- canonical JSON of the survey; NULL: not there
) STRICT;
CREATE INDEX survey_history_key ON survey_history (survey);
CREATE INDEX survey_history_at ON survey_history (at);

-- What waits for okno_survey_refresh: hours (of the device's own clock) in which devices have new
-- events; spans of points to make anew, half-open, on corrected time; rows that were not made again
-- where they stood, to go unless they turn up elsewhere; until when each device was heard of; and how
-- much of each registry table (its highest id) was taken into account.
CREATE TABLE survey_dirty_devices (
    device TEXT NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (device, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE survey_dirty_spans (
    point TEXT NOT NULL, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL,
    PRIMARY KEY (point, from_at, to_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE survey_stale (
    survey TEXT PRIMARY KEY, point TEXT NOT NULL, opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE survey_heard (device TEXT PRIMARY KEY, heard_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE survey_seen (source TEXT PRIMARY KEY, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Voids by hand; latest row per survey stands.
CREATE TABLE voids (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL, voided INTEGER NOT NULL,
    at INTEGER NOT NULL, author TEXT NOT NULL, second TEXT NOT NULL, reason TEXT NOT NULL,
    import INTEGER                     -- decided for everything that came with it; NULL: for one
) STRICT;
CREATE INDEX voids_key ON voids (survey);
