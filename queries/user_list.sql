-- The pages of the user list. One query per sort column and direction, alike but for those two, because an ORDER BY
-- can't be a parameter. A page starts after a row (the column's value, then the id), so that it stays true while people
-- come and go: first those with the same value, then those with the next ones, each a range of an index. An address is
-- one person's and needs no first part.
--
-- The comments name the index to MySQL, MariaDB and Vitess, which carry them out: where two indexes look equally good
-- they take the first part of one and read on from its start. SQLite skips them. There, IN does what = does, but for
-- going through the value role by role and sorting, as = may once the rows were counted (ANALYZE).

-- name: ListSameName :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key IN (?) AND id > ? ORDER BY id LIMIT ?;

-- name: ListByName :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key > ? ORDER BY name_key, id LIMIT ?;

-- name: ListSameNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key IN (?) AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListByNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_name) */
WHERE name_key < ? ORDER BY name_key DESC, id DESC LIMIT ?;

-- name: ListSameCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at IN (?) AND id > ? ORDER BY id LIMIT ?;

-- name: ListByCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at > ? ORDER BY created_at, id LIMIT ?;

-- name: ListSameCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at IN (?) AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListByCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_created) */
WHERE created_at < ? ORDER BY created_at DESC, id DESC LIMIT ?;

-- name: ListSameLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at IN (?) AND id > ? ORDER BY id LIMIT ?;

-- name: ListByLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at > ? ORDER BY last_seen_at, id LIMIT ?;

-- name: ListSameLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at IN (?) AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListByLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_last_seen) */
WHERE last_seen_at < ? ORDER BY last_seen_at DESC, id DESC LIMIT ?;

-- name: ListByEmail :many
SELECT * FROM users /*! FORCE INDEX (users_email_key) */
WHERE email_key > ? ORDER BY email_key LIMIT ?;

-- name: ListByEmailDesc :many
SELECT * FROM users /*! FORCE INDEX (users_email_key) */
WHERE email_key < ? ORDER BY email_key DESC LIMIT ?;

-- The same for the people of one role and status.

-- name: ListSomeSameName :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = ? AND status = ? AND name_key = ? AND id > ? ORDER BY id LIMIT ?;

-- name: ListSomeByName :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = ? AND status = ? AND name_key > ? ORDER BY name_key, id LIMIT ?;

-- name: ListSomeSameNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = ? AND status = ? AND name_key = ? AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListSomeByNameDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_name) */
WHERE role = ? AND status = ? AND name_key < ? ORDER BY name_key DESC, id DESC LIMIT ?;

-- name: ListSomeSameCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = ? AND status = ? AND created_at = ? AND id > ? ORDER BY id LIMIT ?;

-- name: ListSomeByCreated :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = ? AND status = ? AND created_at > ? ORDER BY created_at, id LIMIT ?;

-- name: ListSomeSameCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = ? AND status = ? AND created_at = ? AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListSomeByCreatedDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_created) */
WHERE role = ? AND status = ? AND created_at < ? ORDER BY created_at DESC, id DESC LIMIT ?;

-- name: ListSomeSameLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at = ? AND id > ? ORDER BY id LIMIT ?;

-- name: ListSomeByLastSeen :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at > ? ORDER BY last_seen_at, id LIMIT ?;

-- name: ListSomeSameLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at = ? AND id < ? ORDER BY id DESC LIMIT ?;

-- name: ListSomeByLastSeenDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_last_seen) */
WHERE role = ? AND status = ? AND last_seen_at < ? ORDER BY last_seen_at DESC, id DESC LIMIT ?;

-- name: ListSomeByEmail :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_email) */
WHERE role = ? AND status = ? AND email_key > ? ORDER BY email_key LIMIT ?;

-- name: ListSomeByEmailDesc :many
SELECT * FROM users /*! FORCE INDEX (users_by_role_email) */
WHERE role = ? AND status = ? AND email_key < ? ORDER BY email_key DESC LIMIT ?;

-- People are counted no further than asked to: who looks at a million does not care for the last one.

-- name: CountUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE created_at >= 0 LIMIT ?) AS counted;

-- name: CountSomeUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE role = ? AND status = ? LIMIT ?) AS counted;
