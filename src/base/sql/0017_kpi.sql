-- Surveys and ratings that somebody decided on: all others count as their own row says.
CREATE TABLE kpi_judged (survey TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE INDEX transactions_employee ON transactions (employee, at);
CREATE INDEX verdicts_false_fm ON verdicts (survey) WHERE correction = 'FALSE_FM';

-- Maintained sums, derived: may be dropped and made again. body: the cells of a point in a month of its
-- site's calendar (src/kpi/pack.c); grain 0: of the month, 1: of each day. month: days from 1970-01-01
-- to its first day.
CREATE TABLE kpi_cells (
    grain INTEGER NOT NULL, month INTEGER NOT NULL, point TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (grain, month, point)
) STRICT, WITHOUT ROWID;
-- One row. built 1: the cells hold everything but what kpi_dirty names; 0: there are none; negative: they
-- are being made, since that moment.
CREATE TABLE kpi_state (id INTEGER PRIMARY KEY CHECK (id = 1), built INTEGER NOT NULL) STRICT;
INSERT INTO kpi_state VALUES (1, 0);
-- Hours since 1970 (UTC), both included, in which something of a point changed since.
CREATE TABLE kpi_dirty (
    point TEXT NOT NULL, first_hour INTEGER NOT NULL, last_hour INTEGER NOT NULL,
    PRIMARY KEY (point, first_hour, last_hour)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER kpi_survey_new AFTER INSERT ON surveys WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.opened_at / 3600000000, NEW.opened_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_survey_gone AFTER DELETE ON surveys WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.opened_at / 3600000000, OLD.opened_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_survey_changed AFTER UPDATE ON surveys WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.opened_at / 3600000000, OLD.opened_at / 3600000000)
    ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.opened_at / 3600000000, NEW.opened_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;

-- A survey that somebody decided on may clear the situations it lies in: where it moves, they change.
CREATE TRIGGER kpi_judged_new AFTER INSERT ON surveys
WHEN (SELECT built FROM kpi_state) AND EXISTS (SELECT 1 FROM kpi_judged WHERE survey = NEW.survey)
BEGIN
    INSERT INTO kpi_dirty SELECT point, first_at / 3600000000 - 1, until_at / 3600000000
    FROM force_majeure WHERE point = NEW.point AND first_at < NEW.closes_at
    AND until_at > NEW.opened_at ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_judged_gone AFTER DELETE ON surveys
WHEN (SELECT built FROM kpi_state) AND EXISTS (SELECT 1 FROM kpi_judged WHERE survey = OLD.survey)
BEGIN
    INSERT INTO kpi_dirty SELECT point, first_at / 3600000000 - 1, until_at / 3600000000
    FROM force_majeure WHERE point = OLD.point AND first_at < OLD.closes_at
    AND until_at > OLD.opened_at ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_judged_changed AFTER UPDATE OF point, opened_at, closes_at ON surveys
WHEN (SELECT built FROM kpi_state) AND EXISTS (SELECT 1 FROM kpi_judged WHERE survey = NEW.survey)
BEGIN
    INSERT INTO kpi_dirty SELECT point, first_at / 3600000000 - 1, until_at / 3600000000
    FROM force_majeure WHERE point = OLD.point AND first_at < OLD.closes_at
    AND until_at > OLD.opened_at ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT point, first_at / 3600000000 - 1, until_at / 3600000000
    FROM force_majeure WHERE point = NEW.point AND first_at < NEW.closes_at
    AND until_at > NEW.opened_at ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER kpi_rating_new AFTER INSERT ON spontaneous WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.at / 3600000000, NEW.at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_rating_gone AFTER DELETE ON spontaneous WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.at / 3600000000, OLD.at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_rating_changed AFTER UPDATE ON spontaneous WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.at / 3600000000, OLD.at / 3600000000)
    ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.at / 3600000000, NEW.at / 3600000000)
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER kpi_situation_new AFTER INSERT ON force_majeure WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.first_at / 3600000000 - 1, NEW.until_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_situation_gone AFTER DELETE ON force_majeure WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.first_at / 3600000000 - 1, OLD.until_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_situation_changed AFTER UPDATE ON force_majeure WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty VALUES (OLD.point, OLD.first_at / 3600000000 - 1, OLD.until_at / 3600000000)
    ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty VALUES (NEW.point, NEW.first_at / 3600000000 - 1, NEW.until_at / 3600000000)
    ON CONFLICT DO NOTHING;
