-- name: InsertRemovedAddress :exec
INSERT INTO removed_addresses (email_key, removed_at, removal) VALUES (?, ?, ?);

-- name: UpdateRemovedAddress :execrows
UPDATE removed_addresses SET removed_at = ?, removal = ? WHERE email_key = ?;

-- name: GetRemovedAddress :one
SELECT * FROM removed_addresses WHERE email_key = ?;

-- name: RemovedAddresses :many
SELECT * FROM removed_addresses WHERE email_key IN (sqlc.slice(email_keys));

-- name: DeleteRemovedAddresses :exec
DELETE FROM removed_addresses WHERE email_key IN (sqlc.slice(email_keys));

-- name: RemovedMailbox :one
-- The last removed address that is the mailbox or a tagged address of it: between first and behind, at the domain.
SELECT * FROM removed_addresses
WHERE email_key = sqlc.arg(mailbox)
  OR email_key >= sqlc.arg(first) AND email_key < sqlc.arg(behind) AND email_key LIKE sqlc.arg(at_domain)
ORDER BY removed_at DESC LIMIT 1;

-- name: ListedMailbox :one
-- The same for users.
SELECT email_key FROM users
WHERE email_key = sqlc.arg(mailbox)
  OR email_key >= sqlc.arg(first) AND email_key < sqlc.arg(behind) AND email_key LIKE sqlc.arg(at_domain)
ORDER BY email_key LIMIT 1;
