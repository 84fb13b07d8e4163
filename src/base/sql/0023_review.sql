-- Settled surveys whose truth is known, mixed into the queues of audits to see how well experts decide.
-- Append-only: the newest row of a survey stands.
CREATE TABLE gold (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('valid', 'invalid', 'undeterminable')),
    reason TEXT, correction TEXT,
    ruling INTEGER NOT NULL REFERENCES verdicts, -- what it was made from
    retired INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX gold_survey ON gold (survey);
CREATE VIEW gold_items AS
SELECT g.* FROM gold g
WHERE g.retired = 0 AND g.id = (SELECT max(h.id) FROM gold h WHERE h.survey = g.survey);

-- Rounds that every expert decides before an audit. verdict: the ruling when the round was made.
CREATE TABLE calibrations (
    calibration TEXT PRIMARY KEY, title TEXT NOT NULL,
    at INTEGER NOT NULL, author TEXT NOT NULL, closed_at INTEGER, closed_by TEXT
) STRICT;
CREATE TABLE calibration_items (
    calibration TEXT NOT NULL REFERENCES calibrations, place INTEGER NOT NULL, survey TEXT NOT NULL,
    verdict TEXT, reason TEXT, correction TEXT,
    PRIMARY KEY (calibration, place), UNIQUE (calibration, survey)
) STRICT, WITHOUT ROWID;

-- What staff and managers say against how a survey counts. Append-only, like what is decided on it.
CREATE TABLE appeals (
    appeal INTEGER PRIMARY KEY, survey TEXT NOT NULL, item INTEGER NOT NULL REFERENCES review_items,
    contested INTEGER REFERENCES verdicts, -- NULL: nobody had decided anything
    asks TEXT NOT NULL CHECK (asks IN ('valid', 'invalid', 'false_fm')),
    comment TEXT NOT NULL, user TEXT NOT NULL,
    employee TEXT,                     -- whom the survey counted for
    at INTEGER NOT NULL, due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX appeals_survey ON appeals (survey);
CREATE TABLE appeal_decisions (
    id INTEGER PRIMARY KEY, appeal INTEGER NOT NULL UNIQUE REFERENCES appeals,
    outcome TEXT NOT NULL CHECK (outcome IN ('accept', 'partly', 'reject', 'withdrawn')),
    verdict INTEGER REFERENCES verdicts, -- NULL: what stood still stands
    comment TEXT NOT NULL, user TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER appeals_update BEFORE UPDATE ON appeals
BEGIN SELECT raise(ABORT, 'appeals are only added'); END;
CREATE TRIGGER appeals_delete BEFORE DELETE ON appeals
BEGIN SELECT raise(ABORT, 'appeals are only added'); END;
CREATE TRIGGER appeal_decisions_update BEFORE UPDATE ON appeal_decisions
BEGIN SELECT raise(ABORT, 'decisions on appeals are only added'); END;
CREATE TRIGGER appeal_decisions_delete BEFORE DELETE ON appeal_decisions
BEGIN SELECT raise(ABORT, 'decisions on appeals are only added'); END;
CREATE VIEW open_appeals AS
SELECT a.* FROM appeals a
WHERE NOT EXISTS (SELECT 1 FROM appeal_decisions d WHERE d.appeal = a.appeal);
-- Evidence that an open appeal needs: retention must leave it.
CREATE VIEW appeal_held AS
SELECT e.id, e.survey, e.sha256 FROM evidence e JOIN open_appeals a ON a.survey = e.survey;

-- What an audit found that calls for a closer look at one employee or point, and what came of it.
CREATE TABLE escalations (
    escalation INTEGER PRIMARY KEY, audit TEXT NOT NULL REFERENCES audits,
    scope TEXT NOT NULL,               -- employee:ID or point:ID
    rule TEXT NOT NULL CHECK (rule IN ('more', 'census')),
    reviewed INTEGER NOT NULL, invalid INTEGER NOT NULL,
    low_ppm INTEGER NOT NULL,          -- lower bound of the share of invalid ones
    at INTEGER NOT NULL,
    UNIQUE (audit, scope)
) STRICT;
CREATE TABLE escalation_decisions (
    id INTEGER PRIMARY KEY, escalation INTEGER NOT NULL UNIQUE REFERENCES escalations,
    accepted INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE escalation_items (
    id INTEGER PRIMARY KEY, escalation INTEGER NOT NULL REFERENCES escalations,
    item INTEGER NOT NULL REFERENCES review_items, at INTEGER NOT NULL
) STRICT;
CREATE INDEX escalation_items_key ON escalation_items (escalation);
-- Closer looks that are not over: proposed, or accepted and not all of it decided.
CREATE VIEW open_escalations AS
SELECT e.* FROM escalations e LEFT JOIN escalation_decisions d ON d.escalation = e.escalation
WHERE d.id IS NULL OR (d.accepted = 1 AND EXISTS (
    SELECT 1 FROM escalation_items x WHERE x.escalation = e.escalation
    AND NOT EXISTS (SELECT 1 FROM votes v WHERE v.item = x.item)));
