-- name: GetLimit :one
SELECT * FROM stytch_limits WHERE email = ?;

-- name: InsertLimit :exec
INSERT INTO stytch_limits (email, opened_at, mails) VALUES (?, ?, 1);

-- name: CountMail :execrows
UPDATE stytch_limits SET mails = mails + 1
WHERE email = ? AND opened_at > sqlc.arg(hour_ago) AND mails < sqlc.arg(most);

-- name: OpenLimit :execrows
UPDATE stytch_limits SET opened_at = sqlc.arg(now), mails = 1 WHERE email = ? AND opened_at <= sqlc.arg(hour_ago);

-- name: UncountMail :execrows
UPDATE stytch_limits SET mails = mails - 1 WHERE email = ? AND mails > 0;

-- name: OldLimits :many
SELECT email FROM stytch_limits WHERE opened_at < ? ORDER BY opened_at, email LIMIT ?;

-- name: DeleteOldLimits :execrows
DELETE FROM stytch_limits WHERE email IN (sqlc.slice(emails)) AND opened_at < sqlc.arg(before);
