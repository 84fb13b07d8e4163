-- name: programme.add
INSERT INTO programmes (programme, at, author, paused, settings)
VALUES ($programme, $now, $author, $paused, $settings) RETURNING id;

-- name: programme.get
SELECT paused, settings FROM programmes WHERE programme = $programme AND at <= $at
ORDER BY id DESC LIMIT 1;

-- name: programme.list
SELECT DISTINCT programme FROM programmes ORDER BY programme;

-- name: programme.days
SELECT d.day, d.audit, d.problem, a.state, a.frame_size,
       (SELECT count(*) FROM audit_sample m WHERE m.audit = d.audit) AS sample,
       -- surveys, not items: one may have two experts and a third
       (SELECT count(*) FROM (SELECT 1 FROM review_items i
                              WHERE i.audit = d.audit AND i.origin = 'random' AND i.part < 3
                              GROUP BY i.survey HAVING sum(i.state = 'open') = 0)) AS reviewed
FROM programme_days d JOIN audits a ON a.audit = d.audit
WHERE d.programme = $programme ORDER BY d.day DESC LIMIT $most;

-- name: programme.waiting
SELECT count(*) FROM review_items i JOIN programme_days d ON d.audit = i.audit
WHERE d.programme = $programme AND i.state = 'open';

-- name: programme.seconds
-- The median of the seconds that experts took for its items, among the newest 1000.
WITH newest AS (
    SELECT v.active_s FROM verdicts v JOIN programme_days d ON d.audit = v.audit
    WHERE d.programme = $programme AND v.counted = 1 AND v.verdict <> 'undone' AND v.active_s > 0
    ORDER BY v.id DESC LIMIT 1000
)
SELECT CAST(ceil(active_s) AS INTEGER) FROM newest ORDER BY active_s
LIMIT 1 OFFSET (SELECT count(*) / 2 FROM newest);

-- name: programme.day
SELECT d.audit, d.tried_at, d.problem, d.reported_at, a.state
FROM programme_days d JOIN audits a ON a.audit = d.audit
WHERE d.programme = $programme AND d.day = $day;

-- name: programme.add_day
INSERT INTO programme_days (programme, day, audit) VALUES ($programme, $day, $audit);

-- name: programme.set_problem
UPDATE programme_days SET problem = $problem, tried_at = $now
WHERE programme = $programme AND day = $day;

-- name: programme.try_again
UPDATE programme_days SET tried_at = 0 WHERE programme = $programme AND day = $day;

-- name: programme.set_reported
UPDATE programme_days SET reported_at = $now WHERE programme = $programme AND day = $day;

-- name: programme.unfinished
-- Days that have steps to take by themselves, oldest first.
SELECT d.day, d.audit, d.tried_at, d.problem, a.state
FROM programme_days d JOIN audits a ON a.audit = d.audit
WHERE d.programme = $programme AND a.state NOT IN ('closed', 'abandoned')
  AND NOT (a.state = 'drawn'
           AND EXISTS (SELECT 1 FROM review_items i WHERE i.audit = d.audit AND i.state = 'open'))
  -- decided, and the plan allows a further round: that may be drawn for a day
  AND NOT (a.state = 'drawn'
           AND json_extract(a.plan, '$.looks') > (SELECT max(round) FROM audit_sample m WHERE m.audit = d.audit)
           AND EXISTS (SELECT 1 FROM verdicts v WHERE v.audit = d.audit AND v.at > $before))
ORDER BY d.day LIMIT 1000;

-- name: programme.last_day
SELECT max(day) AS day FROM programme_days WHERE programme = $programme;

-- name: programme.drawn_days
SELECT d.day, d.audit, json_extract(a.plan, '$.looks') AS looks FROM programme_days d JOIN audits a ON a.audit = d.audit
WHERE d.programme = $programme AND a.state IN ('drawn', 'closed')
  AND ($from IS NULL OR d.day >= $from) AND ($to IS NULL OR d.day <= $to)
ORDER BY d.day LIMIT $most;

-- name: programme.unreported
SELECT d.day FROM programme_days d JOIN audits a ON a.audit = d.audit
WHERE d.programme = $programme AND a.state = 'closed' AND d.reported_at IS NULL
ORDER BY d.day LIMIT 1;

-- name: programme.commit
INSERT INTO programme_secrets (programme, day, who, commitment, committed_at)
VALUES ($programme, $day, $who, $commitment, $now);

-- name: programme.secret
SELECT commitment, secret FROM programme_secrets
WHERE programme = $programme AND day = $day AND who = $who;

-- name: programme.reveal
UPDATE programme_secrets SET secret = $secret, revealed_at = $now
WHERE programme = $programme AND day = $day AND who = $who;

-- name: programme.pinned_at
SELECT at FROM audit_steps WHERE audit = $audit AND step = 'checkpoint' ORDER BY id DESC LIMIT 1;
