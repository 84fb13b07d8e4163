-- When an archive answered last; NULL: not yet. Before its row was changed counts for nothing.
ALTER TABLE archive_turns ADD COLUMN answered_at INTEGER;
