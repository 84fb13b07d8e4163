-- name: comment.add
INSERT INTO comments (rating, at, user, text, tags, tags_version)
VALUES ($rating, $at, $user, $text, $tags, $version) RETURNING id;

-- name: comment.list
SELECT id, rating, at, user, text, tags FROM comments WHERE rating = $rating ORDER BY id;

-- name: comment.negatives
SELECT n.rating, n.site, n.point, n.employee, n.at, n.answered_at, n.channel, n.spontaneous,
       (SELECT e.sha256 FROM evidence e WHERE e.survey = n.rating AND e.kind = 'still'
        ORDER BY e.id DESC LIMIT 1) AS still,
       (SELECT e.sha256 FROM evidence e WHERE e.survey = n.rating AND e.kind = 'clip'
        ORDER BY e.id DESC LIMIT 1) AS clip
FROM negatives n
WHERE n.at >= $from AND n.at < $to AND (n.at, n.rating) < ($before_at, $before)
  AND ($rating IS NULL OR n.rating = $rating)
  AND ($site IS NULL OR n.site = $site) AND ($point IS NULL OR n.point = $point)
  AND ($sites IS NULL OR n.site IN (SELECT value FROM json_each($sites)))
  AND ($commented < 0 OR EXISTS (SELECT 1 FROM comments c WHERE c.rating = n.rating) = $commented)
  AND ($employee IS NULL OR n.employee = $employee
       OR (n.employee IS NULL AND EXISTS (
           SELECT 1 FROM shifts h WHERE h.point = n.point AND h.employee = $employee
           AND h.valid_from <= n.answered_at AND h.valid_to > n.answered_at)))
ORDER BY n.at DESC, n.rating DESC LIMIT $limit;

-- name: comment.reactions
-- Of each site: negatives, those commented, and of the times to the first comment the middle one and
-- the one that nine of ten do not exceed.
WITH waits AS (
    SELECT n.site, max(0, (SELECT min(c.at) FROM comments c WHERE c.rating = n.rating)
                          - n.answered_at) AS wait
    FROM negatives n
    WHERE n.at >= $from AND n.at < $to AND ($site IS NULL OR n.site = $site)
      AND ($point IS NULL OR n.point = $point)
      AND ($sites IS NULL OR n.site IN (SELECT value FROM json_each($sites)))
), ranked AS (
    SELECT site, wait, row_number() OVER (PARTITION BY site ORDER BY wait) AS rank,
           count(*) OVER (PARTITION BY site) AS commented
    FROM waits WHERE wait IS NOT NULL
)
SELECT w.site, count(*) AS negatives, count(w.wait) AS commented,
       (SELECT r.wait FROM ranked r WHERE r.site = w.site AND r.rank = (r.commented + 1) / 2) AS median,
       (SELECT r.wait FROM ranked r WHERE r.site = w.site
        AND r.rank = (r.commented * 9 + 9) / 10) AS p90
FROM waits w GROUP BY w.site ORDER BY w.site;

-- name: comment.tagged
-- The newest comment of each rating of the period that carries tags.
SELECT c.tags FROM negatives n JOIN comments c ON c.id = (
    SELECT max(d.id) FROM comments d WHERE d.rating = n.rating AND d.tags <> '')
WHERE n.at >= $from AND n.at < $to AND ($site IS NULL OR n.site = $site)
  AND ($point IS NULL OR n.point = $point)
  AND ($sites IS NULL OR n.site IN (SELECT value FROM json_each($sites)));
