-- How each archive answers, shared by all workers: who fails is left alone for a while, and asked by
-- one worker first. Not a fact of the past: made again by asking.
CREATE TABLE archive_turns (
    archive TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,     -- in a row, of the archive as a whole
    closed_until INTEGER NOT NULL DEFAULT 0, -- not asked before: after failures, by its rate
    off_until INTEGER NOT NULL DEFAULT 0,    -- not asked before: outside its hours
    sessions INTEGER,                        -- at a time; NULL: as the configuration says
    down_since INTEGER, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Every outage of an archive with what was waiting and what it cost, kept.
CREATE TABLE archive_outages (
    outage INTEGER PRIMARY KEY, archive TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER,
    code TEXT NOT NULL, message TEXT NOT NULL
) STRICT;
CREATE INDEX archive_outages_archive ON archive_outages (archive, from_us);

-- The archive that a job goes to: its link's camera's, else that of the point's first camera.
CREATE VIEW survey_archive AS
SELECT s.survey, (SELECT c.archive FROM cameras c WHERE c.camera = coalesce(
        (SELECT l.camera FROM links l WHERE l.survey = s.survey),
        (SELECT p.camera FROM placements p WHERE p.point = s.point AND p.valid_from <= s.opened_at
             AND (p.valid_to IS NULL OR p.valid_to > s.opened_at)
         ORDER BY p.priority, p.id DESC LIMIT 1))
    ORDER BY c.id DESC LIMIT 1) AS archive
FROM subjects s;
CREATE TRIGGER jobs_new_archive AFTER INSERT ON jobs WHEN NEW.archive = ''
BEGIN
    UPDATE jobs SET archive = coalesce((SELECT archive FROM survey_archive
                                        WHERE survey = NEW.survey), '') WHERE job = NEW.job;
END;
CREATE TRIGGER jobs_again_archive AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'waiting' AND OLD.state IN ('done', 'failed')
BEGIN
    UPDATE jobs SET archive = coalesce((SELECT archive FROM survey_archive
                                        WHERE survey = NEW.survey), '') WHERE job = NEW.job;
END;

-- The last look at each archive's clock, whatever came of it; measurements that count are in clocks.
CREATE TABLE archive_looks (
    archive TEXT PRIMARY KEY, at INTEGER NOT NULL, offset_us INTEGER, uncertainty_us INTEGER,
    method TEXT NOT NULL DEFAULT '', finding TEXT NOT NULL DEFAULT '', -- known, moved, jumped
    code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', jumped_at INTEGER
) STRICT, WITHOUT ROWID;
