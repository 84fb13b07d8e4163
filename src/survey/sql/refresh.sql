-- name: refresh.dirty_hours
SELECT device, hour FROM survey_dirty_devices WHERE device = $device ORDER BY hour;

-- name: refresh.dirty_devices
-- Those with new events, and those whose clock was measured.
SELECT device FROM survey_dirty_devices
UNION
SELECT substr(target, 8) FROM clocks WHERE id > $seen_clocks AND substr(target, 1, 7) = 'device:'
ORDER BY device;

-- name: refresh.forget_hours
DELETE FROM survey_dirty_devices WHERE device = $device;

-- name: refresh.add_span
INSERT INTO survey_dirty_spans (point, from_at, to_at) VALUES ($point, $from, $to)
ON CONFLICT DO NOTHING;

-- name: refresh.last_events
-- Newest first, of those that are not ahead of every receipt that can have been.
SELECT at, arrived_at FROM events WHERE device = $device AND at < $to ORDER BY at DESC;

-- name: refresh.heard
SELECT heard_at FROM survey_heard WHERE device = $device;

-- name: refresh.set_heard
INSERT INTO survey_heard (device, heard_at) VALUES ($device, $heard)
ON CONFLICT (device) DO UPDATE SET heard_at = excluded.heard_at;

-- name: refresh.mark_unheard
-- Silent surveys that waited for a word of this panel and have it now.
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT point, opened_at, opened_at + 1 FROM surveys
WHERE point IN (SELECT point FROM devices WHERE device = $device AND role <> 'button')
  AND instr(flags, 'panel_unheard') AND closes_at > $from AND closes_at <= $to
ON CONFLICT DO NOTHING;

-- name: refresh.mark_less_heard
-- The opposite: a corrected clock moved the panel's last word before their end.
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT point, opened_at, opened_at + 1 FROM surveys
WHERE point IN (SELECT point FROM devices WHERE device = $device AND role <> 'button')
  AND opened_at > $from - 86400000000 AND opened_at < $to
  AND state = 'silent' AND closes_at > $from AND closes_at <= $to
ON CONFLICT DO NOTHING;

-- name: refresh.new_clocks
-- New measurements of a device's clock, with those that limit what they change: the ones before and
-- after, and the earliest moment that the clock showed since the one before, by any row.
SELECT c.at,
       (SELECT max(p.at) FROM clocks p WHERE p.target = c.target AND p.at < c.at) AS before_at,
       (SELECT min(n.at) FROM clocks n WHERE n.target = c.target AND n.at > c.at) AS after_at,
       (SELECT min(m.at + m.offset_us) FROM clocks m WHERE m.target = c.target AND m.at >= (
           SELECT max(p.at) FROM clocks p WHERE p.target = c.target AND p.at < c.at)) AS shown_from
FROM clocks c WHERE c.target = 'device:' || $device AND c.id > $seen;

-- name: refresh.mark_by_devices
-- A device's every point from the new pairing on: where it was, too, another pairing may have ended.
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT DISTINCT d.point, n.from_at, $end
FROM (SELECT device, min(valid_from) AS from_at FROM devices WHERE id > $seen GROUP BY device) n
JOIN devices d ON d.device = n.device
WHERE true ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_points
-- A new name changes nothing here; hours change what was opened from their date to the next one's,
-- give or take the zone and a night.
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT DISTINCT point,
       CASE WHEN stays AND hours_from <> ''
            THEN strftime('%s', hours_from) * 1000000 - 172800000000 ELSE -$end END,
       CASE WHEN stays THEN coalesce(strftime('%s', (
            SELECT min(m.hours_from) FROM points m
            WHERE m.point = n.point AND m.hours_from > n.hours_from)) * 1000000 + 172800000000, $end)
       ELSE $end END
FROM (SELECT p.point, p.hours_from,
             EXISTS (SELECT 1 FROM points w WHERE w.site = p.site AND w.id = (
                 SELECT max(o.id) FROM points o WHERE o.point = p.point AND o.id < p.id)) AS stays,
             p.hours IS (SELECT w.hours FROM points w WHERE w.id = (
                 SELECT max(o.id) FROM points o WHERE o.point = p.point
                 AND o.hours_from = p.hours_from AND o.id < p.id)) AS as_before
      FROM points p WHERE p.id > $seen) n
