-- The moment up to which figures were fixed: whatever arrives later counts as arrived after it, also
-- when its transaction began before. One row.
CREATE TABLE arrival_fence (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
INSERT INTO arrival_fence VALUES (1, 0);

-- Figures that were handed out: what was asked, with which settings, from which data, and the text.
CREATE TABLE published (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, author TEXT NOT NULL,
    query TEXT NOT NULL, settings TEXT NOT NULL, data TEXT NOT NULL, -- canonical JSON
    sha256 TEXT NOT NULL, figures TEXT NOT NULL
) STRICT;

-- Who a survey is counted for, decided by a manager; append-only. The newest row of a survey stands:
-- undone 1 takes the moves before it back, and the shifts decide again.
CREATE TABLE attributions (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL,
    employee TEXT,                     -- NULL: unassigned
    undone INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL, author TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX attributions_key ON attributions (survey);

-- The moves that stand. Join it to surveys: where there is a row its employee counts (NULL:
-- unassigned), else that of the shifts.
CREATE VIEW attributed AS
SELECT a.survey, a.employee, a.id FROM attributions a
WHERE a.undone = 0 AND a.id = (SELECT max(b.id) FROM attributions b WHERE b.survey = a.survey);

-- Closed pay periods: what was snapshot, from which data, signed. Never changed.
CREATE TABLE pay_periods (
    period INTEGER PRIMARY KEY, site TEXT,             -- NULL: all sites
    from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, zone TEXT NOT NULL, audit TEXT,
    closed_at INTEGER NOT NULL, author TEXT NOT NULL,
    accepted TEXT,                                     -- why open reviews did not keep it open
    settings TEXT NOT NULL, data TEXT NOT NULL,        -- canonical JSON
    snapshot TEXT NOT NULL, sha256 TEXT NOT NULL, note TEXT NOT NULL
) STRICT;

CREATE TABLE pay_statements (
    period INTEGER NOT NULL REFERENCES pay_periods, employee TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('payable', 'too_few', 'not_reliable', 'under_appeal')),
    statement TEXT NOT NULL, sha256 TEXT NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (period, employee)
) STRICT, WITHOUT ROWID;
CREATE INDEX pay_statements_employee ON pay_statements (employee, period);

-- What later changes made of a closed period's figures of an employee, carried by a later closing.
CREATE TABLE pay_adjustments (
    id INTEGER PRIMARY KEY, period INTEGER NOT NULL REFERENCES pay_periods,
    of_period INTEGER NOT NULL REFERENCES pay_periods, employee TEXT NOT NULL,
    adjustment TEXT NOT NULL, became TEXT NOT NULL     -- canonical JSON; the figures from then on
) STRICT;
CREATE INDEX pay_adjustments_of ON pay_adjustments (of_period, employee);

-- Evidence that an open pay period uses: of surveys after the last closed period of their site, where
-- periods are closed at all. Retention must leave it.
CREATE VIEW pay_held AS
SELECT e.id, e.survey, e.sha256 FROM evidence e JOIN subjects s ON s.survey = e.survey
WHERE s.opened_at >= (SELECT max(p.to_at) FROM pay_periods p
                      WHERE p.site IS NULL OR p.site = s.site);
