-- name: InsertFactor :exec
INSERT INTO user_factors (id, user_id, kind, provider_id, name, codes_left, created_at, last_used_at, credential_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetFactorByProvider :one
-- Finds the user of a passkey that has signed in.
SELECT f.id, f.user_id, f.kind, f.provider_id, f.name, f.codes_left, f.created_at, f.last_used_at, u.email, u.email_key, u.stytch_user_id
FROM user_factors f JOIN users u ON u.id = f.user_id
WHERE f.provider_id = ?;

-- name: ListFactors :many
SELECT * FROM user_factors WHERE user_id = ? ORDER BY user_id, id;

-- name: RenameFactor :execrows
UPDATE user_factors SET name = ? WHERE user_id = ? AND id = ?;

-- name: UseFactor :execrows
UPDATE user_factors SET last_used_at = sqlc.arg(used_at), codes_left = codes_left - sqlc.arg(codes) WHERE user_id = sqlc.arg(user_id) AND id = sqlc.arg(id);

-- name: DeleteFactor :execrows
DELETE FROM user_factors WHERE user_id = ? AND id = ?;

-- name: DeleteFactorsOfUser :execrows
DELETE FROM user_factors WHERE user_id = ?;

-- name: DeletePasskeyOffer :execrows
DELETE FROM passkey_offers WHERE user_id = ?;

-- name: InsertPasskeyOffer :exec
INSERT INTO passkey_offers (user_id, session_hash, offered_at) VALUES (?, ?, ?);

-- name: GetPasskeyOffer :one
SELECT * FROM passkey_offers WHERE user_id = ?;

-- name: AnswerPasskeyOffer :execrows
UPDATE passkey_offers SET session_hash = '' WHERE user_id = ?;
