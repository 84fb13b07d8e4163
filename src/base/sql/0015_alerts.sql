-- Rules that raise alerts and the places that messages go to: append-only like the registry, the row
-- with the highest id of a key stands.
CREATE TABLE alert_rules (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    rule TEXT NOT NULL, kind TEXT NOT NULL,
    place TEXT NOT NULL DEFAULT 'all', -- all, site:ID, point:ID or group:NAME
    per TEXT NOT NULL DEFAULT 'point' CHECK (per IN ('point', 'site')),
    count INTEGER NOT NULL, share_ppm INTEGER NOT NULL, window_us INTEGER NOT NULL,
    min_n INTEGER NOT NULL, again_us INTEGER NOT NULL, photo INTEGER NOT NULL DEFAULT 0,
    send_to TEXT NOT NULL DEFAULT '',  -- ids of destinations, one space between
    enabled INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX alert_rules_key ON alert_rules (rule);

CREATE TABLE destinations (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    destination TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('webhook', 'telegram', 'email')),
    url TEXT NOT NULL DEFAULT '', chat TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL, old_secret TEXT NOT NULL DEFAULT '', -- names of files in DATA/secrets
    language TEXT NOT NULL DEFAULT 'en', time_zone TEXT NOT NULL DEFAULT 'UTC',
    quiet TEXT NOT NULL DEFAULT '',    -- HH:MM-HH:MM in that zone; '' for none
    photo INTEGER NOT NULL DEFAULT 0, enabled INTEGER NOT NULL DEFAULT 1,
    address TEXT NOT NULL DEFAULT '', sender TEXT NOT NULL DEFAULT '', -- of e-mail
    user TEXT NOT NULL DEFAULT '', tls TEXT NOT NULL DEFAULT 'required'
) STRICT;
CREATE INDEX destinations_key ON destinations (destination);

