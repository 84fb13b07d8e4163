-- name: event.add
INSERT INTO events (device, boot, seq, kind, at, duration_ms, channel, arrived_at, import)
VALUES ($device, $boot, $seq, $kind, $at, $duration_ms, $channel, $arrived_at, $import)
ON CONFLICT DO NOTHING;

-- name: event.fence
-- Up to when arrivals are published: what is written now arrives after it.
SELECT at FROM arrival_fence;

-- name: event.get
SELECT kind, at, duration_ms, channel FROM events
WHERE device = $device AND boot = $boot AND seq = $seq;

-- name: event.mark_hour
INSERT INTO survey_dirty_devices (device, hour) VALUES ($device, $hour) ON CONFLICT DO NOTHING;

-- name: event.knows_device
-- By a pairing or by a token of its own.
SELECT EXISTS (SELECT 1 FROM devices WHERE device = $device)
    OR EXISTS (SELECT 1 FROM tokens WHERE device = $device);

-- name: event.note_run
INSERT INTO device_runs (device, boot, first_seq, last_seq, events, arrived_at, ahead_us, ahead_at)
VALUES ($device, $boot, $first_seq, $last_seq, $events, $arrived_at, $ahead, $ahead_at)
ON CONFLICT (device, boot) DO UPDATE SET
    first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq),
    events = events + excluded.events, arrived_at = max(arrived_at, excluded.arrived_at),
    ahead_at = CASE WHEN excluded.ahead_us > ahead_us THEN excluded.ahead_at ELSE ahead_at END,
    ahead_us = max(ahead_us, excluded.ahead_us);
