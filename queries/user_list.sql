-- The user list. ListUsers is a template: internal/store/sort_columns.go fills its markers for each sort column,
-- direction and filter, because an ORDER BY can't be a parameter. What is between the markers is for sqlc alone.

-- name: ListUsers :many
SELECT * FROM users /* TEMPLATE index */ /* END */
WHERE /* TEMPLATE range */ id > '' /* END */ ORDER BY /* TEMPLATE order */ id /* END */ LIMIT ?;

-- Users are counted up to a limit, because an exact count of a million rows is slow and of no use.

-- name: CountUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE created_at >= 0 LIMIT ?) AS counted;

-- name: CountSomeUsers :one
SELECT COUNT(*) FROM (SELECT id FROM users WHERE role = ? AND status = ? LIMIT ?) AS counted;
