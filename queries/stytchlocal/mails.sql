-- name: InsertMail :exec
INSERT INTO stytch_mails (mail_id, recipient, subject, body_text, body_html, link, code, sent_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: ListMails :many
SELECT * FROM stytch_mails WHERE sent_at > ? ORDER BY sent_at DESC, mail_id DESC LIMIT ?;

-- name: FirstMailTooMany :one
SELECT sent_at, mail_id FROM stytch_mails ORDER BY sent_at DESC, mail_id DESC LIMIT 1 OFFSET ?;

-- name: DeleteMailsFrom :execrows
DELETE FROM stytch_mails
WHERE sent_at < sqlc.arg(sent_at) OR (sent_at = sqlc.arg(sent_at) AND mail_id <= sqlc.arg(mail_id));
