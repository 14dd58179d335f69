-- A search reads a limited number of the words that begin with a search term, and the users who have them. Each query
-- reads one range, or points, of one index. MySQL, MariaDB and Vitess obey the index in the comment; SQLite ignores it.

-- name: CountWords :one
SELECT COUNT(*) FROM (
  SELECT user_id FROM user_words /*! FORCE INDEX (PRIMARY) */
  WHERE word >= sqlc.arg(word) AND word < sqlc.arg(word_end) LIMIT ?
) AS counted;

-- name: ListWords :many
-- A template, filled by internal/store/search_index.go.
SELECT * FROM user_words /*! FORCE INDEX (PRIMARY) */
WHERE /* TEMPLATE range */ word > '' /* END */ ORDER BY /* TEMPLATE order */ word /* END */ LIMIT ?;

-- name: ListWordsOfUsers :many
SELECT * FROM user_words /*! FORCE INDEX (user_words_by_user) */
WHERE user_id IN (sqlc.slice(ids)) AND word >= sqlc.arg(word) AND word < sqlc.arg(word_end);

-- name: ListUserKeys :many
-- Only the sort keys, for many users of whom few are shown.
SELECT id, name_key, email_key, created_at, last_seen_at FROM users /*! FORCE INDEX (PRIMARY) */
WHERE id IN (sqlc.slice(ids))
  AND (sqlc.arg(role) = '' OR role = sqlc.arg(role)) AND (sqlc.arg(status) = '' OR status = sqlc.arg(status));

-- name: ListUsersByID :many
SELECT * FROM users /*! FORCE INDEX (PRIMARY) */
WHERE id IN (sqlc.slice(ids))
  AND (sqlc.arg(role) = '' OR role = sqlc.arg(role)) AND (sqlc.arg(status) = '' OR status = sqlc.arg(status));
