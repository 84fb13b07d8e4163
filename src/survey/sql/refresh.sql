-- name: refresh.mark_by_events
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM devices
WHERE device IN (SELECT device FROM survey_dirty_devices)
ON CONFLICT DO NOTHING;

-- name: refresh.forget_devices
DELETE FROM survey_dirty_devices;

-- name: refresh.mark_by_devices
-- A device's every point: where it was, too, another pairing may have ended.
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM devices
WHERE device IN (SELECT device FROM devices WHERE id > $seen)
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_clocks
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM devices
WHERE 'device:' || device IN (SELECT target FROM clocks WHERE id > $seen)
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_points
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM points WHERE id > $seen
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_sites
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM points WHERE site IN (SELECT site FROM sites WHERE id > $seen)
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_questions
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM questions WHERE id > $seen
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_shifts
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM shifts WHERE id > $seen
ON CONFLICT DO NOTHING;

-- name: refresh.newest_devices
SELECT max(id) FROM devices;

-- name: refresh.newest_clocks
SELECT max(id) FROM clocks;

-- name: refresh.newest_points
SELECT max(id) FROM points;

-- name: refresh.newest_sites
SELECT max(id) FROM sites;

-- name: refresh.newest_questions
SELECT max(id) FROM questions;

-- name: refresh.newest_shifts
SELECT max(id) FROM shifts;

-- name: refresh.mark_due
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM surveys WHERE state = 'open' AND closes_at <= $now
ON CONFLICT DO NOTHING;

-- name: refresh.mark_all
INSERT INTO survey_dirty_points (point)
SELECT DISTINCT point FROM devices WHERE true
ON CONFLICT DO NOTHING;

-- name: refresh.seen
SELECT seen FROM survey_seen WHERE source = $source;

-- name: refresh.set_seen
INSERT INTO survey_seen (source, seen) VALUES ($source, $seen)
ON CONFLICT (source) DO UPDATE SET seen = excluded.seen;

-- name: refresh.pending
SELECT EXISTS (SELECT 1 FROM survey_dirty_points);

-- name: refresh.next_point
SELECT point FROM survey_dirty_points ORDER BY point LIMIT 1;

-- name: refresh.forget_point
DELETE FROM survey_dirty_points WHERE point = $point;

-- name: refresh.events
SELECT boot, seq, kind, at, channel, arrived_at FROM events
WHERE device = $device AND at >= $from AND at < $to
ORDER BY at;

-- name: refresh.get_survey
SELECT survey, point, site, employee, question, question_kind, channel, opened_at, closes_at, state,
       answer, answered_at, extra_answers, late_answers, force_majeure, test, auto_void, flags,
       device_offset_us, device_uncertainty_us, placed_at
FROM surveys WHERE survey = $survey;

-- name: refresh.put_survey
INSERT INTO surveys (survey, point, site, employee, question, question_kind, channel, opened_at,
                     closes_at, state, answer, answered_at, extra_answers, late_answers,
                     force_majeure, test, auto_void, flags, device_offset_us,
                     device_uncertainty_us, placed_at)
VALUES ($survey, $point, $site, nullif($employee, ''), nullif($question, ''),
        nullif($question_kind, ''), $channel, $opened_at, $closes_at, $state, nullif($answer, ''),
        CASE WHEN $answer <> '' THEN $answered_at END, $extra_answers, $late_answers,
        $force_majeure, $test, $auto_void, $flags, $device_offset_us, $device_uncertainty_us,
        $placed_at)
ON CONFLICT (survey) DO UPDATE SET
    point = excluded.point, site = excluded.site, employee = excluded.employee,
    question = excluded.question, question_kind = excluded.question_kind,
    channel = excluded.channel, opened_at = excluded.opened_at, closes_at = excluded.closes_at,
    state = excluded.state, answer = excluded.answer, answered_at = excluded.answered_at,
    extra_answers = excluded.extra_answers, late_answers = excluded.late_answers,
    force_majeure = excluded.force_majeure, test = excluded.test,
    auto_void = excluded.auto_void, flags = excluded.flags,
    device_offset_us = excluded.device_offset_us,
    device_uncertainty_us = excluded.device_uncertainty_us, placed_at = excluded.placed_at;

-- name: refresh.count_surveys
SELECT count(*) FROM surveys WHERE point = $point;

-- name: refresh.survey_ids
SELECT survey AS id FROM surveys WHERE point = $point;

-- name: refresh.delete_survey
DELETE FROM surveys WHERE survey = $id;

-- name: refresh.add_history
INSERT INTO survey_history (survey, at, was, became) VALUES ($survey, $at, $was, $became);

-- name: refresh.has_history
SELECT EXISTS (SELECT 1 FROM survey_history WHERE survey = $survey);

-- name: refresh.put_rating
INSERT INTO spontaneous (rating, point, site, answer, at, channel, test, device_offset_us,
                         device_uncertainty_us, placed_at)
VALUES ($rating, $point, $site, $answer, $at, $channel, $test, $offset_us, $uncertainty_us, $now)
ON CONFLICT (rating) DO UPDATE SET
    point = excluded.point, site = excluded.site, answer = excluded.answer, at = excluded.at,
    channel = excluded.channel, test = excluded.test,
    device_offset_us = excluded.device_offset_us,
    device_uncertainty_us = excluded.device_uncertainty_us,
    placed_at = CASE WHEN point <> excluded.point OR at <> excluded.at THEN excluded.placed_at
                ELSE placed_at END
WHERE point <> excluded.point OR site <> excluded.site OR answer <> excluded.answer
   OR at <> excluded.at OR channel <> excluded.channel OR test <> excluded.test
   OR device_offset_us <> excluded.device_offset_us
   OR device_uncertainty_us <> excluded.device_uncertainty_us;

-- name: refresh.count_ratings
SELECT count(*) FROM spontaneous WHERE point = $point;

-- name: refresh.rating_ids
SELECT rating AS id FROM spontaneous WHERE point = $point;

-- name: refresh.delete_rating
DELETE FROM spontaneous WHERE rating = $id;

-- name: refresh.put_situation
INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds, hold_after_no)
VALUES ($situation, $point, $site, $first_at, $until_at, $holds, $hold_after_no)
ON CONFLICT (situation) DO UPDATE SET
    point = excluded.point, site = excluded.site, first_at = excluded.first_at,
    until_at = excluded.until_at, holds = excluded.holds, hold_after_no = excluded.hold_after_no
WHERE point <> excluded.point OR site <> excluded.site OR first_at <> excluded.first_at
   OR until_at <> excluded.until_at OR holds <> excluded.holds
   OR hold_after_no <> excluded.hold_after_no;

-- name: refresh.count_situations
SELECT count(*) FROM force_majeure WHERE point = $point;

-- name: refresh.situation_ids
SELECT situation AS id FROM force_majeure WHERE point = $point;

-- name: refresh.delete_situation
DELETE FROM force_majeure WHERE situation = $id;