WHERE NOT (stays AND as_before)
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_sites
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT DISTINCT p.point,
       CASE WHEN stays AND n.hours_from <> ''
            THEN strftime('%s', n.hours_from) * 1000000 - 172800000000 ELSE -$end END,
       CASE WHEN stays THEN coalesce(strftime('%s', (
            SELECT min(m.hours_from) FROM sites m
            WHERE m.site = n.site AND m.hours_from > n.hours_from)) * 1000000 + 172800000000, $end)
       ELSE $end END
FROM (SELECT s.site, s.hours_from,
             EXISTS (SELECT 1 FROM sites w WHERE w.time_zone = s.time_zone AND w.id = (
                 SELECT max(o.id) FROM sites o WHERE o.site = s.site AND o.id < s.id)) AS stays,
             s.hours IS (SELECT w.hours FROM sites w WHERE w.id = (
                 SELECT max(o.id) FROM sites o WHERE o.site = s.site
                 AND o.hours_from = s.hours_from AND o.id < s.id)) AS as_before
      FROM sites s WHERE s.id > $seen) n
JOIN points p ON p.site = n.site
WHERE NOT (stays AND as_before)
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_questions
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT point, min(valid_from), $end FROM questions WHERE id > $seen GROUP BY point
ON CONFLICT DO NOTHING;

-- name: refresh.mark_by_shifts
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT DISTINCT s.point, s.valid_from,
       (SELECT max(o.valid_to) FROM shifts o WHERE o.point = s.point
        AND o.valid_from = s.valid_from AND o.employee = s.employee)
FROM shifts s WHERE s.id > $seen
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
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT point, opened_at, opened_at + 1 FROM surveys WHERE state = 'open' AND closes_at <= $now
ON CONFLICT DO NOTHING;

-- name: refresh.mark_all
INSERT INTO survey_dirty_spans (point, from_at, to_at)
SELECT DISTINCT point, -$end, $end FROM devices WHERE true
ON CONFLICT DO NOTHING;

-- name: refresh.seen
SELECT seen FROM survey_seen WHERE source = $source;

-- name: refresh.set_seen
INSERT INTO survey_seen (source, seen) VALUES ($source, $seen)
ON CONFLICT (source) DO UPDATE SET seen = excluded.seen;

-- name: refresh.next_point
-- Where devices were ever paired.
SELECT point FROM devices WHERE point > $after
  AND EXISTS (SELECT 1 FROM points p WHERE p.point = devices.point) ORDER BY point LIMIT 1;

-- name: refresh.next_span
SELECT point, from_at, to_at FROM survey_dirty_spans ORDER BY point, from_at LIMIT 1;

-- name: refresh.span_end
-- The end of the longest span that begins inside.
SELECT max(to_at) FROM survey_dirty_spans
WHERE point = $point AND from_at >= $from AND from_at <= $to;

-- name: refresh.forget_spans
DELETE FROM survey_dirty_spans WHERE point = $point AND from_at >= $from AND from_at <= $to;

-- name: refresh.point_waits
SELECT EXISTS (SELECT 1 FROM survey_dirty_spans WHERE point = $point);

-- name: refresh.forget_point
DELETE FROM survey_dirty_spans WHERE point = $point;

-- name: refresh.events
-- A page of a device's events in their order; signs of life matter to people only.
SELECT boot, seq, kind, at, channel, arrived_at FROM events
WHERE device = $device AND (at, boot, seq) > ($at, $boot, $seq)
  AND ($all OR kind NOT IN ('alive', 'bounce'))
ORDER BY at, boot, seq LIMIT $limit;

-- name: refresh.any_stale
SELECT EXISTS (SELECT 1 FROM survey_stale);

-- name: refresh.add_stale
INSERT INTO survey_stale (survey, point, opened_at) VALUES ($survey, $point, $opened_at)
ON CONFLICT (survey) DO UPDATE SET point = excluded.point, opened_at = excluded.opened_at;

-- name: refresh.drop_stale
DELETE FROM survey_stale WHERE survey = $survey;

-- name: refresh.next_stale
SELECT survey, point, opened_at FROM survey_stale ORDER BY survey LIMIT 1;

-- name: refresh.get_survey
SELECT survey, point, site, employee, question, question_kind, channel, opened_at, closes_at, state,
       answer, answered_at, extra_answers, late_answers, force_majeure, test, auto_void, auto_reason,
       flags, device_offset_us, device_uncertainty_us, placed_at
FROM surveys WHERE survey = $survey;

