-- What DuckDB gets: the columns that the statement reads, decisions joined already.
SELECT s.point, s.opened_at, s.answer, s.late_answers, s.flags, s.question_kind, r.verdict,
       coalesce(v.voided, s.auto_void) AS voided
FROM surveys s LEFT JOIN rulings r ON r.survey = s.survey
LEFT JOIN (SELECT survey, voided, max(id) FROM voids GROUP BY survey) v ON v.survey = s.survey
WHERE state <> 'open' AND test = 0
  AND opened_at >= 1704056400000000 AND opened_at < 1767214800000000;
