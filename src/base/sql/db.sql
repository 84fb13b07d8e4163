-- name: db.copy
VACUUM INTO $path;
