-- name: target.subject
SELECT state = 'open' AS open FROM subjects WHERE survey = $survey;

-- name: target.waiting
SELECT item FROM review_items WHERE survey = $survey AND origin = 'targeted' AND state = 'open';

-- name: target.add
-- One more look at a survey; `audit` tells targeted looks apart from those of audits.
INSERT INTO review_items (audit, survey, place, origin, state)
VALUES ($audit, $survey, (SELECT coalesce(max(place), 0) + 1 FROM review_items
                          WHERE origin = 'targeted'), 'targeted', 'open')
RETURNING item;

-- name: target.looks
SELECT count(*) FROM review_items WHERE survey = $survey AND origin = 'targeted';

-- name: target.add_job
INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)
VALUES ($kind, $survey, 1, (SELECT lost_at FROM survey_lost WHERE survey = $survey), 'waiting',
        $now, $now)
ON CONFLICT (kind, survey, audit) DO UPDATE SET class = min(class, excluded.class);

-- name: target.note
INSERT INTO access_log (at, user, action, subject, detail)
VALUES ($now, $user, 'target', $survey, $reason);
