-- What indexes of remote recordings are signed with: whoever can write into DIR/index alone writes none that is taken.
CREATE TABLE index_key (one INTEGER PRIMARY KEY CHECK (one = 1), key TEXT NOT NULL) STRICT;
INSERT INTO index_key (one, key) VALUES (1, lower(hex(randomblob(32))));
