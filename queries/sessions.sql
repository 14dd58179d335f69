-- name: InsertSession :exec
INSERT INTO sessions (
  token_hash, user_id, stytch_session_id, user_agent, address, created_at, verified_at, expires_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetSession :one
SELECT sqlc.embed(sessions), sqlc.embed(users)
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = ?;

-- name: ListSessionsOfUser :many
SELECT * FROM sessions WHERE user_id = ? ORDER BY created_at DESC, token_hash;

-- name: SetSessionVerified :execrows
UPDATE sessions SET verified_at = ?, expires_at = ? WHERE token_hash = ?;

-- name: DeleteSession :execrows
DELETE FROM sessions WHERE token_hash = ?;

-- name: ExpiredSessions :many
SELECT token_hash FROM sessions WHERE expires_at <= ? ORDER BY expires_at, token_hash LIMIT ?;
