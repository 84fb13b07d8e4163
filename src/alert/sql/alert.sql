-- name: alert.same_rule
SELECT 1 AS same FROM alert_rules
WHERE id = (SELECT max(id) FROM alert_rules WHERE rule = $rule)
  AND kind IS $kind AND place IS $where AND per IS $per AND count IS $count AND share_ppm IS $share
  AND window_us IS $window_min AND min_n IS $min_n AND again_us IS $again_min AND photo IS $photo
  AND send_to IS $to AND enabled IS $enabled;

-- name: alert.add_rule
INSERT INTO alert_rules (import, rule, kind, place, per, count, share_ppm, window_us, min_n,
                         again_us, photo, send_to, enabled)
VALUES ($import, $rule, $kind, $where, $per, $count, $share, $window_min, $min_n, $again_min,
        $photo, $to, $enabled);

-- name: alert.rules
SELECT rule, kind, place, per, count, share_ppm, window_us, min_n, again_us, photo, send_to, enabled
FROM alert_rules r WHERE id = (SELECT max(id) FROM alert_rules s WHERE s.rule = r.rule)
ORDER BY rule LIMIT $limit;

-- name: alert.knows_site
SELECT 1 AS known FROM sites WHERE site = $id LIMIT 1;

-- name: alert.knows_point
SELECT 1 AS known FROM points WHERE point = $id LIMIT 1;

-- name: alert.knows_group
SELECT 1 AS known FROM sites s WHERE site_group = $id
  AND id = (SELECT max(t.id) FROM sites t WHERE t.site = s.site) LIMIT 1;

-- name: alert.knows_destination
SELECT 1 AS known FROM destinations WHERE destination = $id LIMIT 1;

-- name: alert.destination_state
-- 2: messages are sent there; 1: it is at rest.
SELECT 1 + enabled AS state FROM destinations WHERE destination = $id ORDER BY id DESC LIMIT 1;

-- name: alert.place_is_heard
-- A device that is still paired there: a panel, a button, or a code on paper.
SELECT 1 AS heard FROM devices d JOIN points p ON p.point = d.point
JOIN sites s ON s.site = p.site
WHERE d.valid_to IS NULL
  AND p.id = (SELECT max(q.id) FROM points q WHERE q.point = p.point)
  AND s.id = (SELECT max(t.id) FROM sites t WHERE t.site = s.site)
  AND $place IN ('site:' || s.site, 'point:' || p.point, 'group:' || (SELECT n.site_group FROM site_groups n WHERE n.site = s.site)) LIMIT 1;

-- name: alert.news
SELECT kind, subject FROM alert_news ORDER BY kind, subject LIMIT $limit;

-- name: alert.forget_news
DELETE FROM alert_news WHERE kind = $kind AND subject = $subject;

-- name: alert.rating
SELECT site, point, answered_at, channel, spontaneous FROM negatives WHERE rating = $rating;

-- name: alert.commented
SELECT 1 FROM comments WHERE rating = $rating LIMIT 1;

-- name: alert.situation
SELECT site, point, first_at FROM force_majeure WHERE situation = $situation;

-- name: alert.rating_hits
-- When negative ratings came, of a point or of a site.
SELECT answered_at AS at FROM negatives
WHERE at >= $from AND at < $to AND ($point IS NULL OR point = $point)
  AND ($site IS NULL OR site = $site)
ORDER BY answered_at LIMIT $limit;

-- name: alert.situation_hits
SELECT first_at AS at FROM force_majeure
WHERE first_at >= $from AND first_at < $to AND ($point IS NULL OR point = $point)
  AND ($site IS NULL OR site = $site)
ORDER BY first_at LIMIT $limit;

-- name: alert.group_of
SELECT site_group FROM site_groups WHERE site = $site;

-- name: alert.recall
-- The latest alert of a key.
SELECT alert, at, opened_at, closed_at IS NULL AS is_open FROM alerts WHERE key = $key
ORDER BY alert DESC LIMIT 1;

-- name: alert.open
INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, detail, photo, send_to)
VALUES ($rule, $kind, $key, $subject, $site, $point, $at, $now, $detail, $photo, $send_to)
RETURNING alert;

-- name: alert.extend
UPDATE alerts SET at = $at, detail = $detail WHERE alert = $alert;

-- name: alert.close
UPDATE alerts SET closed_at = $now, closed_why = $why WHERE alert = $alert AND closed_at IS NULL;

-- name: alert.add_event
INSERT INTO alert_events (alert, event, at) VALUES ($alert, $event, $now);

-- name: alert.open_of_rating
SELECT alert FROM alerts WHERE subject = $rating AND kind = 'negative' AND closed_at IS NULL;

-- name: alert.open_counts
-- Open alerts of a rule whose window may be over.
SELECT key, subject, site, point FROM alerts
WHERE rule = $rule AND closed_at IS NULL AND at <= $until ORDER BY alert;

