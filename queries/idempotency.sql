-- name: InsertIdempotencyKey :exec
INSERT INTO idempotency_keys (id, fingerprint, lease, leased_until, user_id, status, location, answer, expires_at)
VALUES (?, ?, ?, ?, '', 0, '', '', ?);

-- name: GetIdempotencyKey :one
SELECT * FROM idempotency_keys WHERE id = ?;

-- name: LeaseIdempotencyKey :execrows
-- Of two requests that read the same free key, one changes its lease. A request that comes while the previous one commits
-- its work waits, and then finds the user.
UPDATE idempotency_keys SET lease = sqlc.arg(lease), leased_until = sqlc.arg(lease_end)
WHERE id = sqlc.arg(id) AND lease = sqlc.arg(was) AND user_id = sqlc.arg(user_id) AND status = 0;

-- name: MarkIdempotencyKey :execrows
-- In the transaction of the work. Changes no row if another request has taken the key.
UPDATE idempotency_keys SET user_id = ? WHERE id = ? AND lease = ? AND user_id = '' AND status = 0;

-- name: AnswerIdempotencyKey :execrows
UPDATE idempotency_keys SET status = ?, location = ?, answer = ? WHERE id = ? AND lease = ? AND status = 0;

-- name: ReleaseIdempotencyKey :execrows
UPDATE idempotency_keys SET leased_until = 0 WHERE id = ? AND lease = ? AND status = 0;

-- name: DropIdempotencyKey :execrows
-- Unless another request has taken it.
DELETE FROM idempotency_keys WHERE id = ? AND lease = ?;

-- name: OldIdempotencyKeys :many
SELECT id FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?;

-- name: DeleteIdempotencyKey :execrows
-- Unless it was used again since it was read.
DELETE FROM idempotency_keys WHERE id = ? AND expires_at <= ?;