END;

-- Decisions: a verdict may clear the situations around its survey or take that back.
CREATE TRIGGER kpi_verdict_new AFTER INSERT ON verdicts
BEGIN
    INSERT INTO kpi_judged VALUES (NEW.survey) ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT s.point, s.opened_at / 3600000000, s.opened_at / 3600000000
    FROM subjects s WHERE s.survey = NEW.survey AND (SELECT built FROM kpi_state)
    ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT f.point, f.first_at / 3600000000 - 1, f.until_at / 3600000000
    FROM surveys s JOIN force_majeure f ON f.point = s.point AND f.first_at < s.closes_at
    AND f.until_at > s.opened_at
    WHERE s.survey = NEW.survey AND (SELECT built FROM kpi_state) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_verdict_changed AFTER UPDATE ON verdicts
BEGIN
    INSERT INTO kpi_judged VALUES (NEW.survey) ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT s.point, s.opened_at / 3600000000, s.opened_at / 3600000000
    FROM subjects s WHERE s.survey IN (OLD.survey, NEW.survey) AND (SELECT built FROM kpi_state)
    ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT f.point, f.first_at / 3600000000 - 1, f.until_at / 3600000000
    FROM surveys s JOIN force_majeure f ON f.point = s.point AND f.first_at < s.closes_at
    AND f.until_at > s.opened_at
    WHERE s.survey IN (OLD.survey, NEW.survey) AND (SELECT built FROM kpi_state)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_void_new AFTER INSERT ON voids
BEGIN
    INSERT INTO kpi_judged VALUES (NEW.survey) ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT s.point, s.opened_at / 3600000000, s.opened_at / 3600000000
    FROM subjects s WHERE s.survey = NEW.survey AND (SELECT built FROM kpi_state)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER kpi_attribution_new AFTER INSERT ON attributions
BEGIN
    INSERT INTO kpi_judged VALUES (NEW.survey) ON CONFLICT DO NOTHING;
    INSERT INTO kpi_dirty SELECT s.point, s.opened_at / 3600000000, s.opened_at / 3600000000
    FROM subjects s WHERE s.survey = NEW.survey AND (SELECT built FROM kpi_state)
    ON CONFLICT DO NOTHING;
END;

-- A shift says whose the situations and ratings without a window are; a row may shorten another.
CREATE TRIGGER kpi_shift_new AFTER INSERT ON shifts WHEN (SELECT built FROM kpi_state)
BEGIN
    INSERT INTO kpi_dirty SELECT NEW.point, NEW.valid_from / 3600000000, max(h.valid_to) / 3600000000
    FROM shifts h WHERE h.point = NEW.point AND h.valid_from = NEW.valid_from
    AND h.employee = NEW.employee HAVING count(*) > 0 ON CONFLICT DO NOTHING;
END;
-- Another zone is another calendar: all days are cut anew.
CREATE TRIGGER kpi_site_new AFTER INSERT ON sites
WHEN (SELECT built FROM kpi_state) AND NEW.time_zone IS NOT
    (SELECT time_zone FROM sites WHERE site = NEW.site AND id < NEW.id ORDER BY id DESC LIMIT 1)
BEGIN
    UPDATE kpi_state SET built = 0;
END;

-- The weight of silent surveys (k) as configured, and since when: written where it is first seen.
CREATE TABLE kpi_weights (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, k REAL NOT NULL) STRICT;
