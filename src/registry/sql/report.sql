-- name: registry.agreed_at
SELECT agreed_at FROM clock_reports WHERE device = $device;

-- name: registry.put_report
-- A clock that nobody can believe agrees with nothing.
INSERT INTO clock_reports (device, arrived_at, offset_us, agreed_at, suspect)
VALUES ($device, $arrived_at, $offset, iif($suspect, NULL, $arrived_at), $suspect)
ON CONFLICT (device) DO UPDATE SET
    arrived_at = excluded.arrived_at, offset_us = excluded.offset_us,
    agreed_at = coalesce(excluded.agreed_at, agreed_at), suspect = excluded.suspect;

-- name: registry.add_report_import
INSERT INTO imports (at, author, kind, source, read, added)
VALUES ($at, $author, 'clocks', $source, 1, 1) RETURNING import;

-- name: registry.add_report
INSERT INTO clocks (import, target, at, offset_us, uncertainty_us, step, method)
VALUES ($import, $target, $at, $offset, $uncertainty, $step, $method);
