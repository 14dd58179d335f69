-- name: InsertSession :exec
INSERT INTO stytch_sessions (
  session_id, token_hash, user_id, details, started_at, last_accessed_at, expires_at
) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: GetSession :one
SELECT * FROM stytch_sessions WHERE session_id = ?;

-- name: GetSessionByToken :one
SELECT * FROM stytch_sessions WHERE token_hash = ?;

-- name: TouchSession :execrows
-- First statement of every transaction that changes a session: it waits for other transactions and finds no row if the
-- session has ended.
UPDATE stytch_sessions SET last_accessed_at = sqlc.arg(now)
WHERE session_id = sqlc.arg(session_id) AND expires_at > sqlc.arg(now);

-- name: UpdateSession :execrows
UPDATE stytch_sessions SET details = ?, expires_at = ? WHERE session_id = ?;

-- name: ListSessionsOfUser :many
SELECT * FROM stytch_sessions WHERE user_id = ? AND expires_at > sqlc.arg(now) ORDER BY started_at, session_id;

-- name: DeleteSession :execrows
DELETE FROM stytch_sessions WHERE session_id = ?;

-- name: DeleteSessionsOfUser :execrows
DELETE FROM stytch_sessions WHERE user_id = ?;

-- name: OldSessions :many
SELECT session_id FROM stytch_sessions WHERE expires_at < ? ORDER BY expires_at, session_id LIMIT ?;

-- name: DeleteOldSessions :execrows
DELETE FROM stytch_sessions WHERE session_id IN (sqlc.slice(session_ids)) AND expires_at < sqlc.arg(before);
