-- name: service.ping
SELECT 1;

-- name: service.photo_of_rating
-- hopeless: its link says that there will be no picture.
SELECT (SELECT e.sha256 FROM evidence e WHERE e.survey = s.survey AND e.kind = 'still'
        ORDER BY e.id DESC LIMIT 1) AS sha256,
       coalesce(l.state IN ('no_recording', 'no_camera', 'expired'), 0) AS hopeless
FROM subjects s LEFT JOIN links l ON l.survey = s.survey
WHERE s.survey = $rating AND s.point = $point;

-- name: service.count_frame
-- About what a freeze of these days would list.
SELECT count(*) FROM surveys
WHERE opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0;

-- name: service.audit_waiting
SELECT i.survey, i.part, s.opened_at,
       (SELECT name FROM sites t WHERE t.site = s.site ORDER BY id DESC LIMIT 1) AS site,
       (SELECT name FROM points p WHERE p.point = s.point ORDER BY id DESC LIMIT 1) AS point,
       (SELECT state FROM links l WHERE l.survey = i.survey) AS video,
       CASE WHEN i.lease_until > $now
            THEN (SELECT coalesce(nullif(u.name, ''), u.user) FROM users u WHERE u.user = i.lease_user)
       END AS holder,
       (SELECT count(*) FROM skips k WHERE k.item = i.item) AS skipped
FROM review_items i JOIN watched s ON s.survey = i.survey
WHERE i.audit = $audit AND i.state = 'open' AND i.part < 3
ORDER BY i.place, i.part LIMIT $limit;

-- name: service.open_alerts
SELECT count(*) FROM alerts WHERE closed_at IS NULL;

-- name: service.messages_by_state
SELECT w.state, (SELECT count(*) FROM deliveries d WHERE d.state = w.state) AS count
FROM (SELECT 'waiting' AS state UNION ALL SELECT 'held' UNION ALL SELECT 'dead') w;

-- name: service.jobs_by_state
SELECT state, count(*) AS count FROM jobs GROUP BY state ORDER BY state;

-- name: service.links_by_state
SELECT state, count(*) AS count FROM links GROUP BY state ORDER BY state;

-- name: service.newest_clocks
SELECT c.target, c.at, c.offset_us, c.uncertainty_us, c.step, c.method FROM clocks c
WHERE substr(c.target, 1, 7) IN ('archive', 'camera:') AND c.id = (
    SELECT d.id FROM clocks d WHERE d.target = c.target ORDER BY d.at DESC, d.id DESC LIMIT 1)
ORDER BY c.target;

-- name: service.clock
-- Measurements that stand of one clock, newest first.
SELECT c.at, c.offset_us, c.uncertainty_us, c.step, c.method, i.author, i.at AS made_at
FROM clocks c JOIN imports i USING (import)
WHERE c.target = $target
  AND c.id = (SELECT max(d.id) FROM clocks d WHERE d.target = c.target AND d.at = c.at)
ORDER BY c.at DESC LIMIT $limit;

-- name: service.archive_count
SELECT count(DISTINCT archive) FROM archives;

-- name: service.sites
SELECT site, name, time_zone FROM sites s
WHERE id = (SELECT max(id) FROM sites t WHERE t.site = s.site)
  AND ($sites IS NULL OR site IN (SELECT value FROM json_each($sites)))
ORDER BY site;

-- name: service.points
SELECT site, point, name FROM points p
WHERE id = (SELECT max(id) FROM points q WHERE q.point = p.point) ORDER BY site, point;

-- name: service.employees
-- Everybody known, also who is only named by shifts; those with a name first.
SELECT employee, name FROM (
    SELECT employee, name FROM employees e
    WHERE id = (SELECT max(id) FROM employees f WHERE f.employee = e.employee)
    UNION ALL
    SELECT DISTINCT employee, '' FROM shifts s
    WHERE NOT EXISTS (SELECT 1 FROM employees e WHERE e.employee = s.employee)) w
WHERE $sites IS NULL OR EXISTS (
    SELECT 1 FROM shifts h JOIN points p ON p.point = h.point
    WHERE h.employee = w.employee AND p.id = (SELECT max(id) FROM points q WHERE q.point = p.point)
      AND p.site IN (SELECT value FROM json_each($sites)))
ORDER BY name = '', name, employee;

-- name: service.evidence_file
SELECT media_type, survey FROM evidence WHERE sha256 = $sha256 ORDER BY id DESC LIMIT 1;

-- name: service.evidence_of_expert
-- Is this file part of what the queue shows or showed this expert: a survey leased or decided by
-- them, or a still of a survey's neighbour at the same point within the reach of the queue?
SELECT 1 FROM evidence e JOIN watched s ON s.survey = e.survey
WHERE e.sha256 = $sha256 AND EXISTS (
    SELECT 1 FROM review_items i JOIN watched m ON m.survey = i.survey
    WHERE ((i.lease_user = $user AND i.lease_until > $now)
           OR EXISTS (SELECT 1 FROM verdicts v WHERE v.item = i.item AND v.user = $user AND v.counted = 1))
      AND (m.survey = e.survey
           OR (e.kind = 'still' AND m.point = s.point AND m.visit = '' AND s.visit = ''
               AND s.opened_at BETWEEN m.opened_at - $reach AND m.opened_at + $reach)))
LIMIT 1;

