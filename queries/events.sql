-- name: InsertEvent :exec
INSERT INTO events (
  id, at, kind, actor_id, actor, subject_id, subject, reason, changes, address, user_agent, request_id, token
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetEvent :one
SELECT * FROM events WHERE id = ?;

-- name: ListEvents :many
-- Newest first. A template: internal/store/events.go fills it with the column whose index the page is read from.
SELECT * FROM events
WHERE /* TEMPLATE range */ id > '' /* END */
  AND id < sqlc.arg(before) AND (sqlc.arg(kind) = '' OR kind = sqlc.arg(kind))
ORDER BY id DESC LIMIT ?;

-- name: OldestEvents :many
-- In batches, to keep transactions short.
SELECT id FROM events WHERE at < ? ORDER BY at, id LIMIT ?;

-- name: DeleteEvent :execrows
DELETE FROM events WHERE id = ?;

-- name: SetEventChanges :exec
-- Removes what should never have been written. Nothing else changes an event.
UPDATE events SET changes = sqlc.arg(changes) WHERE id = sqlc.arg(id);
