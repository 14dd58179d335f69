-- name: InsertApp :exec
INSERT INTO apps (
  id, name, name_key, scheme, host, audience, upstream, public_paths, allow_requests, created_at, updated_at, home_url, enabled
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetApp :one
SELECT * FROM apps WHERE id = ?;

-- name: GetAppByHost :one
SELECT * FROM apps WHERE host = ?;

-- name: GetAppByNameKey :one
SELECT * FROM apps WHERE name_key = ?;

-- name: LockApp :execrows
-- Changes nothing but locks the row until the transaction ends.
UPDATE apps SET updated_at = updated_at WHERE id = ?;

-- name: ListApps :many
SELECT * FROM apps WHERE name_key > sqlc.arg(after) ORDER BY name_key LIMIT ?;

-- name: UpdateApp :execrows
UPDATE apps SET
  name = ?, name_key = ?, scheme = ?, host = ?, audience = ?, upstream = ?, public_paths = ?, allow_requests = ?, updated_at = ?,
  home_url = ?, enabled = ?
WHERE id = ?;

-- name: DeleteApp :execrows
DELETE FROM apps WHERE id = ?;

-- name: InsertAppGroup :exec
INSERT INTO app_groups (app_id, group_id) VALUES (?, ?);

-- name: DeleteGroupsOfApp :exec
DELETE FROM app_groups WHERE app_id = ?;

-- name: ListGroupsOfApps :many
SELECT ag.app_id, g.id, g.name, g.name_key, g.created_at FROM app_groups ag JOIN user_groups g ON g.id = ag.group_id
WHERE ag.app_id IN (sqlc.slice(app_ids)) ORDER BY g.name_key;

-- name: ListAppsOfGroup :many
SELECT a.* FROM app_groups ag JOIN apps a ON a.id = ag.app_id WHERE ag.group_id = ? ORDER BY a.name_key;

-- name: InsertAppToken :exec
INSERT INTO app_tokens (
  token_hash, id, app_id, user_id, name, created_by, created_at, expires_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: ListTokensOfApp :many
SELECT sqlc.embed(t), u.email, u.email_key, u.name AS user_name, u.role, u.status
FROM app_tokens t LEFT JOIN users u ON u.id = t.user_id
WHERE t.app_id = ? ORDER BY t.id DESC;

-- name: GetAppToken :one
SELECT sqlc.embed(t), u.email, u.email_key, u.name AS user_name, u.role, u.status
FROM app_tokens t LEFT JOIN users u ON u.id = t.user_id
WHERE t.app_id = ? AND t.id = ?;

-- name: DeleteAppToken :execrows
DELETE FROM app_tokens WHERE token_hash = ?;

-- name: DeleteAppTokensOfUser :exec
DELETE FROM app_tokens WHERE user_id = ?;

-- name: DeleteAppTokensOfApp :exec
DELETE FROM app_tokens WHERE app_id = ?;

-- name: DeleteRequestsOfUser :exec
DELETE FROM access_requests WHERE user_id = ?;

-- name: DeleteRequestsOfApp :exec
DELETE FROM access_requests WHERE app_id = ?;

-- name: CountApps :one
SELECT COUNT(*) FROM apps;

-- name: ExpiredAppTokens :many
SELECT token_hash FROM app_tokens WHERE expires_at <= ? ORDER BY expires_at, token_hash LIMIT ?;
