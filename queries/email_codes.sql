-- name: ReplaceEmailCode :execrows
UPDATE email_codes SET request_hash = ?, method_id = '', tries = 0, created_at = ?, expires_at = ? WHERE requester_hash = ?;

-- name: InsertEmailCode :exec
INSERT INTO email_codes (requester_hash, request_hash, method_id, tries, created_at, expires_at) VALUES (?, ?, '', 0, ?, ?);

-- name: SetEmailCodeSent :execrows
UPDATE email_codes SET method_id = ? WHERE request_hash = ?;

-- name: TryEmailCode :execrows
-- Counts a try before the code is compared, so that simultaneous ones are counted as well.
UPDATE email_codes SET tries = tries + 1
WHERE request_hash = sqlc.arg(request_hash) AND tries < sqlc.arg(max_tries) AND expires_at > sqlc.arg(now);

-- name: GetEmailCode :one
SELECT * FROM email_codes WHERE request_hash = ?;

-- name: ReturnEmailCodeTry :execrows
UPDATE email_codes SET tries = tries - 1 WHERE request_hash = ? AND tries > 0;

-- name: DeleteEmailCode :execrows
DELETE FROM email_codes WHERE request_hash = ?;

-- name: ExpiredEmailCodes :many
SELECT requester_hash FROM email_codes WHERE expires_at <= ? ORDER BY expires_at, requester_hash LIMIT ?;

-- name: DeleteExpiredEmailCode :execrows
DELETE FROM email_codes WHERE requester_hash = ? AND expires_at <= ?;
