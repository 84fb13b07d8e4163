-- Every lease ever given, so that a late verdict can be told from one by somebody who was never
-- shown the item.
CREATE TABLE leases (
    token TEXT PRIMARY KEY, item INTEGER NOT NULL REFERENCES review_items,
    user TEXT NOT NULL, until INTEGER NOT NULL -- as given; heartbeats are not kept here
) STRICT, WITHOUT ROWID;

CREATE INDEX access_log_subject ON access_log (subject, user, at);