-- name: alert.open_keys
SELECT key, subject, site, point FROM alerts WHERE rule = $rule AND closed_at IS NULL
ORDER BY alert;

-- name: alert.silent_by_point
SELECT point AS place, site, point, count(*) AS total, sum(state = 'silent') AS hits
FROM surveys WHERE opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0
  AND auto_void = 0 AND channel = 'panel'
GROUP BY point, site ORDER BY point;

-- name: alert.silent_by_site
SELECT site AS place, site, NULL AS point, count(*) AS total, sum(state = 'silent') AS hits
FROM surveys WHERE opened_at >= $from AND opened_at < $to AND state <> 'open' AND test = 0
  AND auto_void = 0 AND channel = 'panel'
GROUP BY site ORDER BY site;

-- name: alert.invalid_by_point
SELECT s.point AS place, s.site, s.point, count(*) AS total, sum(r.verdict = 'invalid') AS hits
FROM rulings r JOIN surveys s ON s.survey = r.survey
WHERE r.at >= $from AND r.at < $to AND r.verdict <> 'undeterminable'
GROUP BY s.point, s.site ORDER BY s.point;

-- name: alert.invalid_by_site
SELECT s.site AS place, s.site, NULL AS point, count(*) AS total,
       sum(r.verdict = 'invalid') AS hits
FROM rulings r JOIN surveys s ON s.survey = r.survey
WHERE r.at >= $from AND r.at < $to AND r.verdict <> 'undeterminable'
GROUP BY s.site ORDER BY s.site;

-- name: alert.quiet_points
-- Points that had surveys in the month before and have had none since.
SELECT p.point AS place, p.site, p.point,
       (SELECT max(s.opened_at) FROM surveys s WHERE s.point = p.point AND s.opened_at <= $now) AS last
FROM points p
WHERE p.id = (SELECT max(q.id) FROM points q WHERE q.point = p.point)
  AND last < $quiet_since AND last >= $month
ORDER BY p.point;

-- name: alert.open_appeals
-- Appeals without a decision that are due before a moment.
SELECT 'appeal:' || a.appeal AS place, s.site, s.point, a.at, a.asks, a.due_at
FROM open_appeals a JOIN subjects s ON s.survey = a.survey
WHERE a.due_at < $due ORDER BY a.appeal;

-- name: alert.broken_archives
-- Archives that do not answer, with what is at risk there.
SELECT t.archive AS place, NULL AS site, NULL AS point,
       (SELECT count(*) FROM jobs j WHERE j.archive = t.archive AND j.state = 'waiting') AS waiting,
       (SELECT min(j.lost_at) FROM jobs j WHERE j.archive = t.archive AND j.state = 'waiting')
           AS lost_at,
       t.code
FROM archive_turns t WHERE t.failures > 0
UNION ALL
SELECT a.archive, NULL, NULL, count(*), min(j.lost_at), max(j.code)
FROM archives a JOIN jobs j ON j.archive = a.archive
WHERE a.id = (SELECT max(b.id) FROM archives b WHERE b.archive = a.archive)
  AND j.state = 'waiting' AND j.attempts > 0 AND j.code = 'archive_refused'
  AND NOT EXISTS (SELECT 1 FROM archive_turns t WHERE t.archive = a.archive AND t.failures > 0)
GROUP BY a.archive ORDER BY 1;

-- name: alert.jumped_archives
-- Archives whose clock was found set within a week, until a person measures it.
SELECT l.archive AS place, NULL AS site, NULL AS point, l.offset_us FROM archive_looks l
WHERE l.jumped_at > $week_ago AND NOT EXISTS (
    SELECT 1 FROM clocks c WHERE c.target = 'archive:' || l.archive AND c.at > l.jumped_at
    AND c.method IN ('manual', 'import'))
ORDER BY l.archive;

-- name: alert.site_of_point
SELECT site FROM points WHERE point = $point ORDER BY id DESC LIMIT 1;

-- name: alert.list
SELECT alert, rule, kind, subject, site, point, at, opened_at, closed_at, closed_why, detail, photo,
       send_to, acked_at, acked_by, note
FROM alerts
WHERE alert < $before AND ($alert IS NULL OR alert = $alert)
  AND ($sites IS NULL OR site IN (SELECT value FROM json_each($sites)))
  AND ($site IS NULL OR site = $site) AND ($point IS NULL OR point = $point)
  AND ($kind IS NULL OR kind = $kind) AND ($rule IS NULL OR rule = $rule)
  AND ($open < 0 OR (closed_at IS NULL) = $open) AND ($acked < 0 OR (acked_at IS NOT NULL) = $acked)
ORDER BY alert DESC LIMIT $limit;

-- name: alert.ack
UPDATE alerts SET acked_at = $now, acked_by = $user, note = $note
WHERE alert = $alert AND acked_at IS NULL;

-- name: alert.exists
SELECT 1 FROM alerts WHERE alert = $alert;
