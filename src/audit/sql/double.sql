-- name: double.round
-- What a round drew, each survey once, in its order.
SELECT survey FROM audit_sample WHERE audit = $audit AND round = $round AND generation = 1
ORDER BY place;

-- name: double.add_item
INSERT INTO review_items (item, audit, survey, place, origin, part, state)
SELECT abs(random() % 1000000000000), audit, survey, place, origin, 1, 'open'
FROM review_items WHERE audit = $audit AND survey = $survey AND part = 0
ON CONFLICT (audit, survey, part, reader) DO NOTHING;

-- name: double.pairs
SELECT a.user AS first_user, a.verdict AS first_verdict,
       coalesce(a.correction, '') AS first_correction, b.user AS second_user,
       b.verdict AS second_verdict, coalesce(b.correction, '') AS second_correction
FROM review_items i JOIN votes a ON a.item = i.item
JOIN votes b ON b.audit = i.audit AND b.survey = i.survey AND b.part = 1
WHERE i.audit = $audit AND i.part = 0 AND i.origin = 'random' ORDER BY i.place, i.survey;

-- name: double.counts
SELECT (SELECT count(*) FROM review_items WHERE audit = $audit AND part = 1) AS doubled,
       (SELECT count(*) FROM review_items d WHERE d.audit = $audit AND d.part = 1
        AND EXISTS (SELECT 1 FROM review_items o WHERE o.audit = d.audit AND o.survey = d.survey
                    AND o.part < 2 AND o.state = 'open')) AS waiting,
       (SELECT count(*) FROM review_items WHERE audit = $audit AND part = 2 AND state <> 'withdrawn')
           AS conflicts,
       (SELECT count(*) FROM review_items WHERE audit = $audit AND part = 2 AND state = 'decided')
           AS ruled;
