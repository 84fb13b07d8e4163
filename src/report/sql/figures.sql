-- name: figures.evidence
-- What the random sample of an audit gave per site.
SELECT f.site, count(*) AS reviewed, sum(v.verdict = 'undeterminable') AS undeterminable
FROM standing v
JOIN audit_frame f ON f.audit = v.audit AND f.survey = v.survey
WHERE v.audit = $audit AND v.origin = 'random'
GROUP BY f.site ORDER BY f.site;

-- name: figures.version
-- How far each kind of fact goes that figures are made from.
SELECT (SELECT coalesce(sum(events), 0) FROM device_runs) AS events,
       (SELECT coalesce(max(id), 0) FROM verdicts) AS verdicts,
       (SELECT coalesce(max(id), 0) FROM voids) AS voids,
       (SELECT coalesce(max(id), 0) FROM attributions) AS attributions,
       (SELECT coalesce(max(id), 0) FROM shifts) AS shifts,
       (SELECT coalesce(max(id), 0) FROM questions) AS questions,
       (SELECT coalesce(max(id), 0) FROM sites) AS sites,
       (SELECT coalesce(max(id), 0) FROM points) AS points,
       (SELECT coalesce(max(id), 0) FROM devices) AS devices,
       (SELECT coalesce(max(id), 0) FROM clocks) AS clocks,
       (SELECT coalesce(max(id), 0) FROM counts) AS counts,
       (SELECT coalesce(max(id), 0) FROM transactions) AS transactions;

-- name: figures.breaks
-- Where a point's question, its window or its cameras changed, or the weight k everywhere: figures
-- before and after are not of one series. The first row of a point changes nothing.
WITH told AS ( -- the rows that stand
    SELECT * FROM questions q
    WHERE q.id = (SELECT max(r.id) FROM questions r WHERE r.point = q.point
                  AND r.question = q.question AND r.valid_from = q.valid_from)
), turns AS ( -- where a row begins or ends
    SELECT point, valid_from AS at FROM told
    UNION SELECT point, valid_to FROM told WHERE valid_to IS NOT NULL
), asked AS ( -- what is asked from there on
    SELECT t.point, t.at, q.question, q.window_us, q.text, q.kind,
           lag(q.question) OVER w AS question_before, lag(q.window_us) OVER w AS window_before,
           lag(q.text) OVER w AS text_before, lag(q.kind) OVER w AS kind_before
    FROM turns t
    JOIN told q ON q.id = (SELECT r.id FROM told r WHERE r.point = t.point AND r.valid_from <= t.at
                           AND (r.valid_to IS NULL OR r.valid_to > t.at)
                           ORDER BY r.valid_from DESC, r.question DESC LIMIT 1)
    WINDOW w AS (PARTITION BY t.point ORDER BY t.at)
), placed AS (
    SELECT * FROM placements l
    WHERE l.id = (SELECT max(m.id) FROM placements m WHERE m.point = l.point
                  AND m.camera = l.camera AND m.valid_from = l.valid_from)
), moves AS (
    SELECT point, valid_from AS at FROM placed
    UNION SELECT point, valid_to FROM placed WHERE valid_to IS NOT NULL
), seen AS ( -- the camera that comes first from there on
    SELECT m.point, m.at, l.camera, lag(l.camera) OVER w AS camera_before
    FROM moves m
    JOIN placed l ON l.id = (SELECT r.id FROM placed r WHERE r.point = m.point AND r.valid_from <= m.at
                             AND (r.valid_to IS NULL OR r.valid_to > m.at)
                             ORDER BY r.priority, r.valid_from DESC, r.id DESC LIMIT 1)
    WINDOW w AS (PARTITION BY m.point ORDER BY m.at)
), changes AS (
    SELECT point, at, 'question' AS what, question_before AS was, question AS became FROM asked
    WHERE question_before <> question
    UNION ALL
    SELECT point, at, 'question', replace(text_before, '{employee}', '…'), replace(text, '{employee}', '…') FROM asked
    WHERE question_before = question AND text_before <> text
    UNION ALL
    SELECT point, at, 'question', kind_before, kind FROM asked
    WHERE question_before = question AND kind_before <> kind
    UNION ALL
    SELECT point, at, 'window', printf('%g', window_before / 1000000.0),
           printf('%g', window_us / 1000000.0) FROM asked
    WHERE window_before <> window_us
    UNION ALL
    SELECT point, at, 'camera', camera_before, camera FROM seen WHERE camera_before <> camera
)
SELECT c.point, p.site, c.at, c.what, c.was, c.became
FROM changes c JOIN points p ON p.point = c.point
    AND p.id = (SELECT max(o.id) FROM points o WHERE o.point = c.point)
WHERE c.at > $from AND c.at < $to
UNION ALL
SELECT NULL, NULL, w.at, 'k', printf('%g', w.k_before), printf('%g', w.k)
FROM (SELECT at, k, lag(k) OVER (ORDER BY id) AS k_before FROM kpi_weights) w
WHERE w.k_before <> w.k AND w.at > $from AND w.at < $to
ORDER BY 3, 1, 4 LIMIT 2000;

-- name: figures.name_employee
SELECT name FROM employees WHERE employee = $id ORDER BY id DESC LIMIT 1;

-- name: figures.name_question
SELECT replace(text, '{employee}', '…') AS name FROM questions WHERE question = $id ORDER BY id DESC LIMIT 1;
