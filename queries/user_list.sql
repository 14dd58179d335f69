-- The pages of the user list. One query per sort column and direction, alike but for those two, because an ORDER BY
-- can't be a parameter. A page starts behind a row (the column's value, then the id), so that it stays true while people
-- come and go: from the value on, and of those with the same value only who comes behind it; the others are skipped in the
-- index. An address is one person's and needs no id.
--
-- The comments name the index to MySQL, MariaDB and Vitess, which carry them out: where two indexes look equally good
-- they take the first part of one and read on from its start. SQLite skips them.

-- name: ListByName :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key >= sqlc.arg(name_key) AND (name_key <> sqlc.arg(name_key) OR id > sqlc.arg(id))
ORDER BY name_key, id LIMIT ?;

-- name: ListByNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key <= sqlc.arg(name_key) AND (name_key <> sqlc.arg(name_key) OR id < sqlc.arg(id))
ORDER BY name_key DESC, id DESC LIMIT ?;

-- name: ListByCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at >= sqlc.arg(created_at) AND (created_at <> sqlc.arg(created_at) OR id > sqlc.arg(id))
ORDER BY created_at, id LIMIT ?;

-- name: ListByCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at <= sqlc.arg(created_at) AND (created_at <> sqlc.arg(created_at) OR id < sqlc.arg(id))
ORDER BY created_at DESC, id DESC LIMIT ?;

-- name: ListByLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at >= sqlc.arg(last_seen_at) AND (last_seen_at <> sqlc.arg(last_seen_at) OR id > sqlc.arg(id))
ORDER BY last_seen_at, id LIMIT ?;

-- name: ListByLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at <= sqlc.arg(last_seen_at) AND (last_seen_at <> sqlc.arg(last_seen_at) OR id < sqlc.arg(id))
ORDER BY last_seen_at DESC, id DESC LIMIT ?;

-- name: ListByEmail :many
SELECT * FROM users /*! FORCE INDEX (users_email_key) */
WHERE email_key > ? ORDER BY email_key LIMIT ?;

-- name: ListByEmailDesc :many
SELECT * FROM users /*! FORCE INDEX (users_email_key) */
WHERE email_key < ? ORDER BY email_key DESC LIMIT ?;

-- Those who were never seen may be most of the list: too many to skip. IN does what = does, but for SQLite's going through
-- the value role by role and sorting, as it may once the rows were counted (ANALYZE). A constant it takes for = again, so
-- never is a parameter.

-- name: ListNeverSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at IN (sqlc.arg(never)) AND id > ? ORDER BY id LIMIT ?;

-- name: ListNeverSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at IN (sqlc.arg(never)) AND id < ? ORDER BY id DESC LIMIT ?;

-- The same for the people of one role and status.

-- name: ListSomeByName :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND name_key >= sqlc.arg(name_key) AND (name_key <> sqlc.arg(name_key) OR id > sqlc.arg(id))
ORDER BY name_key, id LIMIT ?;

-- name: ListSomeByNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND name_key <= sqlc.arg(name_key) AND (name_key <> sqlc.arg(name_key) OR id < sqlc.arg(id))
ORDER BY name_key DESC, id DESC LIMIT ?;

-- name: ListSomeByCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND created_at >= sqlc.arg(created_at) AND (created_at <> sqlc.arg(created_at) OR id > sqlc.arg(id))
ORDER BY created_at, id LIMIT ?;

-- name: ListSomeByCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND created_at <= sqlc.arg(created_at) AND (created_at <> sqlc.arg(created_at) OR id < sqlc.arg(id))
ORDER BY created_at DESC, id DESC LIMIT ?;

-- name: ListSomeByLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND last_seen_at >= sqlc.arg(last_seen_at) AND (last_seen_at <> sqlc.arg(last_seen_at) OR id > sqlc.arg(id))
ORDER BY last_seen_at, id LIMIT ?;

-- name: ListSomeByLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = sqlc.arg(role) AND status = sqlc.arg(status)
  AND last_seen_at <= sqlc.arg(last_seen_at) AND (last_seen_at <> sqlc.arg(last_seen_at) OR id < sqlc.arg(id))
ORDER BY last_seen_at DESC, id DESC LIMIT ?;

-- name: ListSomeByEmail :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_email) */
WHERE role = ? AND status = ? AND email_key > ? ORDER BY email_key LIMIT ?;

-- name: ListSomeByEmailDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_email) */
WHERE role = ? AND status = ? AND email_key < ? ORDER BY email_key DESC LIMIT ?;

-- name: ListSomeNeverSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at = 0 AND id > ? ORDER BY id LIMIT ?;

-- name: ListSomeNeverSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at = 0 AND id < ? ORDER BY id DESC LIMIT ?;

-- People are counted no further than asked to: who looks at a million does not care for the last one.

-- name: CountUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE created_at >= 0 LIMIT ?) AS counted;

-- name: CountSomeUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE role = ? AND status = ? LIMIT ?) AS counted;
