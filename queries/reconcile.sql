-- name: ListUsersWithAccount :many
-- By account id, so that each page is a range of the index.
SELECT * FROM users
WHERE stytch_user_id > '' AND stytch_user_id >= sqlc.arg(after_account)
  AND (stytch_user_id > sqlc.arg(after_account) OR id > sqlc.arg(after_id))
ORDER BY stytch_user_id, id LIMIT ?;

-- name: GetUserByStytchID :one
SELECT * FROM users WHERE stytch_user_id = ? ORDER BY id LIMIT 1;

-- name: ListedAddresses :many
SELECT email_key FROM users WHERE email_key IN (sqlc.slice(addresses));

-- name: AcquireRun :execrows
-- Of all instances that try, one changes the row.
UPDATE settings SET updated_at = sqlc.arg(now) WHERE name = sqlc.arg(name) AND updated_at <= sqlc.arg(before);

-- name: SetTurn :execrows
UPDATE settings SET updated_at = sqlc.arg(at) WHERE name = sqlc.arg(name);
