-- name: device.list
SELECT d.device,
       (SELECT max(arrived_at) FROM device_runs r WHERE r.device = d.device) AS arrived_at,
       (SELECT sum(last_seq - first_seq + 1 - events) FROM device_runs r
        WHERE r.device = d.device) AS missing,
       (SELECT min(boot) FROM device_runs r
        WHERE r.device = d.device AND last_seq - first_seq + 1 > events) AS gap_boot,
       (SELECT suspect FROM clock_reports c WHERE c.device = d.device) AS suspect,
       EXISTS (SELECT 1 FROM clocks c
               WHERE c.target = 'device:' || d.device AND c.method = 'intake' AND c.step
                 AND c.at > $jumped_after
                 AND NOT EXISTS (SELECT 1 FROM clocks p WHERE p.target = c.target
                                 AND p.method <> 'intake' AND p.id > c.id)) AS jumped
FROM (SELECT device FROM devices UNION SELECT device FROM device_runs
      UNION SELECT device FROM tokens WHERE device IS NOT NULL) d
ORDER BY d.device;

-- name: device.last_event
SELECT at FROM events WHERE device = $device AND at <= arrived_at + $ahead ORDER BY at DESC LIMIT 1;

-- name: device.furthest_ahead
SELECT ahead_at, ahead_us FROM device_runs WHERE device = $device ORDER BY ahead_us DESC LIMIT 1;

-- name: device.first_missing
SELECT seq + 1 FROM events e
WHERE device = $device AND boot = $boot
  AND NOT EXISTS (SELECT 1 FROM events n
                  WHERE n.device = e.device AND n.boot = e.boot AND n.seq = e.seq + 1)
ORDER BY seq LIMIT 1;
