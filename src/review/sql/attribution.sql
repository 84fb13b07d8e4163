-- name: attribution.subject
-- Who a survey or a spontaneous rating counts for now, and whether somebody moved it there.
SELECT CASE WHEN a.id IS NULL THEN s.employee ELSE a.employee END AS employee,
       a.id IS NOT NULL AS moved
FROM subjects s LEFT JOIN attributed a ON a.survey = s.survey WHERE s.survey = $survey;

-- name: attribution.knows_employee
SELECT EXISTS (SELECT 1 FROM employees WHERE employee = $employee)
    OR EXISTS (SELECT 1 FROM shifts WHERE employee = $employee);

-- name: attribution.author
-- A user by name; without one the first administrator.
SELECT user, role, coalesce(employee, '') AS employee FROM users
WHERE disabled = 0 AND (user = $user OR ($user IS NULL AND role = 'administrator'))
ORDER BY created_at, user LIMIT 1;

-- name: attribution.add
INSERT INTO attributions (survey, employee, undone, at, author, reason)
VALUES ($survey, $employee, $undone, $at, $author, $reason)
RETURNING id;

-- name: attribution.sees_survey
SELECT EXISTS (SELECT 1 FROM subjects WHERE survey = $survey
               AND site IN (SELECT value FROM json_each($sites)));

-- name: attribution.sees_employee
SELECT EXISTS (SELECT 1 FROM shifts h JOIN points p ON p.point = h.point
               WHERE h.employee = $employee
                 AND p.id = (SELECT max(id) FROM points q WHERE q.point = p.point) AND p.site IN (SELECT value FROM json_each($sites)));

-- name: attribution.on_shift
-- Whether somebody had a shift at any point of the survey's site when it was opened.
SELECT EXISTS (
    SELECT 1 FROM subjects s JOIN points p ON p.site = s.site JOIN shifts h ON h.point = p.point
    WHERE s.survey = $survey AND h.employee = $employee AND h.valid_from <= s.opened_at
      AND h.valid_to > s.opened_at
      AND h.id = (SELECT max(g.id) FROM shifts g WHERE g.point = h.point
                  AND g.valid_from = h.valid_from AND g.employee = h.employee));
