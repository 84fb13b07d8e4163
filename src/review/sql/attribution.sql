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
