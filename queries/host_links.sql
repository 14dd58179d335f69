-- name: InsertHostLink :exec
INSERT INTO host_links (user_id, token_hash, created_at, expires_at) VALUES (?, ?, ?, ?);

-- name: GetHostLink :one
SELECT * FROM host_links WHERE token_hash = ?;

-- name: UseHostLink :execrows
-- Of simultaneous uses, one deletes the row.
DELETE FROM host_links WHERE user_id = sqlc.arg(user_id) AND token_hash = sqlc.arg(token_hash) AND expires_at > sqlc.arg(now);

-- name: DeleteHostLink :execrows
DELETE FROM host_links WHERE user_id = ?;

-- name: ExpiredHostLinks :many
SELECT user_id FROM host_links WHERE expires_at <= ? ORDER BY expires_at, user_id LIMIT ?;

-- name: DeleteExpiredHostLink :execrows
DELETE FROM host_links WHERE user_id = ? AND expires_at <= ?;
