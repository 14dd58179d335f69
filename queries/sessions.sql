-- name: InsertSession :exec
INSERT INTO sessions (
  token_hash, user_id, stytch_session_id, user_agent, address, created_at, verified_at, expires_at, factors, second_factor
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetSession :one
-- Runs for every request, so it reads only the columns that one needs.
SELECT s.token_hash, s.user_id, s.stytch_session_id, s.created_at, s.verified_at, s.expires_at, s.factors, s.second_factor,
  u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id, u.created_at AS user_created_at, u.last_seen_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = ?;

-- name: GetSessions :many
-- GetSession for simultaneous requests.
SELECT s.token_hash, s.user_id, s.stytch_session_id, s.created_at, s.verified_at, s.expires_at, s.factors, s.second_factor,
  u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id, u.created_at AS user_created_at, u.last_seen_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash IN (sqlc.slice(token_hashes));

-- name: ListSessionsOfUser :many
SELECT * FROM sessions WHERE user_id = ? ORDER BY created_at DESC, token_hash;

-- name: SetSessionVerified :execrows
UPDATE sessions SET verified_at = ?, expires_at = ? WHERE token_hash = ?;

-- name: LockSession :execrows
-- Takes the row's lock before its factors are read.
UPDATE sessions SET second_factor = second_factor WHERE token_hash = ?;

-- name: SetSessionFactors :execrows
UPDATE sessions SET factors = ? WHERE token_hash = ?;

-- name: ClearSecondFactors :execrows
-- A user whose authenticator app was removed can't be asked for it any more.
UPDATE sessions SET second_factor = 0 WHERE user_id = ?;

-- name: DeleteSession :execrows
DELETE FROM sessions WHERE token_hash = ?;

-- name: ExpiredSessions :many
SELECT token_hash FROM sessions WHERE expires_at <= ? ORDER BY expires_at, token_hash LIMIT ?;
