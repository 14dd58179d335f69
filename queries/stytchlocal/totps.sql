-- name: InsertTOTP :exec
INSERT INTO stytch_totps (
  totp_id, user_id, secret, recovery_codes, last_step, tries, tried_at, recovery_tries, recovery_tried_at, created_at, verified_at, expires_at
) VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, ?, 0, ?);

-- name: GetTOTP :one
SELECT * FROM stytch_totps WHERE totp_id = ?;

-- name: GetTOTPOfUser :one
SELECT * FROM stytch_totps WHERE user_id = ?;

-- name: ListTOTPsOfUsers :many
SELECT totp_id, user_id, verified_at, expires_at FROM stytch_totps WHERE user_id IN (sqlc.slice(user_ids)) ORDER BY user_id;

-- name: TryTOTP :execrows
-- Counts a try before the code is compared, so that concurrent ones can't exceed the limit. Tries before the given time
-- count no longer.
UPDATE stytch_totps
SET tries = CASE WHEN tried_at <= sqlc.arg(lock_start) THEN 1 ELSE tries + 1 END, tried_at = sqlc.arg(now)
WHERE totp_id = sqlc.arg(totp_id) AND (tries < sqlc.arg(most) OR tried_at <= sqlc.arg(lock_start));

-- name: TryRecoveryCode :execrows
UPDATE stytch_totps
SET recovery_tries = CASE WHEN recovery_tried_at <= sqlc.arg(lock_start) THEN 1 ELSE recovery_tries + 1 END,
  recovery_tried_at = sqlc.arg(now)
WHERE totp_id = sqlc.arg(totp_id) AND (recovery_tries < sqlc.arg(most) OR recovery_tried_at <= sqlc.arg(lock_start));

-- name: SetTOTPUsed :execrows
-- The code of a step proves the app, unless that or a later one was used.
UPDATE stytch_totps SET last_step = sqlc.arg(step), tries = 0, verified_at = sqlc.arg(verified_at), expires_at = 0
WHERE totp_id = sqlc.arg(totp_id) AND last_step < sqlc.arg(step);

-- name: SetRecoveryCodes :execrows
UPDATE stytch_totps SET recovery_codes = ?, recovery_tries = 0 WHERE totp_id = ?;

-- name: DeleteTOTP :execrows
DELETE FROM stytch_totps WHERE totp_id = ?;

-- name: DeleteTOTPsOfUser :execrows
DELETE FROM stytch_totps WHERE user_id = ?;

-- name: OldTOTPs :many
SELECT totp_id FROM stytch_totps WHERE expires_at > 0 AND expires_at < ? ORDER BY expires_at, totp_id LIMIT ?;

-- name: DeleteOldTOTPs :execrows
-- Except those that were verified since they were read.
DELETE FROM stytch_totps WHERE totp_id IN (sqlc.slice(totp_ids)) AND expires_at > 0 AND expires_at < sqlc.arg(before);
