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
