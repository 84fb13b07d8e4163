-- name: notify.same_destination
SELECT 1 AS same FROM destinations
WHERE id = (SELECT max(id) FROM destinations WHERE destination = $destination)
  AND kind IS $kind AND url IS $url AND chat IS $chat AND secret IS $secret
  AND old_secret IS $old_secret AND language IS $language AND time_zone IS $time_zone
  AND quiet IS $quiet AND photo IS $photo AND enabled IS $enabled AND address IS $address
  AND sender IS $sender AND user IS $user AND tls IS $tls;

-- name: notify.owner_of_secret
-- An archive whose password a secret is or was; of mail, whose server is told it, also a destination
-- of another kind.
SELECT 'archive ' || archive AS owner FROM archives
WHERE secret <> '' AND secret IN ($secret, $old_secret)
UNION ALL
SELECT 'destination ' || destination FROM destinations
WHERE $kind = 'email' AND kind <> 'email' AND secret <> '' AND $secret IN (secret, old_secret)
LIMIT 1;

-- name: notify.add_destination
INSERT INTO destinations (import, destination, kind, url, chat, secret, old_secret, language,
                          time_zone, quiet, photo, enabled, address, sender, user, tls)
VALUES ($import, $destination, $kind, $url, $chat, $secret, $old_secret, $language, $time_zone,
        $quiet, $photo, $enabled, $address, $sender, $user, $tls);

-- name: notify.count_others
SELECT count(DISTINCT destination) FROM destinations WHERE destination <> $destination;

-- name: notify.destinations
SELECT destination, kind, url, chat, secret, old_secret, language, time_zone, quiet, photo, enabled,
       address, sender, user, tls
FROM destinations d
WHERE id = (SELECT max(id) FROM destinations e WHERE e.destination = d.destination)
ORDER BY destination;

-- name: notify.still
SELECT sha256 FROM evidence WHERE survey = $survey AND kind = 'still' ORDER BY id DESC LIMIT 1;

-- name: notify.events
SELECT e.id, e.alert, e.event, a.kind, a.photo, a.send_to
FROM alert_events e JOIN alerts a ON a.alert = e.alert
WHERE e.id > (SELECT event FROM notify_seen) ORDER BY e.id LIMIT $limit;

-- name: notify.see
UPDATE notify_seen SET event = $event;

-- name: notify.find_key
SELECT delivery FROM deliveries WHERE key = $key;

-- name: notify.count_waiting
SELECT count(*) FROM (SELECT 1 FROM deliveries
                      WHERE destination = $destination AND state = 'waiting' AND kind <> 'test'
                      LIMIT $limit);

-- name: notify.add
INSERT INTO deliveries (destination, kind, alert, event, key, body, photo, state, next_at,
                        give_up_at, made_at, ended_at, reason)
VALUES ($destination, $kind, nullif($alert, 0), $event, $key, $body, $photo, $state, $now, $give_up,
        $now, CASE $state WHEN 'dead' THEN $now END, $reason)
RETURNING delivery;

-- name: notify.quiet
-- What has not been tried yet waits for the end of quiet hours; what has been, and mail that was
-- written for itself, goes after them.
UPDATE deliveries SET state = CASE WHEN attempts = 0 AND kind IN ('alert', 'digest') THEN 'held' ELSE state END,
                      next_at = max(next_at, $until)
WHERE destination = $destination AND state = 'waiting' AND kind <> 'test' AND next_at < $until
  AND (lease_until IS NULL OR lease_until <= $now);

-- name: notify.any_held
SELECT count(*) FROM (SELECT 1 FROM deliveries
                      WHERE destination = $destination AND state = 'held' LIMIT 2);

-- name: notify.held
SELECT delivery, alert, event FROM deliveries WHERE destination = $destination AND state = 'held'
ORDER BY delivery LIMIT $limit;

-- name: notify.count_held
SELECT count(*) FROM deliveries WHERE destination = $destination AND state = 'held';

-- name: notify.merge
UPDATE deliveries SET state = 'merged', ended_at = $now, reason = $reason
WHERE destination = $destination AND state = 'held';

-- name: notify.release
UPDATE deliveries SET state = 'waiting', next_at = $now, give_up_at = $give_up
WHERE destination = $destination AND state = 'held';

-- name: notify.heads
-- The oldest waiting message of each destination, and its oldest test: somebody waits for that, and
-- neither holds back the other.
SELECT d.delivery, d.destination, d.kind, d.alert, d.event, d.key, d.body, d.photo, d.attempts,
       d.next_at, d.lease_until, d.give_up_at, d.made_at
