-- name: registry.add_grant
INSERT INTO grants (user, scope, granted, at, author)
SELECT $user, $scope, $granted, $now, $author
WHERE $granted <> EXISTS (SELECT 1 FROM granted_scopes WHERE user = $user AND scope = $scope);

-- name: registry.knows_user
SELECT 1 AS known FROM users WHERE user = $user;

-- name: registry.knows_group
SELECT 1 AS known FROM sites s WHERE site_group = $name
  AND id = (SELECT max(t.id) FROM sites t WHERE t.site = s.site) LIMIT 1;

-- name: registry.get_grants
SELECT user, scope, at, author FROM granted_scopes WHERE $user IS NULL OR user = $user
ORDER BY user, scope;

-- name: registry.granted_all
SELECT 1 AS all_sites FROM granted_scopes WHERE user = $user AND scope = 'all';

-- name: registry.granted_sites
SELECT coalesce(json_group_array(site), '[]') AS sites FROM (
    SELECT s.site FROM sites s
    WHERE s.id = (SELECT max(t.id) FROM sites t WHERE t.site = s.site)
      AND EXISTS (SELECT 1 FROM granted_scopes g WHERE g.user = $user
                  AND (g.scope = 'site:' || s.site
                       OR (s.site_group <> '' AND g.scope = 'group:' || s.site_group)))
    ORDER BY s.site);
