-- name: TakeLimit :execrows
-- A use moves full_at forward, from now if it has passed, unless it is too far ahead. Further ahead than most, it counts as
-- passed, because a clock was set back.
UPDATE limits SET full_at =
  CASE WHEN full_at < sqlc.arg(now) OR full_at > sqlc.arg(most) THEN sqlc.arg(from_now) ELSE full_at + sqlc.arg(every) END
WHERE name = sqlc.arg(name) AND (full_at <= sqlc.arg(latest) OR full_at > sqlc.arg(most));

-- name: GetLimit :one
SELECT full_at FROM limits WHERE name = ?;

-- name: InsertLimit :exec
INSERT INTO limits (name, full_at) VALUES (?, 0);

-- name: GetLimits :many
SELECT * FROM limits WHERE name IN (sqlc.slice(names));

-- name: OldLimits :many
SELECT name FROM limits WHERE full_at < ? ORDER BY full_at, name LIMIT ?;

-- name: FutureLimits :many
SELECT name FROM limits WHERE full_at > ? ORDER BY full_at, name LIMIT ?;

-- name: DeleteLimits :execrows
-- Unless they were used since they were read.
DELETE FROM limits WHERE name IN (sqlc.slice(names)) AND (full_at < sqlc.arg(before) OR full_at > sqlc.arg(behind));
