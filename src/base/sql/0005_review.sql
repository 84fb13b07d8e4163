-- What experts have to look at. The lease is the expert's for some minutes, kept up by heartbeats.
CREATE TABLE review_items (
    item INTEGER PRIMARY KEY,
    audit TEXT NOT NULL, survey TEXT NOT NULL, place INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('random', 'targeted', 'imported', 'gold', 'calibration')),
    -- withdrawn: a ruling that no conflict needs any more
    state TEXT NOT NULL CHECK (state IN ('open', 'decided', 'withdrawn')),
    lease_user TEXT, lease_token TEXT, lease_until INTEGER,
    -- Who looks at one survey of an audit: 0 a first expert, 1 a second one without knowing, 2 a
    -- third one where these two disagree, 3 and up who decides appeals.
    part INTEGER NOT NULL DEFAULT 0,
    reader TEXT NOT NULL DEFAULT '',   -- the only one who is given it; '': whoever comes
    UNIQUE (audit, survey, part, reader)
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

-- The decision that stands of each item: the newest counted one, unless it was taken back.
CREATE VIEW votes AS
SELECT v.id, i.item, i.audit, i.survey, i.origin, i.part, v.user, v.at, v.verdict, v.reason, v.comment,
       v.correction
FROM review_items i JOIN verdicts v ON v.item = i.item
WHERE v.verdict <> 'undone'
  AND v.id = (SELECT max(w.id) FROM verdicts w WHERE w.item = i.item AND w.counted = 1);

-- What the decisions of one audit about one survey come to: the newest appeal that changed something,
-- else the ruling of a third person, else what two experts agree on, else what the only one said.
-- Gold items and calibrations are about experts, not about surveys. settled: the decision it hangs on.
CREATE VIEW standing AS
SELECT v.*, max(v.id, CASE v.part WHEN 0 THEN coalesce((SELECT o.id FROM votes o
           WHERE o.audit = v.audit AND o.survey = v.survey AND o.part = 1), 0) ELSE 0 END) AS settled
FROM votes v
WHERE v.origin NOT IN ('gold', 'calibration') AND v.part <> 1
  AND NOT EXISTS (SELECT 1 FROM votes h WHERE h.audit = v.audit AND h.survey = v.survey
                  AND h.part > v.part AND h.part >= 2)
  AND (v.part >= 2
       OR NOT EXISTS (SELECT 1 FROM review_items d WHERE d.audit = v.audit AND d.survey = v.survey
                      AND d.part = 1)
       OR EXISTS (SELECT 1 FROM votes o WHERE o.audit = v.audit AND o.survey = v.survey
                  AND o.part = 1 AND o.verdict = v.verdict AND o.correction IS v.correction));

-- What each survey finally counts as: what an appeal led to, else what was settled last.
CREATE VIEW rulings AS
SELECT survey, item, audit, origin, user, at, verdict, reason, comment, correction, part, id
FROM (
    SELECT s.*, row_number() OVER (PARTITION BY s.survey
                                   ORDER BY s.part >= 3 DESC, s.settled DESC) AS newest
    FROM standing s
)
WHERE newest = 1;
