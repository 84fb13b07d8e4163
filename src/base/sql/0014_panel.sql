-- Browsers as devices: one-time codes by which a tablet fetches its token; only hashes are kept.
CREATE TABLE panel_codes (
    code_hash TEXT PRIMARY KEY, device TEXT NOT NULL, label TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT, WITHOUT ROWID;

-- The highest boot that a browser was given: none is given twice.
CREATE TABLE panel_boots (device TEXT PRIMARY KEY, boot INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- What a soft panel last said of itself.
CREATE TABLE panel_states (
    device TEXT PRIMARY KEY, at INTEGER NOT NULL, queued INTEGER NOT NULL, refused INTEGER NOT NULL,
    oldest_at INTEGER, sent_at INTEGER -- on the device's clock
) STRICT, WITHOUT ROWID;

-- Codes on paper that lead a customer's phone to the question of a point. The answers are events of
-- a virtual device of the point; the secret signs the mark that a phone keeps.
CREATE TABLE qr_codes (
    code TEXT PRIMARY KEY, point TEXT NOT NULL, device TEXT NOT NULL, secret BLOB NOT NULL,
    author TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- What a panel plays when the seller presses, by content; and which version of a question has which.
-- The window of such a version is longer by duration_us.
CREATE TABLE prompts (
    sha256 TEXT PRIMARY KEY, media_type TEXT NOT NULL, content BLOB NOT NULL
) STRICT;
CREATE TABLE question_prompts (
    question TEXT NOT NULL, point TEXT NOT NULL, valid_from INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES prompts, duration_us INTEGER NOT NULL,
    PRIMARY KEY (question, point, valid_from)
) STRICT, WITHOUT ROWID;
