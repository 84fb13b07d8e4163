-- What viewing copies in DIR/cache were when they were made: a file that is another one since is made again.
CREATE TABLE copies (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;
