-- Voids that one person asks for and another agrees to or not: asked and answered once each.
CREATE TABLE void_proposals (
    id INTEGER PRIMARY KEY, survey TEXT NOT NULL, voided INTEGER NOT NULL, at INTEGER NOT NULL,
    author TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX void_proposals_key ON void_proposals (survey);
CREATE TABLE void_answers (
    proposal INTEGER PRIMARY KEY REFERENCES void_proposals, at INTEGER NOT NULL, user TEXT NOT NULL,
    agreed INTEGER NOT NULL, note TEXT NOT NULL DEFAULT ''
) STRICT;
