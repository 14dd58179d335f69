-- name: InsertUser :exec
INSERT INTO stytch_users (user_id, external_id, status, details, created_at, locked_at) VALUES (?, ?, ?, ?, ?, ?);

-- name: LockUser :execrows
-- First statement of every transaction that changes a user: it waits for other transactions and finds no row if the user
-- was deleted.
UPDATE stytch_users SET locked_at = ? WHERE user_id = ?;

-- name: GetUser :one
SELECT * FROM stytch_users WHERE user_id = ?;

-- name: GetUserByExternalID :one
SELECT * FROM stytch_users WHERE external_id = ?;

-- name: GetUsers :many
SELECT * FROM stytch_users WHERE user_id IN (sqlc.slice(user_ids)) ORDER BY created_at, user_id;

-- name: ListUsers :many
SELECT * FROM stytch_users
WHERE created_at >= sqlc.arg(after_time) AND (created_at > sqlc.arg(after_time) OR user_id > sqlc.arg(after_id))
ORDER BY created_at, user_id LIMIT ?;

-- name: CountUsers :one
SELECT COUNT(*) FROM stytch_users;

-- name: UpdateUser :execrows
UPDATE stytch_users SET external_id = ?, status = ?, details = ? WHERE user_id = ?;

-- name: ActivateUser :execrows
UPDATE stytch_users SET status = 'active' WHERE user_id = ?;

-- name: DeleteUser :execrows
DELETE FROM stytch_users WHERE user_id = ?;
