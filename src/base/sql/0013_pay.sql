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
