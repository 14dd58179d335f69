-- Updates sort keys and search words that an earlier release folded differently, in batches of users.

-- name: ListUserIDs :many
SELECT id FROM users WHERE id > ? ORDER BY id LIMIT ?;

-- name: LockUsers :execrows
-- See LockUser.
UPDATE users SET updated_at = updated_at WHERE id IN (sqlc.slice(ids));

-- name: SetUserNameKey :execrows
UPDATE users SET name_key = ? WHERE id = ?;

-- name: ListAllWordsOfUsers :many
SELECT * FROM user_words /*! FORCE INDEX (user_words_by_user) */ WHERE user_id IN (sqlc.slice(ids)) ORDER BY user_id, word;

-- name: DeleteWordsOfUsers :exec
DELETE FROM user_words WHERE user_id IN (sqlc.slice(ids));
