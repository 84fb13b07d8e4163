-- Public keys of auditors, who sign outside okno. A row with revoked = 1 ends the key before it.
CREATE TABLE auditor_keys (
    id INTEGER PRIMARY KEY, auditor TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('minisign', 'ssh')),
    key TEXT NOT NULL, fingerprint TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL, author TEXT NOT NULL
) STRICT;
CREATE INDEX auditor_keys_fingerprint ON auditor_keys (fingerprint);

-- What an auditor was given to sign: hashes of files, and how far the log was.
CREATE TABLE audit_manifests (
    id INTEGER PRIMARY KEY, audit TEXT NOT NULL REFERENCES audits, at INTEGER NOT NULL,
    author TEXT NOT NULL, size INTEGER NOT NULL, files TEXT NOT NULL, text TEXT NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX audit_manifests_audit ON audit_manifests (audit);

-- And the signatures that came back; the newest of an audit stands.
CREATE TABLE audit_signatures (
    id INTEGER PRIMARY KEY, audit TEXT NOT NULL REFERENCES audits,
    manifest INTEGER NOT NULL REFERENCES audit_manifests, at INTEGER NOT NULL,
    author TEXT NOT NULL, fingerprint TEXT NOT NULL, signature TEXT NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX audit_signatures_audit ON audit_signatures (audit);

-- Witnesses of the log: others who sign its checkpoints with the time. Revoked as above.
CREATE TABLE log_witnesses (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, author TEXT NOT NULL
) STRICT;

-- Proofs by others that a checkpoint was there at a time. reply: a time stamp (RFC 3161), or the
-- witness's line; ca: the certificates that the time stamp was checked with.
CREATE TABLE log_anchors (
    id INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL REFERENCES log_checkpoints,
    kind TEXT NOT NULL CHECK (kind IN ('timestamp', 'witness')), name TEXT NOT NULL,
    at INTEGER NOT NULL, anchored_at INTEGER NOT NULL, reply BLOB NOT NULL, sha256 TEXT NOT NULL,
    ca TEXT NOT NULL DEFAULT '', UNIQUE (checkpoint, sha256)
) STRICT;

-- Requests for time stamps that are out: what a reply has to answer.
CREATE TABLE log_requests (
    id INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL REFERENCES log_checkpoints,
    nonce TEXT NOT NULL, at INTEGER NOT NULL, request BLOB NOT NULL
) STRICT;

-- What stops retention: one survey, one audit, or all of a time (and site). Released by filling the
-- last columns.
CREATE TABLE holds (
    id INTEGER PRIMARY KEY, survey TEXT, audit TEXT, site TEXT, from_at INTEGER, to_at INTEGER,
    until INTEGER, reason TEXT NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL,
    released_at INTEGER, released_by TEXT, release_reason TEXT
) STRICT;

-- Files that retention removed. Written first; removed_at follows when the file is gone.
CREATE TABLE destructions (
    sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, survey TEXT, bytes INTEGER NOT NULL,
    at INTEGER NOT NULL, rule TEXT NOT NULL, author TEXT NOT NULL, removed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX destructions_left ON destructions (removed_at) WHERE removed_at IS NULL;

-- Evidence that retention must leave, with why and until when (NULL: as long as it is so). Where pay
-- periods are closed at all, what is newer than the last one waits for the next.
CREATE VIEW held_evidence AS
SELECT e.sha256, 'hold' AS why, h.until FROM evidence e JOIN holds h ON h.survey = e.survey
WHERE h.released_at IS NULL
UNION ALL
SELECT e.sha256, 'hold', h.until FROM holds h JOIN review_items i ON i.audit = h.audit
JOIN evidence e ON e.survey = i.survey
WHERE h.released_at IS NULL
UNION ALL
SELECT e.sha256, 'hold', h.until FROM holds h
JOIN evidence e ON e.got_to > h.from_at AND e.got_from < h.to_at
LEFT JOIN subjects s ON s.survey = e.survey
WHERE h.released_at IS NULL AND h.from_at IS NOT NULL
  AND (h.site IS NULL OR s.site = h.site OR s.survey IS NULL)
UNION ALL
SELECT e.sha256, 'audit', NULL FROM audits a JOIN review_items i ON i.audit = a.audit
JOIN evidence e ON e.survey = i.survey WHERE a.state NOT IN ('closed', 'abandoned')
UNION ALL
SELECT e.sha256, 'review', NULL FROM review_items i JOIN evidence e ON e.survey = i.survey
WHERE i.state = 'open'
UNION ALL
SELECT sha256, 'appeal', NULL FROM appeal_held
UNION ALL
SELECT e.sha256, 'period', NULL FROM evidence e JOIN subjects s ON s.survey = e.survey
WHERE s.opened_at >= (SELECT max(p.to_at) FROM pay_periods p
                      WHERE p.site IS NULL OR p.site = s.site)
UNION ALL
SELECT sha256, 'reference', NULL FROM camera_references;
