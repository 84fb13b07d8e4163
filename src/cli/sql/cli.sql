-- name: cli.surveys_to_link
SELECT s.survey FROM surveys s LEFT JOIN links l ON l.survey = s.survey
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND (l.state IS NULL OR l.state IN ('pending', 'unreachable'))
ORDER BY s.opened_at, s.survey;

-- name: cli.link_states
SELECT l.state, count(*) AS count FROM links l JOIN surveys s ON s.survey = l.survey
WHERE s.opened_at >= $from AND s.opened_at < $to GROUP BY l.state;

-- name: cli.surveys_for_stills
SELECT s.survey FROM surveys s
WHERE s.opened_at >= $from AND s.opened_at < $to AND s.state <> 'open' AND s.test = 0
  AND ($all OR s.answer IS NOT NULL)
ORDER BY s.opened_at, s.survey;

-- name: cli.surveys_of_audit
SELECT survey FROM audit_sample WHERE audit = $audit ORDER BY rank;
