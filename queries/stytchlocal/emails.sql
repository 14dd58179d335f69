-- name: InsertEmail :exec
INSERT INTO stytch_emails (email_id, user_id, email, verified_at, expires_at) VALUES (?, ?, ?, ?, ?);

-- name: GetEmail :one
SELECT * FROM stytch_emails WHERE email_id = ?;

-- name: GetEmailByAddress :one
SELECT * FROM stytch_emails WHERE email = ?;

-- name: ListEmailsByAddress :many
SELECT * FROM stytch_emails WHERE email IN (sqlc.slice(emails));

-- name: ListEmailsOfUsers :many
SELECT * FROM stytch_emails WHERE user_id IN (sqlc.slice(user_ids)) ORDER BY user_id, email_id;

-- name: ExtendEmail :execrows
UPDATE stytch_emails SET expires_at = ? WHERE email_id = ?;

-- name: VerifyEmail :execrows
UPDATE stytch_emails SET verified_at = ?, expires_at = 0 WHERE email_id = ?;

-- name: DeleteEmail :execrows
DELETE FROM stytch_emails WHERE email_id = ?;

-- name: DeleteEmailsOfUser :execrows
DELETE FROM stytch_emails WHERE user_id = ?;

-- name: OldEmails :many
SELECT email_id FROM stytch_emails WHERE expires_at > 0 AND expires_at < ? ORDER BY expires_at, email_id LIMIT ?;

-- name: DeleteOldEmails :execrows
-- Except those that were verified since they were read.
DELETE FROM stytch_emails WHERE email_id IN (sqlc.slice(email_ids)) AND expires_at > 0 AND expires_at < sqlc.arg(before);
