-- name: DeleteEmailCode :execrows
DELETE FROM email_codes WHERE email_key = ?;

-- name: InsertEmailCode :exec
INSERT INTO email_codes (email_key, request_hash, method_id, tries, created_at, expires_at) VALUES (?, ?, '', 0, ?, ?);

-- name: SetEmailCodeSent :execrows
UPDATE email_codes SET method_id = ? WHERE email_key = ? AND request_hash = ?;

-- name: TryEmailCode :execrows
-- Counts a try before the code is compared, so that simultaneous ones are counted as well.
UPDATE email_codes SET tries = tries + 1
WHERE email_key = sqlc.arg(email_key) AND request_hash = sqlc.arg(request_hash) AND tries < sqlc.arg(max_tries) AND expires_at > sqlc.arg(now);

-- name: GetEmailCode :one
SELECT * FROM email_codes WHERE email_key = ?;

-- name: ExpiredEmailCodes :many
SELECT email_key FROM email_codes WHERE expires_at <= ? ORDER BY expires_at, email_key LIMIT ?;

-- name: DeleteExpiredEmailCode :execrows
DELETE FROM email_codes WHERE email_key = ? AND expires_at <= ?;
