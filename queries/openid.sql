-- name: GetOpenIDClient :one
SELECT * FROM openid_clients WHERE app_id = ?;

-- name: CheckOpenIDClient :many
-- Runs for every authorization request: the client, its app and the memberships of the user, one row for each. opens
-- is false unless the membership's group opens the app. user_id and session_hash are empty if no one is signed in.
SELECT sqlc.embed(c), a.name AS app_name, a.audience, a.allow_requests, a.enabled,
  (SELECT COUNT(*) FROM sessions s JOIN grants g ON s.token_hash = sqlc.arg(session_hash) AND g.session_hash = s.token_hash
    AND g.app_id = sqlc.arg(app_id) AND g.created_at > sqlc.arg(since)) AS recent_grants,
  m.group_id, m.until_at, ug.name AS group_name, ag.group_id IS NOT NULL AS opens
FROM openid_clients c
JOIN apps a ON a.id = c.app_id
LEFT JOIN group_members m ON m.user_id = sqlc.arg(user_id)
LEFT JOIN user_groups ug ON ug.id = m.group_id
LEFT JOIN app_groups ag ON ag.app_id = a.id AND ag.group_id = m.group_id
WHERE c.app_id = sqlc.arg(app_id);

-- name: GetClientWithSecret :one
-- The client, and whether a secret with the hash is one of its secrets.
SELECT sqlc.embed(c), s.id AS secret_id, s.expires_at AS secret_expires_at
FROM openid_clients c LEFT JOIN client_secrets s ON s.app_id = c.app_id AND s.secret_hash = sqlc.arg(secret_hash)
WHERE c.app_id = sqlc.arg(app_id);