-- name: refresh.put_survey
INSERT INTO surveys (survey, point, site, employee, question, question_kind, channel, opened_at,
                     closes_at, state, answer, answered_at, extra_answers, late_answers,
                     force_majeure, test, auto_void, auto_reason, flags, device_offset_us,
                     device_uncertainty_us, placed_at)
VALUES ($survey, $point, $site, nullif($employee, ''), nullif($question, ''),
        nullif($question_kind, ''), $channel, $opened_at, $closes_at, $state, nullif($answer, ''),
        CASE WHEN $answer <> '' THEN $answered_at END, $extra_answers, $late_answers,
        $force_majeure, $test, $auto_void, nullif($auto_reason, ''), $flags, $device_offset_us, $device_uncertainty_us,
        $placed_at)
ON CONFLICT (survey) DO UPDATE SET
    point = excluded.point, site = excluded.site, employee = excluded.employee,
    question = excluded.question, question_kind = excluded.question_kind,
    channel = excluded.channel, opened_at = excluded.opened_at, closes_at = excluded.closes_at,
    state = excluded.state, answer = excluded.answer, answered_at = excluded.answered_at,
    extra_answers = excluded.extra_answers, late_answers = excluded.late_answers,
    force_majeure = excluded.force_majeure, test = excluded.test,
    auto_void = excluded.auto_void, auto_reason = excluded.auto_reason, flags = excluded.flags,
    device_offset_us = excluded.device_offset_us,
    device_uncertainty_us = excluded.device_uncertainty_us, placed_at = excluded.placed_at;

-- name: refresh.count_surveys
SELECT count(*) FROM surveys WHERE point = $point AND opened_at >= $from AND opened_at < $to;

-- name: refresh.survey_ids
SELECT survey AS id, opened_at AS at FROM surveys
WHERE point = $point AND opened_at >= $from AND opened_at < $to;

-- name: refresh.delete_survey
DELETE FROM surveys WHERE survey = $id;

-- name: refresh.add_history
INSERT INTO survey_history (survey, at, was, became) VALUES ($survey, $at, $was, $became);

-- name: refresh.has_history
SELECT EXISTS (SELECT 1 FROM survey_history WHERE survey = $survey);

-- name: refresh.put_rating
-- The employee is who alone was on shift; a corrected shift replaces the one of the same beginning.
INSERT INTO spontaneous (rating, point, site, answer, at, employee, channel, test, device_offset_us,
                         device_uncertainty_us, placed_at)
VALUES ($rating, $point, $site, $answer, $at,
        (SELECT CASE WHEN count(DISTINCT h.employee) = 1 THEN min(h.employee) END FROM shifts h
         WHERE h.point = $point AND h.valid_from <= $at AND h.valid_to > $at
           AND h.id = (SELECT max(g.id) FROM shifts g WHERE g.point = h.point
                       AND g.valid_from = h.valid_from AND g.employee = h.employee)),
        $channel, $test, $offset_us, $uncertainty_us, $now)
ON CONFLICT (rating) DO UPDATE SET
    point = excluded.point, site = excluded.site, answer = excluded.answer, at = excluded.at,
    employee = excluded.employee, channel = excluded.channel, test = excluded.test,
    device_offset_us = excluded.device_offset_us,
    device_uncertainty_us = excluded.device_uncertainty_us,
    placed_at = CASE WHEN point <> excluded.point OR at <> excluded.at THEN excluded.placed_at
                ELSE placed_at END
WHERE point <> excluded.point OR site <> excluded.site OR answer <> excluded.answer
   OR at <> excluded.at OR employee IS NOT excluded.employee OR channel <> excluded.channel
   OR test <> excluded.test OR device_offset_us <> excluded.device_offset_us
   OR device_uncertainty_us <> excluded.device_uncertainty_us;

-- name: refresh.count_ratings
SELECT count(*) FROM spontaneous WHERE point = $point AND at >= $from AND at < $to;

-- name: refresh.rating_ids
SELECT rating AS id, at FROM spontaneous WHERE point = $point AND at >= $from AND at < $to;

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
SELECT count(*) FROM force_majeure WHERE point = $point AND first_at >= $from AND first_at < $to;

-- name: refresh.situation_ids
SELECT situation AS id, first_at AS at FROM force_majeure
WHERE point = $point AND first_at >= $from AND first_at < $to;

-- name: refresh.delete_situation
DELETE FROM force_majeure WHERE situation = $id;
