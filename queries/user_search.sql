-- A search goes through the words that begin with one of its terms, so many at a time and no more, and looks at the people
-- who have them. Each query is one range, or points, of an index, named as in user_list.sql.

-- name: CountWords :one
SELECT COUNT(*) FROM (
  SELECT user_id FROM user_words /*! FORCE INDEX (PRIMARY) */
  WHERE word >= sqlc.arg(word) AND word < sqlc.arg(word_end) LIMIT ?
) AS counted;

-- A place among the words is a word and whose it is, as in the list: first the same word, then the next ones.

-- name: ListSameWord :many
SELECT * FROM user_words /*! FORCE INDEX (PRIMARY) */
WHERE word = ? AND user_id > ? ORDER BY user_id LIMIT ?;

-- name: ListWords :many
SELECT * FROM user_words /*! FORCE INDEX (PRIMARY) */
WHERE word > ? AND word < sqlc.arg(word_end) ORDER BY word, user_id LIMIT ?;

-- name: ListSameWordDesc :many
SELECT * FROM user_words /*! FORCE INDEX (PRIMARY) */
WHERE word = ? AND user_id < ? ORDER BY user_id DESC LIMIT ?;

-- name: ListWordsDesc :many
SELECT * FROM user_words /*! FORCE INDEX (PRIMARY) */
WHERE word < ? AND word >= sqlc.arg(word_start) ORDER BY word DESC, user_id DESC LIMIT ?;

-- name: ListWordsOfUsers :many
SELECT * FROM user_words /*! FORCE INDEX (user_words_by_user) */
WHERE user_id IN (sqlc.slice(ids)) AND word >= sqlc.arg(word) AND word < sqlc.arg(word_end);

-- name: ListUserKeys :many
-- What the list is sorted by, of many people of whom few are shown.
SELECT id, name_key, email_key, created_at, last_seen_at FROM users /*! FORCE INDEX (PRIMARY) */
WHERE id IN (sqlc.slice(ids))
  AND (sqlc.arg(role) = '' OR role = sqlc.arg(role)) AND (sqlc.arg(status) = '' OR status = sqlc.arg(status));

-- name: ListUsersByID :many
SELECT * FROM users /*! FORCE INDEX (PRIMARY) */
WHERE id IN (sqlc.slice(ids))
  AND (sqlc.arg(role) = '' OR role = sqlc.arg(role)) AND (sqlc.arg(status) = '' OR status = sqlc.arg(status));
