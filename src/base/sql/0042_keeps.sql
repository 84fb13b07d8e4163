-- What a camera keeps, by the smaller of declared and measured; not of one of which neither is known.
CREATE VIEW camera_keeps AS
SELECT c.camera, CASE WHEN c.retention_days IS NULL THEN m.kept_us
                      WHEN m.kept_us IS NULL THEN 86400000000 * c.retention_days
                      ELSE min(86400000000 * c.retention_days, m.kept_us) END AS kept_us
FROM cameras c LEFT JOIN retention_measured m ON m.camera = c.camera
WHERE c.id = (SELECT max(d.id) FROM cameras d WHERE d.camera = c.camera)
  AND coalesce(c.retention_days, m.kept_us) IS NOT NULL;

DROP VIEW survey_lost;
CREATE VIEW survey_lost AS
SELECT s.survey, s.opened_at + (SELECT min(k.kept_us) FROM placements p
                                JOIN camera_keeps k ON k.camera = p.camera
                                WHERE p.point = s.point) AS lost_at
FROM watched s;