-- name: service.looked_since
SELECT 1 FROM access_log WHERE subject = $subject AND user = $user AND at > $since
AND action = 'view' LIMIT 1;

-- name: service.add_access
INSERT INTO access_log (at, user, action, subject, detail)
VALUES ($at, $user, $action, $subject, $detail);

-- name: service.next_close
SELECT min(closes_at) FROM surveys WHERE state = 'open';

-- name: service.newest_still
SELECT sha256, frame_at FROM evidence WHERE survey = $survey AND kind = 'still'
  AND sha256 NOT IN (SELECT sha256 FROM gone)
ORDER BY id DESC LIMIT 1;

-- name: service.next_qr_seq
SELECT max(last_seq) + 1 FROM device_runs WHERE device = $device AND boot = 0;

-- name: service.sees_survey
SELECT site IN (SELECT value FROM json_each($sites)) FROM watched WHERE survey = $id;

-- name: service.sees_file
SELECT max(s.site IN (SELECT value FROM json_each($sites)))
FROM evidence e JOIN watched s ON s.survey = e.survey WHERE e.sha256 = substr($id, 1, 64);

-- name: service.sees_alert
SELECT coalesce(site IN (SELECT value FROM json_each($sites)), 0) FROM alerts
WHERE alert = CAST($id AS INTEGER);

-- name: service.sees_period
-- A period of all sites is for who sees all.
SELECT site IS NOT NULL AND site IN (SELECT value FROM json_each($sites)) FROM pay_periods
WHERE period = CAST($id AS INTEGER);

-- name: service.sees_point
SELECT site IN (SELECT value FROM json_each($sites)) FROM points WHERE point = $id
ORDER BY id DESC LIMIT 1;

-- name: service.negative_of_file
-- The negative rating that a file shows.
SELECT n.rating FROM evidence e JOIN negatives n ON n.rating = e.survey WHERE e.sha256 = $sha256
ORDER BY e.id DESC LIMIT 1;

-- name: service.lane_points
SELECT p.site, p.point, p.name FROM points p
WHERE p.id = (SELECT max(id) FROM points q WHERE q.point = p.point)
  AND ($site IS NULL OR p.site = $site) AND ($point IS NULL OR p.point = $point)
ORDER BY p.site, p.point;

-- name: service.lane_surveys
SELECT s.survey, s.point, s.opened_at, s.closes_at, s.state, s.answer, s.answered_at,
       s.late_answers, s.force_majeure,
       CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee,
       CASE WHEN coalesce(v.voided, s.auto_void) THEN 'voided'
            ELSE coalesce(r.verdict, 'unreviewed') END AS validity,
       l.state AS video, l.asked_from, l.asked_to, l.gaps,
       (SELECT e.sha256 FROM evidence e WHERE e.survey = s.survey AND e.kind = 'still'
        AND NOT EXISTS (SELECT 1 FROM gone d WHERE d.sha256 = e.sha256)
        ORDER BY e.id DESC LIMIT 1) AS still
FROM surveys s
LEFT JOIN links l ON l.survey = s.survey
LEFT JOIN voids v ON v.id = (SELECT max(w.id) FROM voids w WHERE w.survey = s.survey)
LEFT JOIN rulings r ON r.survey = s.survey
LEFT JOIN attributed a ON a.survey = s.survey
WHERE s.opened_at >= $from AND s.opened_at < $to
  AND ($site IS NULL OR s.site = $site) AND ($point IS NULL OR s.point = $point)
ORDER BY s.opened_at, s.survey LIMIT $limit;

-- name: service.lane_ratings
SELECT rating, point, at, answer, channel FROM spontaneous
WHERE at >= $from AND at < $to
  AND ($site IS NULL OR site = $site) AND ($point IS NULL OR point = $point)
ORDER BY at, rating LIMIT $limit;

-- name: service.lane_situations
SELECT situation, point, first_at, until_at, holds FROM force_majeure
WHERE until_at > $from AND first_at < $to
  AND ($site IS NULL OR site = $site) AND ($point IS NULL OR point = $point)
ORDER BY first_at, situation LIMIT $limit;

-- name: service.sees_device
-- By the point where it stands or stood last; a device at none is for who sees all.
SELECT coalesce((SELECT (SELECT p.site FROM points p WHERE p.point = d.point ORDER BY p.id DESC
                         LIMIT 1) IN (SELECT value FROM json_each($sites))
                 FROM devices d WHERE d.device = $id ORDER BY d.valid_from DESC, d.id DESC
                 LIMIT 1), 0);

-- name: service.may_take_device
-- New, or never anywhere but at the sites: its token must not come to somebody of another site.
SELECT NOT EXISTS (SELECT 1 FROM devices d WHERE d.device = $id
                   AND coalesce((SELECT p.site FROM points p WHERE p.point = d.point
                                 ORDER BY p.id DESC LIMIT 1), '')
                       NOT IN (SELECT value FROM json_each($sites)))
   AND (EXISTS (SELECT 1 FROM devices d WHERE d.device = $id)
        OR NOT (EXISTS (SELECT 1 FROM tokens t WHERE t.device = $id)
                OR EXISTS (SELECT 1 FROM device_runs r WHERE r.device = $id)));

-- name: service.sees_code
SELECT (SELECT p.site FROM points p WHERE p.point = q.point ORDER BY p.id DESC LIMIT 1)
       IN (SELECT value FROM json_each($sites))
FROM qr_codes q WHERE q.code = $id;
