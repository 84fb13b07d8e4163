-- What experts have to look at. The lease is the expert's for some minutes, kept up by heartbeats.
CREATE TABLE review_items (
    item INTEGER PRIMARY KEY,
    audit TEXT NOT NULL, survey TEXT NOT NULL, place INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('random', 'targeted', 'imported', 'gold')),
    state TEXT NOT NULL CHECK (state IN ('open', 'decided')),
    lease_user TEXT, lease_token TEXT, lease_until INTEGER,
    UNIQUE (audit, survey)
) STRICT;
CREATE INDEX review_items_next ON review_items (audit, state, place);
CREATE INDEX review_items_survey ON review_items (survey);

-- Append-only. An undo sets nothing: it adds a row of verdict 'undone' that supersedes.
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    item INTEGER REFERENCES review_items, audit TEXT NOT NULL, survey TEXT NOT NULL,
    user TEXT NOT NULL, at INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('valid', 'invalid', 'undeterminable', 'undone')),
    reason TEXT, comment TEXT NOT NULL DEFAULT '',
    correction TEXT,                   -- FALSE_FM with verdict valid
    checklist TEXT NOT NULL DEFAULT '{}', reasons_version INTEGER NOT NULL,
    watched TEXT NOT NULL DEFAULT '[]', -- JSON array of the evidence hashes shown
    played_s REAL NOT NULL DEFAULT 0, active_s REAL NOT NULL DEFAULT 0, wall_s REAL NOT NULL DEFAULT 0,
    blinding_broken INTEGER NOT NULL DEFAULT 0,
    counted INTEGER NOT NULL DEFAULT 1, -- 0: submitted after the lease was over
    supersedes INTEGER REFERENCES verdicts
) STRICT;
CREATE INDEX verdicts_survey ON verdicts (survey);
CREATE INDEX verdicts_item ON verdicts (item);

CREATE TABLE skips (
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES review_items,
    user TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;

-- Who looked at, exported or changed what, and why.
CREATE TABLE access_log (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL DEFAULT ''
) STRICT;

-- What each survey finally counts as: the newest counted verdict of an item unless it was undone,
-- and of several items the newest.
CREATE VIEW rulings AS
SELECT survey, item, audit, origin, user, at, verdict, reason, comment, correction
FROM (
    SELECT v.survey, v.item, v.audit, i.origin, v.user, v.at, v.verdict, v.reason, v.comment,
           v.correction, row_number() OVER (PARTITION BY v.survey ORDER BY v.id DESC) AS newest
    FROM verdicts v JOIN review_items i ON i.item = v.item
    WHERE v.verdict <> 'undone'
      AND v.id = (SELECT max(w.id) FROM verdicts w WHERE w.item = v.item AND w.counted = 1)
)
WHERE newest = 1;
