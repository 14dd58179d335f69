-- name: InsertWebAuthnRegistration :exec
INSERT INTO stytch_webauthn_registrations (
  registration_id, user_id, credential_hash, domain, name, details, sign_count, created_at, used_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetWebAuthnRegistration :one
SELECT * FROM stytch_webauthn_registrations WHERE registration_id = ?;

-- name: GetWebAuthnCredential :one
SELECT * FROM stytch_webauthn_registrations WHERE credential_hash = ? AND domain = ?;

-- name: ListWebAuthnRegistrationsOfUsers :many
SELECT * FROM stytch_webauthn_registrations WHERE user_id IN (sqlc.slice(user_ids)) ORDER BY user_id, registration_id;

-- name: NameWebAuthnRegistration :execrows
UPDATE stytch_webauthn_registrations SET name = ? WHERE registration_id = ?;

-- name: UseWebAuthnRegistration :execrows
UPDATE stytch_webauthn_registrations SET details = ?, sign_count = ?, used_at = ? WHERE registration_id = ?;

-- name: DeleteWebAuthnRegistration :execrows
DELETE FROM stytch_webauthn_registrations WHERE registration_id = ?;

-- name: DeleteWebAuthnRegistrationsOfUser :execrows
DELETE FROM stytch_webauthn_registrations WHERE user_id = ?;

-- name: InsertWebAuthnChallenge :exec
INSERT INTO stytch_webauthn_challenges (challenge_hash, kind, user_id, domain, details, expires_at)
VALUES (?, ?, ?, ?, ?, ?);

-- name: GetWebAuthnChallenge :one
SELECT * FROM stytch_webauthn_challenges WHERE challenge_hash = ?;

-- name: SpendWebAuthnChallenge :execrows
DELETE FROM stytch_webauthn_challenges WHERE challenge_hash = ?;

-- name: SurplusWebAuthnChallenges :many
-- The oldest of a user, or of no user, that are more than allowed.
SELECT challenge_hash FROM stytch_webauthn_challenges WHERE user_id = ?
ORDER BY expires_at DESC, challenge_hash DESC LIMIT ? OFFSET ?;

-- name: DeleteWebAuthnChallenges :execrows
DELETE FROM stytch_webauthn_challenges WHERE challenge_hash IN (sqlc.slice(challenge_hashes));

-- name: DeleteWebAuthnChallengesOfUser :execrows
DELETE FROM stytch_webauthn_challenges WHERE user_id = ?;

-- name: OldWebAuthnChallenges :many
SELECT challenge_hash FROM stytch_webauthn_challenges WHERE expires_at < ? ORDER BY expires_at, challenge_hash LIMIT ?;