-- One row a condition that held; while it is open, the same condition opens no other.
CREATE TABLE alerts (
    alert INTEGER PRIMARY KEY,
    rule TEXT NOT NULL, kind TEXT NOT NULL,
    key TEXT NOT NULL,                 -- <rule>/<what>
    subject TEXT NOT NULL,             -- rating, point, site, device or archive
    site TEXT, point TEXT,
    at INTEGER NOT NULL,               -- when it happened, or the latest of what adds up
    opened_at INTEGER NOT NULL, closed_at INTEGER,
    closed_why TEXT CHECK (closed_why IN ('commented', 'corrected', 'over')),
    detail TEXT NOT NULL,              -- canonical JSON
    photo INTEGER NOT NULL, send_to TEXT NOT NULL, -- as the rule stood
    acked_at INTEGER, acked_by TEXT, note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE closed_at IS NULL;
CREATE INDEX alerts_key ON alerts (key, alert);
CREATE INDEX alerts_subject ON alerts (subject);

-- What opened and closed, in order: what messages are made from.
CREATE TABLE alert_events (
    id INTEGER PRIMARY KEY, alert INTEGER NOT NULL REFERENCES alerts,
    event TEXT NOT NULL CHECK (event IN ('opened', 'closed')), at INTEGER NOT NULL
) STRICT;

-- What the next evaluation has to look at; taken out in the transaction that did.
CREATE TABLE alert_news (
    kind TEXT NOT NULL CHECK (kind IN ('rating', 'situation')), subject TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER alert_news_survey AFTER INSERT ON surveys WHEN NEW.answer = 'no'
BEGIN INSERT INTO alert_news VALUES ('rating', NEW.survey) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_survey_changed AFTER UPDATE OF answer, auto_void, test ON surveys
WHEN NEW.answer = 'no' OR OLD.answer = 'no'
BEGIN INSERT INTO alert_news VALUES ('rating', NEW.survey) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_survey_gone AFTER DELETE ON surveys WHEN OLD.answer = 'no'
BEGIN INSERT INTO alert_news VALUES ('rating', OLD.survey) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_spontaneous AFTER INSERT ON spontaneous WHEN NEW.answer = 'no'
BEGIN INSERT INTO alert_news VALUES ('rating', NEW.rating) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_spontaneous_gone AFTER DELETE ON spontaneous WHEN OLD.answer = 'no'
BEGIN INSERT INTO alert_news VALUES ('rating', OLD.rating) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_void AFTER INSERT ON voids
BEGIN INSERT INTO alert_news VALUES ('rating', NEW.survey) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_verdict AFTER INSERT ON verdicts
BEGIN INSERT INTO alert_news VALUES ('rating', NEW.survey) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER alert_news_situation AFTER INSERT ON force_majeure
BEGIN INSERT INTO alert_news VALUES ('situation', NEW.situation) ON CONFLICT DO NOTHING; END;

-- What staff said to a negative rating. Never changed, never removed by the program.
CREATE TABLE comments (
    id INTEGER PRIMARY KEY, rating TEXT NOT NULL, at INTEGER NOT NULL, user TEXT NOT NULL,
    text TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '', -- ids, sorted, one space between
    tags_version INTEGER NOT NULL
) STRICT;
CREATE INDEX comments_rating ON comments (rating, id);
CREATE INDEX comments_at ON comments (at);
CREATE TRIGGER comments_update BEFORE UPDATE ON comments
BEGIN SELECT raise(ABORT, 'comments are only added'); END;
CREATE TRIGGER comments_delete BEFORE DELETE ON comments
BEGIN SELECT raise(ABORT, 'comments are only added'); END;

-- Negative ratings that count: not of a test, not voided, not ruled invalid.
CREATE INDEX surveys_negative ON surveys (opened_at, survey) WHERE answer = 'no';
CREATE INDEX spontaneous_negative ON spontaneous (at, rating) WHERE answer = 'no';
CREATE VIEW negatives AS
SELECT s.survey AS rating, s.site, s.point, s.opened_at AS at,
       coalesce(s.answered_at, s.opened_at) AS answered_at,
       CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee,
       s.channel, s.spontaneous
FROM subjects s LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.answer = 'no' AND s.test = 0
  AND NOT coalesce((SELECT v.voided FROM voids v WHERE v.survey = s.survey ORDER BY v.id DESC LIMIT 1),
                   s.auto_void)
  AND NOT EXISTS (SELECT 1 FROM rulings r WHERE r.survey = s.survey AND r.verdict = 'invalid');

-- Messages on their way. The oldest waiting one of a destination is the only one that is sent; the
-- key lets a receiver recognise what it has had already.
CREATE TABLE deliveries (
    delivery INTEGER PRIMARY KEY, destination TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'digest', 'test', 'mail', 'personal')),
    alert INTEGER, event TEXT NOT NULL DEFAULT '', key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,                -- JSON to a webhook, HTML text to Telegram; of e-mail its parts as JSON
    photo INTEGER NOT NULL DEFAULT 0,  -- a photo goes along if there is one
    state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'merged', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL, lease_until INTEGER,
    give_up_at INTEGER NOT NULL, made_at INTEGER NOT NULL, ended_at INTEGER,
    status INTEGER, reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (destination, delivery) WHERE state = 'waiting';
CREATE INDEX deliveries_held ON deliveries (destination, delivery) WHERE state = 'held';
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE notify_seen (
    id INTEGER PRIMARY KEY CHECK (id = 1), event INTEGER NOT NULL, appeal_decision INTEGER NOT NULL
) STRICT;
INSERT INTO notify_seen VALUES (1, 0, 0);
-- Where what concerns one person goes; append-only, the newest row of a user stands; '': nowhere.
CREATE TABLE user_destinations (
    id INTEGER PRIMARY KEY, user TEXT NOT NULL, destination TEXT NOT NULL, at INTEGER NOT NULL,
    author TEXT NOT NULL
) STRICT;
CREATE INDEX user_destinations_user ON user_destinations (user);

-- Whose sites a person may see: all, site:ID or group:NAME; append-only, the newest row of a user and
-- scope stands.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY, user TEXT NOT NULL REFERENCES users, scope TEXT NOT NULL,
    granted INTEGER NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL
) STRICT;
CREATE INDEX grants_key ON grants (user, scope);
CREATE VIEW granted_scopes AS
SELECT g.user, g.scope, g.at, g.author FROM grants g
WHERE g.granted = 1
  AND g.id = (SELECT max(h.id) FROM grants h WHERE h.user = g.user AND h.scope = g.scope);
