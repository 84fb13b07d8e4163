-- name: event.add
INSERT INTO events (device, boot, seq, kind, at, duration_ms, channel, arrived_at, import)
VALUES ($device, $boot, $seq, $kind, $at, nullif($duration_ms, -1), $channel, $arrived_at,
        nullif($import, 0))
ON CONFLICT DO NOTHING;

-- name: event.get
SELECT kind, at, duration_ms, channel FROM events
WHERE device = $device AND boot = $boot AND seq = $seq;

-- name: event.mark_device
INSERT INTO survey_dirty_devices (device) VALUES ($device) ON CONFLICT DO NOTHING;

-- name: event.knows_device
SELECT EXISTS (SELECT 1 FROM devices WHERE device = $device);
