-- When asking an archive failed last, and why; NULL: never. Kept when it answers again. Before its row was
-- changed counts for nothing.
ALTER TABLE archive_turns ADD COLUMN failed_at INTEGER;
ALTER TABLE archive_turns ADD COLUMN failed_code TEXT NOT NULL DEFAULT '';
ALTER TABLE archive_turns ADD COLUMN failure TEXT NOT NULL DEFAULT '';
UPDATE archive_turns SET failed_at = down_since, failed_code = code, failure = message WHERE failures > 0;
