-- Moments that no survey tells of, as drawn by an audit: a sale, or a minute of a point's opening hours.
CREATE TABLE visits (
    visit TEXT PRIMARY KEY,            -- txn.SALE (told anew .2, .3...) or min.POINT.YYYYMMDDTHHMMZ
    kind TEXT NOT NULL CHECK (kind IN ('transactions', 'minutes')),
    point TEXT NOT NULL, site TEXT NOT NULL, opened_at INTEGER NOT NULL, closes_at INTEGER NOT NULL
) STRICT;
CREATE INDEX visits_point ON visits (point, opened_at);

-- All that is linked to footage and looked at. The types are spelt out as in subjects.
CREATE VIEW watched AS
SELECT survey, point, site, employee, question, question_kind, opened_at, closes_at, state, answer,
       answered_at, force_majeure, test, device_uncertainty_us, placed_at, spontaneous,
       CAST('' AS TEXT) AS visit
FROM subjects
UNION ALL
SELECT visit, point, site, CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), opened_at,
       closes_at, CAST('visit' AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS INTEGER),
       CAST(0 AS INTEGER), CAST(0 AS INTEGER), CAST(0 AS INTEGER), CAST(0 AS INTEGER),
       CAST(0 AS INTEGER), kind
FROM visits;
