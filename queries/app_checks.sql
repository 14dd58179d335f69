-- name: CheckAppSession :many
-- Runs for every request to an app: the app with a host and, if the cookie is a live credential of it, its session,
-- user and memberships, one row for each membership. opens is false unless the membership's group opens the app. It reads
-- only the columns that a check needs, because each is read again with every membership.
SELECT a.id AS app_id, a.name AS app_name, a.scheme, a.audience, a.upstream, a.public_paths, a.allow_requests, a.enabled,
  s.token_hash, s.user_id, s.stytch_session_id, s.verified_at, s.expires_at, s.factors, s.second_factor,
  u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id,
  m.group_id, m.until_at, g.name AS group_name, ag.group_id IS NOT NULL AS opens
FROM apps a
LEFT JOIN app_sessions c ON c.cookie_hash = sqlc.arg(cookie_hash) AND c.app_id = a.id
LEFT JOIN sessions s ON s.token_hash = c.session_hash
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN group_members m ON m.user_id = u.id
LEFT JOIN user_groups g ON g.id = m.group_id
LEFT JOIN app_groups ag ON ag.app_id = a.id AND ag.group_id = m.group_id
WHERE a.host = sqlc.arg(host);

-- name: CheckAppToken :many
-- CheckAppSession for an app token. user_id is empty for a service.
SELECT a.id AS app_id, a.name AS app_name, a.scheme, a.audience, a.upstream, a.public_paths, a.allow_requests, a.enabled,
  t.id AS token_id, t.name AS token_name, t.user_id, t.expires_at,
  u.name, u.email, u.email_key, u.role, u.status,
  m.group_id, m.until_at, g.name AS group_name, ag.group_id IS NOT NULL AS opens
FROM apps a
LEFT JOIN app_tokens t ON t.token_hash = sqlc.arg(token_hash) AND t.app_id = a.id
LEFT JOIN users u ON u.id = t.user_id
LEFT JOIN group_members m ON m.user_id = u.id
LEFT JOIN user_groups g ON g.id = m.group_id
LEFT JOIN app_groups ag ON ag.app_id = a.id AND ag.group_id = m.group_id
WHERE a.host = sqlc.arg(host);

-- name: InsertAppSession :exec
INSERT INTO app_sessions (cookie_hash, app_id, session_hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?);

-- name: CountRecentAppSessions :one
SELECT COUNT(*) FROM app_sessions WHERE session_hash = ? AND app_id = ? AND created_at > sqlc.arg(after);

-- name: DeleteAppSession :execrows
DELETE FROM app_sessions WHERE cookie_hash = ?;

-- name: ExpiredAppSessions :many
SELECT cookie_hash FROM app_sessions WHERE expires_at <= ? ORDER BY expires_at, cookie_hash LIMIT ?;

-- name: InsertAppCode :exec
INSERT INTO app_codes (code_hash, app_id, session_hash, cookie_hash, path, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: GetAppCode :one
SELECT * FROM app_codes WHERE code_hash = ?;

-- name: DeleteAppCode :execrows
DELETE FROM app_codes WHERE code_hash = ?;

-- name: ExpiredAppCodes :many
SELECT code_hash FROM app_codes WHERE expires_at <= ? ORDER BY expires_at, code_hash LIMIT ?;
