-- The pages of the user list: one query per sort column and direction, alike but for those two, because an ORDER BY
-- can't be a parameter. A page starts after a row (the column's value, then the id), so that it stays true while people
-- come and go. An empty role, status or word filters nothing.

-- name: ListUsersByName :many
SELECT * FROM users u
WHERE u.name_key >= sqlc.arg(after_key) AND (u.name_key > sqlc.arg(after_key) OR u.id > sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.name_key, u.id LIMIT ?;

-- name: ListUsersByNameDesc :many
SELECT * FROM users u
WHERE u.name_key <= sqlc.arg(after_key) AND (u.name_key < sqlc.arg(after_key) OR u.id < sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.name_key DESC, u.id DESC LIMIT ?;

-- name: ListUsersByEmail :many
SELECT * FROM users u
WHERE u.email_key >= sqlc.arg(after_key) AND (u.email_key > sqlc.arg(after_key) OR u.id > sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.email_key, u.id LIMIT ?;

-- name: ListUsersByEmailDesc :many
SELECT * FROM users u
WHERE u.email_key <= sqlc.arg(after_key) AND (u.email_key < sqlc.arg(after_key) OR u.id < sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.email_key DESC, u.id DESC LIMIT ?;

-- name: ListUsersByCreated :many
SELECT * FROM users u
WHERE u.created_at >= sqlc.arg(after_key) AND (u.created_at > sqlc.arg(after_key) OR u.id > sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.created_at, u.id LIMIT ?;

-- name: ListUsersByCreatedDesc :many
SELECT * FROM users u
WHERE u.created_at <= sqlc.arg(after_key) AND (u.created_at < sqlc.arg(after_key) OR u.id < sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.created_at DESC, u.id DESC LIMIT ?;

-- name: ListUsersByLastSeen :many
SELECT * FROM users u
WHERE u.last_seen_at >= sqlc.arg(after_key) AND (u.last_seen_at > sqlc.arg(after_key) OR u.id > sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.last_seen_at, u.id LIMIT ?;

-- name: ListUsersByLastSeenDesc :many
SELECT * FROM users u
WHERE u.last_seen_at <= sqlc.arg(after_key) AND (u.last_seen_at < sqlc.arg(after_key) OR u.id < sqlc.arg(after_id))
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
ORDER BY u.last_seen_at DESC, u.id DESC LIMIT ?;

-- name: CountUsers :one
-- No further than it is asked to: who looks at a million does not care for the last one.
SELECT COUNT(*) FROM (
SELECT u.id FROM users u
WHERE 1 = 1
  AND (sqlc.arg(role) = '' OR u.role = sqlc.arg(role))
  AND (sqlc.arg(status) = '' OR u.status = sqlc.arg(status))
  AND (sqlc.arg(word1) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word1) AND w.word < sqlc.arg(word1_end)))
  AND (sqlc.arg(word2) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word2) AND w.word < sqlc.arg(word2_end)))
  AND (sqlc.arg(word3) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word3) AND w.word < sqlc.arg(word3_end)))
  AND (sqlc.arg(word4) = '' OR u.id IN (
    SELECT w.user_id FROM user_words w WHERE w.word >= sqlc.arg(word4) AND w.word < sqlc.arg(word4_end)))
LIMIT ?) AS counted;
