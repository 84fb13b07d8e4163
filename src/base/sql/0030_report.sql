-- Reports of audits as they were issued: the model as JSON text, whole and as far as everybody may
-- read it. Every other format is made from these, so that an edition is the same whenever it is made.
CREATE TABLE audit_reports (
    audit TEXT NOT NULL REFERENCES audits, edition INTEGER NOT NULL,
    at INTEGER NOT NULL, author TEXT NOT NULL,
    sha256 TEXT NOT NULL, model TEXT NOT NULL,
    public_sha256 TEXT NOT NULL, public_model TEXT NOT NULL,
    PRIMARY KEY (audit, edition)
) STRICT, WITHOUT ROWID;
