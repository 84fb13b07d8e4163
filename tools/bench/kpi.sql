-- The best single statement that was found for the same figures in SQLite: one pass over the surveys, and the
-- decisions joined to them. Moscow has kept +3 h in these years.
SELECT count(*), sum(ink_raw), sum(ink_excluded) FROM (
SELECT s.point, strftime('%Y-%m', s.opened_at / 1000000 + 10800, 'unixepoch') AS month,
       count(*) AS surveys, sum(answer IS NULL) AS silent, sum(late_answers > 0) AS late,
       sum(flags = 'superseded') AS superseded,
       sum(question_kind = 'office' AND answer = 'yes') AS yes,
       sum(question_kind = 'office' AND answer = 'no') AS no,
       sum(question_kind = 'office' AND answer IS NULL) AS quiet,
       sum(CASE WHEN question_kind = 'office' THEN (answer IS 'no') + 0.5 * (answer IS NULL) END)
           / sum(question_kind = 'office') AS ink_raw,
       sum(coalesce(r.verdict, '') <> 'invalid' AND NOT coalesce(v.voided, s.auto_void)) AS counted,
       sum(CASE WHEN question_kind = 'office' AND coalesce(r.verdict, '') <> 'invalid'
                     AND NOT coalesce(v.voided, s.auto_void)
           THEN (answer IS 'no') + 0.5 * (answer IS NULL) END)
           / sum(question_kind = 'office' AND coalesce(r.verdict, '') <> 'invalid'
                 AND NOT coalesce(v.voided, s.auto_void)) AS ink_excluded
FROM surveys s LEFT JOIN rulings r ON r.survey = s.survey
LEFT JOIN (SELECT survey, voided, max(id) FROM voids GROUP BY survey) v ON v.survey = s.survey
WHERE state <> 'open' AND test = 0
  AND opened_at >= 1704056400000000 AND opened_at < 1767214800000000
GROUP BY 1, 2);
