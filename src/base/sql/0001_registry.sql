-- Who and where. Every table is append-only: an edit adds a row with the same key; the row with the
-- highest id of a key stands now, the one with the highest id made before a moment stood then.
CREATE TABLE imports (
    import INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,               -- when, UTC microseconds
    author TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,                -- the import kind, e.g. events
    source TEXT NOT NULL,              -- file name, `-`, `page` or `api`
    read INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE archives (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    archive TEXT NOT NULL, kind TEXT NOT NULL, url TEXT NOT NULL, files TEXT NOT NULL DEFAULT '',
    time_zone TEXT NOT NULL DEFAULT 'UTC', user TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL DEFAULT '', options TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX archives_key ON archives (archive);

CREATE TABLE sites (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    site TEXT NOT NULL, name TEXT NOT NULL, time_zone TEXT NOT NULL,
    hours TEXT NOT NULL DEFAULT '', site_group TEXT NOT NULL DEFAULT '',
    hours_from TEXT NOT NULL DEFAULT ''    -- the local date from which hours and group count; '': always
) STRICT;
CREATE INDEX sites_key ON sites (site);
-- Of the rows that tell a site's hours and group from one date on the latest stands.
CREATE VIEW site_versions AS
SELECT site, hours_from, hours, site_group FROM sites s
WHERE id = (SELECT max(id) FROM sites WHERE site = s.site AND hours_from = s.hours_from);
-- The group of each site today: it carries rights.
CREATE VIEW site_groups AS
SELECT site, site_group FROM site_versions v
WHERE hours_from = (SELECT max(w.hours_from) FROM sites w
                    WHERE w.site = v.site AND w.hours_from <= date('now'));

CREATE TABLE points (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    point TEXT NOT NULL, site TEXT NOT NULL, name TEXT NOT NULL, hours TEXT NOT NULL DEFAULT '',
    hours_from TEXT NOT NULL DEFAULT ''    -- as of sites
) STRICT;
CREATE INDEX points_key ON points (point);

-- valid_to NULL: until further notice. Intervals are half-open [valid_from, valid_to).
CREATE TABLE devices (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    device TEXT NOT NULL, point TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER,
    role TEXT NOT NULL DEFAULT 'both' CHECK (role IN ('button', 'panel', 'both', 'channel')),
    test INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX devices_key ON devices (device, valid_from);
CREATE INDEX devices_point ON devices (point);

CREATE TABLE cameras (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    camera TEXT NOT NULL, site TEXT NOT NULL, archive TEXT NOT NULL, channel TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '', retention_days INTEGER, overlay_trusted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cameras_key ON cameras (camera);

CREATE TABLE placements (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    point TEXT NOT NULL, camera TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER,
    priority INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX placements_key ON placements (point, camera, valid_from);

CREATE TABLE questions (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    question TEXT NOT NULL, point TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('personnel', 'office', 'loyalty')),
    text TEXT NOT NULL, window_us INTEGER NOT NULL
) STRICT;
CREATE INDEX questions_key ON questions (point, question, valid_from);

CREATE TABLE employees (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    employee TEXT NOT NULL, name TEXT NOT NULL DEFAULT '', hired TEXT
) STRICT;
CREATE INDEX employees_key ON employees (employee);

CREATE TABLE shifts (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    employee TEXT NOT NULL, point TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL
) STRICT;
CREATE INDEX shifts_key ON shifts (point, valid_from, employee);

CREATE TABLE counts (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    scope TEXT NOT NULL,               -- site:ID, point:ID or employee:ID
    kind TEXT NOT NULL CHECK (kind IN ('transactions', 'visitors', 'served')),
    valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, count INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('till', 'counter', 'sensor', 'manual'))
) STRICT;
CREATE INDEX counts_key ON counts (scope, kind, valid_from);

CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    txn TEXT NOT NULL, at INTEGER NOT NULL, point TEXT NOT NULL, employee TEXT, amount TEXT
) STRICT;
CREATE INDEX transactions_key ON transactions (txn);
CREATE INDEX transactions_at ON transactions (point, at);

-- One measurement of a clock: offset = clock - UTC.
CREATE TABLE clocks (
    id INTEGER PRIMARY KEY, import INTEGER NOT NULL REFERENCES imports,
    target TEXT NOT NULL,              -- device:ID, archive:ID or camera:ID
    at INTEGER NOT NULL, offset_us INTEGER NOT NULL, uncertainty_us INTEGER NOT NULL,
    step INTEGER NOT NULL DEFAULT 0, method TEXT NOT NULL DEFAULT 'import'
) STRICT;
CREATE INDEX clocks_key ON clocks (target, at);

-- What a device last said of its own clock with the events it sent, and when it last agreed with
-- what is known. One row a device: what such reports teach is kept in clocks.
CREATE TABLE clock_reports (
    device TEXT PRIMARY KEY, arrived_at INTEGER NOT NULL, offset_us INTEGER NOT NULL,
    agreed_at INTEGER, suspect INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- People who log in, and the machine clients' tokens (only hashes are kept).
CREATE TABLE users (
    user TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL CHECK (role IN ('expert', 'auditor', 'manager', 'staff', 'administrator')),
    password_hash TEXT NOT NULL, language TEXT NOT NULL DEFAULT 'en', employee TEXT,
    disabled INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
    lead INTEGER NOT NULL DEFAULT 0    -- an expert who makes gold items and sees how all experts decide
) STRICT;
CREATE TABLE tokens (
    token_hash TEXT PRIMARY KEY, role TEXT NOT NULL, device TEXT, label TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL, revoked_at INTEGER,
    photos INTEGER NOT NULL DEFAULT 0 -- may fetch the photos of its point's ratings
) STRICT;
CREATE INDEX tokens_device ON tokens (device);
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
) STRICT;
