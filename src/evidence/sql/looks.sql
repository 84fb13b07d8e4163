-- name: looks.put
INSERT INTO archive_looks (archive, at, offset_us, uncertainty_us, method, finding, code, message,
    jumped_at)
VALUES ($archive, $at, iif($method = '', NULL, $offset_us),
    iif($method = '', NULL, $uncertainty_us), $method, $finding, $code, $message,
    iif($finding = 'jumped', $at, NULL))
ON CONFLICT (archive) DO UPDATE SET at = excluded.at,
    offset_us = coalesce(excluded.offset_us, offset_us),
    uncertainty_us = coalesce(excluded.uncertainty_us, uncertainty_us),
    method = iif(excluded.method = '', method, excluded.method), finding = excluded.finding,
    code = excluded.code, message = excluded.message,
    jumped_at = coalesce(excluded.jumped_at, jumped_at);

-- name: looks.due
-- Archives whose clock was not looked at since; those that cannot be looked at once a day.
-- What somebody asks for comes first.
SELECT a.archive, iif(q.asked_at > coalesce(l.at, 0), q.author, '') AS author
FROM archives a LEFT JOIN archive_looks l ON l.archive = a.archive
LEFT JOIN archive_look_asks q ON q.archive = a.archive
WHERE a.id = (SELECT max(b.id) FROM archives b WHERE b.archive = a.archive)
  AND (l.at IS NULL OR l.at <= iif(l.code = 'unsupported', $day_ago, $since)
       OR q.asked_at > l.at)
ORDER BY coalesce(q.asked_at > coalesce(l.at, 0), 0) DESC, l.at IS NOT NULL, l.at, a.archive LIMIT 1;

-- name: looks.ask
INSERT INTO archive_look_asks (archive, asked_at, author)
SELECT $archive, $now, $author WHERE EXISTS (SELECT 1 FROM archives WHERE archive = $archive)
ON CONFLICT (archive) DO UPDATE SET asked_at = excluded.asked_at, author = excluded.author
RETURNING asked_at;

-- name: looks.next
SELECT min(l.at + iif(l.code = 'unsupported', 86400000000, $every_us)) FROM archive_looks l;

-- name: looks.list
SELECT archive, at, offset_us, uncertainty_us, method, finding, code, message, jumped_at
FROM archive_looks ORDER BY archive;