FROM deliveries d
WHERE d.delivery IN (SELECT min(w.delivery) FROM deliveries w WHERE w.state = 'waiting'
                     GROUP BY w.destination, w.kind = 'test')
ORDER BY d.kind = 'test' DESC, d.delivery;

-- name: notify.claim
UPDATE deliveries SET attempts = attempts + 1, lease_until = $until
WHERE delivery = $delivery AND state = 'waiting' AND (lease_until IS NULL OR lease_until <= $now);

-- name: notify.postpone
UPDATE deliveries SET next_at = $next WHERE delivery = $delivery AND state = 'waiting';

-- name: notify.settle
UPDATE deliveries SET state = $state, next_at = $next, lease_until = NULL, status = nullif($status, 0),
                      reason = $reason, ended_at = CASE $state WHEN 'waiting' THEN NULL ELSE $now END
WHERE delivery = $delivery AND state = 'waiting';

-- name: notify.unlease
UPDATE deliveries SET lease_until = NULL, attempts = attempts - 1
WHERE delivery = $delivery AND state = 'waiting';

-- name: notify.disclose
INSERT INTO access_log (at, user, action, subject, detail)
VALUES ($now, $user, 'disclose', $sha256, $detail);

-- name: notify.forget
DELETE FROM deliveries WHERE delivery IN (
    SELECT delivery FROM deliveries WHERE ended_at IS NOT NULL AND ended_at < $before LIMIT 500);

-- name: notify.retry
UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = $now, give_up_at = $give_up,
                      ended_at = NULL
WHERE state = 'dead' AND body <> '' AND ($delivery = 0 OR delivery = $delivery);

-- name: notify.list
-- behind: the message of the same destination that is sent before it.
SELECT delivery, destination, kind, alert, event, key, state, attempts, next_at, made_at, ended_at,
       status, reason,
       CASE state WHEN 'waiting' THEN
           (SELECT min(w.delivery) FROM deliveries w
            WHERE w.destination = d.destination AND w.state = 'waiting' AND w.delivery < d.delivery
              AND (w.kind = 'test') = (d.kind = 'test')) END AS behind
FROM deliveries d
WHERE ($destination IS NULL OR destination = $destination) AND ($state IS NULL OR state = $state)
  AND ($delivery = 0 OR delivery = $delivery)
ORDER BY delivery DESC LIMIT $limit;

-- name: notify.counts
SELECT sum(state = 'waiting') AS waiting, sum(state = 'held') AS held, sum(state = 'dead') AS dead,
       max(CASE state WHEN 'sent' THEN ended_at END) AS last_sent_at,
       (SELECT reason FROM deliveries w WHERE w.destination = $destination AND w.state = 'waiting'
          AND w.kind <> 'test' ORDER BY w.delivery LIMIT 1) AS trouble
FROM deliveries WHERE destination = $destination;

-- name: notify.knows_user
SELECT count(*) FROM users WHERE user = $user;

-- name: notify.knows_destination
SELECT count(*) FROM destinations WHERE destination = $destination;

-- name: notify.add_person
INSERT INTO user_destinations (user, destination, at, author)
VALUES ($user, $destination, $now, $author);

-- name: notify.person
SELECT destination FROM user_destinations WHERE user = $user ORDER BY id DESC LIMIT 1;

-- name: notify.any_decided
SELECT count(*) FROM (SELECT 1 FROM appeal_decisions
                      WHERE id > (SELECT appeal_decision FROM notify_seen) LIMIT 1);

-- name: notify.decided_appeals
-- Who took an appeal back knows.
SELECT d.id, d.outcome, a.appeal, a.survey, s.site, s.point, coalesce(s.opened_at, a.at) AS opened_at,
       CASE WHEN d.outcome <> 'withdrawn' THEN
           (SELECT p.destination FROM user_destinations p WHERE p.user = a.user
            ORDER BY p.id DESC LIMIT 1) END AS destination
FROM appeal_decisions d JOIN appeals a ON a.appeal = d.appeal
LEFT JOIN subjects s ON s.survey = a.survey
WHERE d.id > (SELECT appeal_decision FROM notify_seen) ORDER BY d.id LIMIT $limit;

-- name: notify.see_appeals
UPDATE notify_seen SET appeal_decision = $id;