-- name: InsertOpenIDClient :exec
INSERT INTO openid_clients (
  app_id, public_client, id_token_alg, redirect_uris, post_logout_uris, backchannel_logout, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: UpdateOpenIDClient :execrows
UPDATE openid_clients SET
  public_client = ?, id_token_alg = ?, redirect_uris = ?, post_logout_uris = ?, backchannel_logout = ?, updated_at = ?
WHERE app_id = ?;

-- name: DeleteOpenIDClient :execrows
DELETE FROM openid_clients WHERE app_id = ?;

-- name: LockOpenIDClient :execrows
-- Changes nothing but locks the row until the transaction ends.
UPDATE openid_clients SET updated_at = updated_at WHERE app_id = ?;

-- name: InsertClientSecret :exec
INSERT INTO client_secrets (id, app_id, secret_hash, hint, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: ListClientSecrets :many
SELECT * FROM client_secrets WHERE app_id = ? ORDER BY id DESC;

-- name: CountOpenIDClients :one
-- For guestlist doctor.
SELECT COUNT(*) FROM openid_clients;

-- name: ListEndingClientSecrets :many
-- For guestlist doctor: those that have ended or end before a time, with the names of their apps.
SELECT a.name, s.hint, s.expires_at FROM client_secrets s JOIN apps a ON a.id = s.app_id
WHERE s.expires_at > 0 AND s.expires_at < sqlc.arg(before)
ORDER BY s.expires_at, s.id LIMIT ?;

-- name: DeleteClientSecret :execrows
DELETE FROM client_secrets WHERE app_id = ? AND id = ?;

-- name: DeleteSecretsOfClient :exec
DELETE FROM client_secrets WHERE app_id = ?;

-- name: InsertGrant :exec
INSERT INTO grants (
  id, app_id, user_id, session_hash, scope, nonce, auth_time, redirect_uri, code_hash, code_challenge, code_expires_at, code_used_at,
  created_at, expires_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?);

-- name: CheckGrantByCode :many
-- Runs when a code is redeemed: its grant with the client and app, the session, its user and memberships, one row for
-- each membership. No row if the session has ended or the client was removed.
SELECT g.id, g.app_id, g.user_id, g.session_hash, g.scope, g.nonce, g.auth_time, g.redirect_uri, g.code_challenge, g.code_expires_at, g.code_used_at,
  g.created_at, c.id_token_alg, a.name AS app_name, a.audience, a.enabled,
  s.stytch_session_id, s.verified_at, s.expires_at, s.factors, s.second_factor,
  u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id,
  m.group_id, m.until_at, ug.name AS group_name, ag.group_id IS NOT NULL AS opens
FROM grants g
JOIN openid_clients c ON c.app_id = g.app_id AND c.created_at <= g.created_at
JOIN apps a ON a.id = g.app_id
JOIN sessions s ON s.token_hash = g.session_hash
JOIN users u ON u.id = s.user_id
LEFT JOIN group_members m ON m.user_id = u.id
LEFT JOIN user_groups ug ON ug.id = m.group_id
LEFT JOIN app_groups ag ON ag.app_id = a.id AND ag.group_id = m.group_id
WHERE g.code_hash = sqlc.arg(code_hash);

-- name: CheckGrantByToken :one
-- Runs whenever a token is used: its grant with the client and app, the session and its user. The memberships, of which
-- there are several, are a second query, because reading so many columns again for each costs more than that.
SELECT t.kind, t.created_at AS token_created_at, t.expires_at AS token_expires_at, t.replaced_at,
  g.id, g.app_id, g.session_hash, g.scope, g.nonce, g.auth_time, c.id_token_alg, a.name AS app_name, a.audience, a.enabled,
  s.user_id, s.stytch_session_id, s.verified_at, s.expires_at, s.factors, s.second_factor,
  u.name, u.email, u.email_key, u.role, u.status, u.stytch_user_id
FROM grant_tokens t
JOIN grants g ON g.id = t.grant_id
JOIN openid_clients c ON c.app_id = g.app_id AND c.created_at <= g.created_at
JOIN apps a ON a.id = g.app_id
JOIN sessions s ON s.token_hash = g.session_hash
JOIN users u ON u.id = s.user_id
WHERE t.token_hash = sqlc.arg(token_hash);

-- name: ListMembershipsForApp :many
-- A user's memberships. opens is false unless the membership's group opens the app.
SELECT m.group_id, m.until_at, ug.name AS group_name, ag.group_id IS NOT NULL AS opens
FROM group_members m
JOIN user_groups ug ON ug.id = m.group_id
LEFT JOIN app_groups ag ON ag.app_id = sqlc.arg(app_id) AND ag.group_id = m.group_id
WHERE m.user_id = sqlc.arg(user_id);

-- name: UseGrantCode :execrows
-- Of several uses of a code, one changes the row.
UPDATE grants SET code_used_at = ?, expires_at = ? WHERE id = ? AND code_used_at = 0;

-- name: InsertGrantToken :exec
INSERT INTO grant_tokens (token_hash, grant_id, kind, created_at, expires_at, replaced_at) VALUES (?, ?, ?, ?, ?, 0);

-- name: InsertGrantTokens :exec
-- InsertGrantToken for an access token and a refresh token.
INSERT INTO grant_tokens (token_hash, grant_id, kind, created_at, expires_at, replaced_at) VALUES
  (sqlc.arg(access_hash), sqlc.arg(grant_id), 'access', sqlc.arg(created_at), sqlc.arg(access_expires_at), 0),
  (sqlc.arg(refresh_hash), sqlc.arg(grant_id), 'refresh', sqlc.arg(created_at), sqlc.arg(refresh_expires_at), 0);

-- name: ReplaceRefreshToken :execrows
UPDATE grant_tokens SET replaced_at = ? WHERE token_hash = ? AND replaced_at = 0;

-- name: LockGrant :execrows
-- Changes nothing but locks the row until the transaction ends.
UPDATE grants SET code_used_at = code_used_at WHERE id = ?;

-- name: DeleteGrantToken :execrows
DELETE FROM grant_tokens WHERE token_hash = ?;

-- name: DeleteTokensOfGrant :exec
DELETE FROM grant_tokens WHERE grant_id = ?;

-- name: DeleteGrant :execrows
DELETE FROM grants WHERE id = ?;

-- name: ListLogouts :many
-- Runs when sessions end: the apps to tell, because users have signed in to them in these sessions.
SELECT DISTINCT s.token_hash, s.user_id, s.stytch_session_id, u.email_key, g.app_id, a.name AS app_name
FROM sessions s
JOIN users u ON u.id = s.user_id
JOIN grants g ON g.session_hash = s.token_hash
JOIN openid_clients c ON c.app_id = g.app_id AND c.backchannel_logout <> ''
JOIN apps a ON a.id = g.app_id
WHERE s.token_hash IN (sqlc.slice(token_hashes));

-- name: ExpiredGrants :many
SELECT id FROM grants WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?;

-- name: ExpiredGrantTokens :many
SELECT token_hash FROM grant_tokens WHERE expires_at <= ? ORDER BY expires_at, token_hash LIMIT ?;

-- name: InsertDeviceCode :exec
INSERT INTO device_codes (
  device_hash, user_code_hash, app_id, scope, state, user_id, address, poll_interval, next_poll_at, created_at, expires_at
) VALUES (?, ?, ?, ?, 'pending', '', ?, ?, ?, ?, ?);

-- name: GetDeviceCode :one
SELECT * FROM device_codes WHERE device_hash = ?;

-- name: GetDeviceCodeByUserCode :one
SELECT * FROM device_codes WHERE user_code_hash = ?;

-- name: SetDevicePoll :execrows
UPDATE device_codes SET poll_interval = ?, next_poll_at = ? WHERE device_hash = ? AND state = 'pending';

-- name: DecideDeviceCode :execrows
-- Of several decisions, one changes the row.
UPDATE device_codes SET state = sqlc.arg(decision), user_id = sqlc.arg(user_id) WHERE device_hash = sqlc.arg(device_hash) AND state = 'pending';

-- name: DeleteDeviceCode :execrows
DELETE FROM device_codes WHERE device_hash = ?;

-- name: ExpiredDeviceCodes :many
SELECT device_hash FROM device_codes WHERE expires_at <= ? ORDER BY expires_at, device_hash LIMIT ?;
