-- name: InsertSignInAttempt :exec
INSERT INTO sign_in_attempts (id, proof, leased_until, signed_in_at, expires_at) VALUES (?, '', ?, 0, ?);

-- name: GetSignInAttempt :one
SELECT * FROM sign_in_attempts WHERE id = ?;

-- name: ProveSignInAttempt :execrows
UPDATE sign_in_attempts SET proof = sqlc.arg(proof) WHERE id = sqlc.arg(id);

-- name: FinishSignInAttempt :execrows
-- In the transaction that creates the session, so that only one of two requests creates it.
UPDATE sign_in_attempts SET signed_in_at = sqlc.arg(signed_in_at) WHERE id = sqlc.arg(id) AND signed_in_at = 0;

-- name: DropSignInAttempt :execrows
DELETE FROM sign_in_attempts WHERE id = ? AND signed_in_at = 0;

-- name: DropStaleSignInAttempt :execrows
-- One that has expired, or whose request ended without a result.
DELETE FROM sign_in_attempts
WHERE id = sqlc.arg(id) AND (expires_at <= sqlc.arg(now) OR proof = '' AND leased_until <= sqlc.arg(now));

-- name: ExpiredSignInAttempts :many
SELECT id FROM sign_in_attempts WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?;

-- name: DeleteExpiredSignInAttempt :execrows
DELETE FROM sign_in_attempts WHERE id = ? AND expires_at <= ?;
