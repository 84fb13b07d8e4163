-- name: published.add
INSERT INTO published (name, at, author, query, settings, data, sha256, figures)
VALUES ($name, $at, $author, $query, $settings, $data, $sha256, $figures)
RETURNING id;

-- name: published.get
SELECT id, name, at, author, query, settings, data, sha256, figures FROM published
WHERE name = $name;

-- name: published.list
SELECT name, at, author, query, sha256 FROM published ORDER BY id;
