-- name: past.attach
ATTACH DATABASE $path AS now;

-- name: past.detach
DETACH DATABASE now;

-- name: past.copy_imports
INSERT INTO main.imports SELECT * FROM now.imports;

-- name: past.copy_sites
INSERT INTO main.sites SELECT * FROM now.sites
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_sites
SELECT max(id) FROM sites;

-- name: past.copy_points
INSERT INTO main.points SELECT * FROM now.points
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_points
SELECT max(id) FROM points;

-- name: past.copy_devices
INSERT INTO main.devices SELECT * FROM now.devices
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_devices
SELECT max(id) FROM devices;

-- name: past.copy_placements
INSERT INTO main.placements SELECT * FROM now.placements
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_placements
SELECT max(id) FROM placements;

-- name: past.copy_questions
INSERT INTO main.questions SELECT * FROM now.questions
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_questions
SELECT max(id) FROM questions;

-- name: past.copy_employees
INSERT INTO main.employees SELECT * FROM now.employees
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_employees
SELECT max(id) FROM employees;

-- name: past.copy_shifts
INSERT INTO main.shifts SELECT * FROM now.shifts
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_shifts
SELECT max(id) FROM shifts;

-- name: past.copy_counts
INSERT INTO main.counts SELECT * FROM now.counts
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_counts
SELECT max(id) FROM counts;

-- name: past.copy_transactions
INSERT INTO main.transactions SELECT * FROM now.transactions
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_transactions
SELECT max(id) FROM transactions;

-- name: past.copy_clocks
INSERT INTO main.clocks SELECT * FROM now.clocks
WHERE id <= $newest AND import IN (SELECT import FROM now.imports WHERE at <= $at);

-- name: past.newest_clocks
SELECT max(id) FROM clocks;

-- name: past.copy_review_items
-- All of them: nothing but decisions makes a difference, and their numbers go by chance.
INSERT INTO main.review_items (item, audit, survey, place, origin, state, part, reader)
SELECT item, audit, survey, place, origin, state, part, reader FROM now.review_items
WHERE $newest IS NOT NULL AND $at IS NOT NULL;

-- name: past.newest_review_items
SELECT count(*) FROM review_items;

-- name: past.copy_verdicts
INSERT INTO main.verdicts SELECT * FROM now.verdicts WHERE id <= $newest AND at <= $at;

-- name: past.newest_verdicts
SELECT max(id) FROM verdicts;

-- name: past.copy_appeals
INSERT INTO main.appeals SELECT * FROM now.appeals WHERE appeal <= $newest AND at <= $at;

-- name: past.newest_appeals
SELECT max(appeal) FROM appeals;

-- name: past.copy_appeal_decisions
INSERT INTO main.appeal_decisions SELECT * FROM now.appeal_decisions WHERE id <= $newest AND at <= $at;

-- name: past.newest_appeal_decisions
SELECT max(id) FROM appeal_decisions;

-- name: past.copy_escalations
INSERT INTO main.escalations SELECT * FROM now.escalations WHERE escalation <= $newest AND at <= $at;

-- name: past.newest_escalations
SELECT max(escalation) FROM escalations;

-- name: past.copy_escalation_decisions
INSERT INTO main.escalation_decisions SELECT * FROM now.escalation_decisions
WHERE id <= $newest AND at <= $at;

-- name: past.newest_escalation_decisions
SELECT max(id) FROM escalation_decisions;

-- name: past.copy_escalation_items
INSERT INTO main.escalation_items SELECT * FROM now.escalation_items WHERE id <= $newest AND at <= $at;

-- name: past.newest_escalation_items
SELECT max(id) FROM escalation_items;

-- name: past.copy_voids
INSERT INTO main.voids SELECT * FROM now.voids WHERE id <= $newest AND at <= $at;

-- name: past.newest_voids
SELECT max(id) FROM voids;

-- name: past.copy_attributions
INSERT INTO main.attributions SELECT * FROM now.attributions WHERE id <= $newest AND at <= $at;

-- name: past.newest_attributions
SELECT max(id) FROM attributions;

-- name: past.copy_audit_steps
INSERT INTO main.audit_steps SELECT * FROM now.audit_steps WHERE id <= $newest AND at <= $at;

-- name: past.newest_audit_steps
SELECT max(id) FROM audit_steps;

-- name: past.copy_audits
-- An audit stood where its last step had led it.
INSERT INTO main.audits (audit, title, state, period_from, period_to, plan, frame_sha256, frame_size,
                         seed, created_at, created_by)
SELECT a.audit, a.title,
       CASE (SELECT s.step FROM now.audit_steps s
             WHERE s.audit = a.audit AND s.id <= $newest AND s.at <= $at
               AND s.step NOT IN ('report', 'sign', 'export')
             ORDER BY s.id DESC LIMIT 1)
           WHEN 'plan' THEN 'planned' WHEN 'freeze' THEN 'frozen'
           WHEN 'checkpoint' THEN 'checkpointed' WHEN 'seed' THEN 'seeded'
           WHEN 'draw' THEN 'drawn' WHEN 'extend' THEN 'drawn' WHEN 'close' THEN 'closed' ELSE 'abandoned' END,
       a.period_from, a.period_to, a.plan, a.frame_sha256, a.frame_size, a.seed, a.created_at,
       a.created_by
FROM now.audits a
WHERE EXISTS (SELECT 1 FROM now.audit_steps s
              WHERE s.audit = a.audit AND s.id <= $newest AND s.at <= $at);

-- name: past.copy_frames
INSERT INTO main.audit_frame SELECT f.* FROM now.audit_frame f
WHERE f.audit IN (SELECT audit FROM main.audit_steps WHERE step = 'freeze');

-- name: past.copy_samples
-- The rounds drawn by then.
INSERT INTO main.audit_sample SELECT m.* FROM now.audit_sample m
WHERE m.round <= (SELECT count(*) FROM main.audit_steps s
                  WHERE s.audit = m.audit AND s.step IN ('draw', 'extend'));

-- name: past.copy_events
INSERT INTO main.events SELECT * FROM now.events WHERE arrived_at <= $at;

-- name: past.make_runs
-- What intake keeps beside the events.
INSERT INTO main.device_runs (device, boot, first_seq, last_seq, events, arrived_at, ahead_us,
                              ahead_at)
SELECT device, boot, min(seq), max(seq), count(*),
       (SELECT max(e.arrived_at) FROM main.events e WHERE e.device = x.device AND e.boot = x.boot),
       max(at - arrived_at), at
FROM main.events x GROUP BY device, boot;

-- name: past.newest_arrival
SELECT max(arrived_at) FROM device_runs;

-- name: past.set_fence
UPDATE arrival_fence SET at = max(at, $at);

-- name: past.copy_kpi_weights
INSERT INTO main.kpi_weights SELECT * FROM now.kpi_weights WHERE id <= $newest AND at <= $at;

-- name: past.newest_kpi_weights
SELECT max(id) FROM kpi_weights;
