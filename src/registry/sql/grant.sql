-- name: registry.add_grant
INSERT INTO grants (user, scope, granted, at, author)
SELECT $user, $scope, $granted, $now, $author
WHERE $granted <> EXISTS (SELECT 1 FROM granted_scopes WHERE user = $user AND scope = $scope);

-- name: registry.knows_user
SELECT 1 AS known FROM users WHERE user = $user;

-- name: registry.knows_group
SELECT 1 AS known FROM site_groups WHERE site_group = $name LIMIT 1;

-- name: registry.get_grants
SELECT user, scope, at, author FROM granted_scopes WHERE $user IS NULL OR user = $user
ORDER BY user, scope;

-- name: registry.granted_all
SELECT 1 AS all_sites FROM granted_scopes WHERE user = $user AND scope = 'all';

-- name: registry.granted_sites
SELECT coalesce(json_group_array(site), '[]') AS sites FROM (
    SELECT DISTINCT s.site FROM sites s LEFT JOIN site_groups n ON n.site = s.site
    WHERE EXISTS (SELECT 1 FROM granted_scopes g WHERE g.user = $user
                  AND (g.scope = 'site:' || s.site
                       OR (n.site_group <> '' AND g.scope = 'group:' || n.site_group)))
    ORDER BY s.site);
