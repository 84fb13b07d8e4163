-- Imports: what was imported, and for each kind whether the latest row of a key says the same
-- already (same_*), the next version (add_*), and whether an id is known (has_*).

-- name: registry.add_import
INSERT INTO imports (at, author, kind, source) VALUES ($at, $author, $kind, $source)
RETURNING import;

-- name: registry.count_import
UPDATE imports SET read = $read, added = $added, duplicate = $duplicate, rejected = $rejected
WHERE import = $import;

-- name: registry.same_archive
SELECT 1 AS same FROM archives
WHERE id = (SELECT max(id) FROM archives WHERE archive = $archive)
  AND kind IS $kind AND url IS $url AND files IS $files AND time_zone IS $time_zone AND user IS
  $user AND secret IS $secret AND options IS $options;

-- name: registry.add_archive
INSERT INTO archives (import, archive, kind, url, files, time_zone, user, secret, options)
VALUES ($import, $archive, $kind, $url, $files, $time_zone, $user, $secret, $options);

-- name: registry.has_archive
SELECT 1 AS known FROM archives WHERE archive = $id LIMIT 1;

-- name: registry.same_site
SELECT 1 AS same FROM sites
WHERE id = (SELECT max(id) FROM sites WHERE site = $site)
  AND name IS $name AND time_zone IS $time_zone
  AND EXISTS (SELECT 1 FROM site_versions WHERE site = $site AND hours_from = $from
              AND hours = $hours AND site_group = $group);

-- name: registry.add_site
INSERT INTO sites (import, site, name, time_zone, hours, hours_from, site_group)
VALUES ($import, $site, $name, $time_zone, $hours, $from, $group);

-- name: registry.has_site
SELECT 1 AS known FROM sites WHERE site = $id LIMIT 1;

-- name: registry.same_point
SELECT 1 AS same FROM points
WHERE id = (SELECT max(id) FROM points WHERE point = $point)
  AND site IS $site AND name IS $name
  AND $hours IS (SELECT hours FROM points WHERE id = (
    SELECT max(id) FROM points WHERE point = $point AND hours_from = $from));

-- name: registry.add_point
INSERT INTO points (import, point, site, name, hours, hours_from)
VALUES ($import, $point, $site, $name, $hours, $from);

-- name: registry.has_point
SELECT 1 AS known FROM points WHERE point = $id LIMIT 1;

-- name: registry.same_device
SELECT 1 AS same FROM devices
WHERE id = (SELECT max(id) FROM devices WHERE device = $device AND valid_from = $from)
  AND point IS $point AND valid_to IS $to AND role IS $role AND test IS $test;

-- name: registry.add_device
INSERT INTO devices (import, device, point, valid_from, valid_to, role, test)
VALUES ($import, $device, $point, $from, $to, $role, $test);

-- name: registry.has_device
-- By a pairing or by a token of its own.
SELECT 1 AS known FROM devices WHERE device = $id
UNION ALL SELECT 1 FROM tokens WHERE device = $id LIMIT 1;

-- name: registry.same_camera
SELECT 1 AS same FROM cameras
WHERE id = (SELECT max(id) FROM cameras WHERE camera = $camera)
  AND site IS $site AND archive IS $archive AND channel IS $channel AND name IS $name AND
  retention_days IS $retention_days AND overlay_trusted IS $overlay_trusted;

-- name: registry.add_camera
INSERT INTO cameras (import, camera, site, archive, channel, name, retention_days,
  overlay_trusted)
VALUES ($import, $camera, $site, $archive, $channel, $name, $retention_days, $overlay_trusted);

-- name: registry.has_camera
SELECT 1 AS known FROM cameras WHERE camera = $id LIMIT 1;

-- name: registry.same_placement
SELECT 1 AS same FROM placements
WHERE id = (SELECT max(id) FROM placements WHERE point = $point AND camera = $camera AND valid_from = $from)
  AND valid_to IS $to AND priority IS $priority;

-- name: registry.add_placement
INSERT INTO placements (import, point, camera, valid_from, valid_to, priority)
VALUES ($import, $point, $camera, $from, $to, $priority);

-- name: registry.same_question
SELECT 1 AS same FROM questions
WHERE id = (SELECT max(id) FROM questions WHERE point = $point AND question = $question AND valid_from = $from)
  AND kind IS $kind AND text IS $text AND window_us IS $window_s AND valid_to IS $to;

-- name: registry.add_question
INSERT INTO questions (import, question, point, valid_from, kind, text, window_us, valid_to)
VALUES ($import, $question, $point, $from, $kind, $text, $window_s, $to);

-- name: registry.has_group
SELECT 1 AS known FROM sites WHERE site_group = $id LIMIT 1;

-- name: registry.has_question
SELECT 1 AS known FROM questions WHERE question = $id LIMIT 1;

-- name: registry.same_employee
SELECT 1 AS same FROM employees
WHERE id = (SELECT max(id) FROM employees WHERE employee = $employee)
  AND name IS $name AND hired IS $hired;

-- name: registry.add_employee
INSERT INTO employees (import, employee, name, hired)
VALUES ($import, $employee, $name, $hired);

-- name: registry.has_employee
SELECT 1 AS known FROM employees WHERE employee = $id LIMIT 1;

-- name: registry.knows_employee
-- Also who is only named by a shift.
SELECT 1 AS known FROM employees WHERE employee = $id
UNION ALL SELECT 1 FROM shifts WHERE employee = $id LIMIT 1;

-- name: registry.same_shift
SELECT 1 AS same FROM shifts
WHERE id = (SELECT max(id) FROM shifts WHERE point = $point AND valid_from = $from AND employee = $employee)
  AND valid_to IS $to;

-- name: registry.add_shift
INSERT INTO shifts (import, employee, point, valid_from, valid_to)
VALUES ($import, $employee, $point, $from, $to);

-- name: registry.same_count
SELECT 1 AS same FROM counts
WHERE id = (SELECT max(id) FROM counts WHERE scope = $scope AND kind = $kind AND valid_from = $from)
  AND valid_to IS $to AND count IS $count AND source IS $source;

-- name: registry.add_count
INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source)
VALUES ($import, $scope, $kind, $from, $to, $count, $source);

-- name: registry.same_transaction
SELECT 1 AS same FROM transactions
WHERE id = (SELECT max(id) FROM transactions WHERE txn = $id)
  AND at IS $time AND point IS $point AND employee IS $employee AND amount IS $amount;

-- name: registry.add_transaction
INSERT INTO transactions (import, txn, at, point, employee, amount)
VALUES ($import, $id, $time, $point, $employee, $amount);

-- name: registry.same_clock
SELECT 1 AS same FROM clocks
WHERE id = (SELECT max(id) FROM clocks WHERE target = $target AND at = $at)
  AND offset_us IS $offset_ms AND uncertainty_us IS $uncertainty_ms AND step IS $step;

-- name: registry.add_clock
INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, step)
VALUES ($import, $target, $at, $offset_ms, $uncertainty_ms, $step);

-- The keys that the import in progress held: on the connection's own temporary disk.
-- name: registry.make_seen
CREATE TEMP TABLE IF NOT EXISTS import_seen
  (key TEXT PRIMARY KEY, content TEXT NOT NULL, import INTEGER NOT NULL);

-- name: registry.forget_seen
DELETE FROM import_seen WHERE import <> $import;

-- name: registry.find_seen
SELECT content FROM import_seen WHERE key = $key;

-- name: registry.add_seen
INSERT INTO import_seen (key, content, import) VALUES ($key, $content, $import);
