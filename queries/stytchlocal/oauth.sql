-- name: InsertOAuthRegistration :exec
INSERT INTO stytch_oauth_registrations (registration_id, user_id, provider, subject, created_at) VALUES (?, ?, ?, ?, ?);

-- name: GetOAuthRegistration :one
SELECT * FROM stytch_oauth_registrations WHERE registration_id = ?;

-- name: GetOAuthRegistrationBySubject :one
SELECT * FROM stytch_oauth_registrations WHERE provider = ? AND subject = ?;

-- name: ListOAuthRegistrationsOfUsers :many
SELECT * FROM stytch_oauth_registrations WHERE user_id IN (sqlc.slice(user_ids)) ORDER BY user_id, registration_id;

-- name: DeleteOAuthRegistration :execrows
DELETE FROM stytch_oauth_registrations WHERE registration_id = ?;

-- name: DeleteOAuthRegistrationsOfUser :execrows
DELETE FROM stytch_oauth_registrations WHERE user_id = ?;

-- name: InsertOAuthToken :exec
INSERT INTO stytch_oauth_tokens (token_hash, kind, user_id, details, expires_at) VALUES (?, ?, ?, ?, ?);

-- name: GetOAuthToken :one
SELECT * FROM stytch_oauth_tokens WHERE token_hash = ?;

-- name: SpendOAuthToken :execrows
DELETE FROM stytch_oauth_tokens WHERE token_hash = ?;

-- name: SurplusOAuthTokens :many
-- The oldest of a user that are more than allowed.
SELECT token_hash FROM stytch_oauth_tokens WHERE user_id = ?
ORDER BY expires_at DESC, token_hash DESC LIMIT ? OFFSET ?;

-- name: DeleteOAuthTokens :execrows
DELETE FROM stytch_oauth_tokens WHERE token_hash IN (sqlc.slice(token_hashes));

-- name: DeleteOAuthTokensOfUser :execrows
DELETE FROM stytch_oauth_tokens WHERE user_id = ?;

-- name: OldOAuthTokens :many
SELECT token_hash FROM stytch_oauth_tokens WHERE expires_at < ? ORDER BY expires_at, token_hash LIMIT ?;
