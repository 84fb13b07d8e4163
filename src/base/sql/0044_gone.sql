-- What retention removed may be fetched again: bytes and hash are the same then. newest: the last row of
-- evidence that a destruction is about; rows made later tell of a file that is there again.
CREATE TABLE destroyed (
    sha256 TEXT NOT NULL, newest INTEGER NOT NULL, kind TEXT NOT NULL, survey TEXT,
    bytes INTEGER NOT NULL, at INTEGER NOT NULL, rule TEXT NOT NULL, author TEXT NOT NULL,
    removed_at INTEGER, PRIMARY KEY (sha256, newest)
) STRICT, WITHOUT ROWID;
INSERT INTO destroyed
SELECT sha256, coalesce((SELECT max(e.id) FROM evidence e
                         WHERE e.sha256 = d.sha256 AND e.made_at <= d.at), 0),
       kind, survey, bytes, at, rule, author, removed_at
FROM destructions d;
DROP TABLE destructions;
ALTER TABLE destroyed RENAME TO destructions;
CREATE INDEX destructions_left ON destructions (removed_at) WHERE removed_at IS NULL;

-- Files that are destroyed and did not come back, by their last destruction.
CREATE VIEW gone AS
SELECT d.sha256, d.bytes, d.at, d.rule, d.removed_at FROM destructions d
WHERE NOT EXISTS (SELECT 1 FROM evidence e WHERE e.sha256 = d.sha256 AND e.id > d.newest)
  AND NOT EXISTS (SELECT 1 FROM destructions l WHERE l.sha256 = d.sha256 AND l.newest > d.newest);
