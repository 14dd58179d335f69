-- name: InsertEvent :exec
INSERT INTO events (
  id, at, kind, actor_id, actor, subject_id, subject, reason, changes, address, user_agent, request_id, token
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetEvent :one
SELECT * FROM events WHERE id = ?;

-- One query for each index that a page of the trail can be read from, newest first.

-- name: ListEvents :many
SELECT * FROM events WHERE id < sqlc.arg(before) ORDER BY id DESC LIMIT ?;

-- name: ListEventsOfKind :many
SELECT * FROM events WHERE kind = sqlc.arg(kind) AND id < sqlc.arg(before) ORDER BY id DESC LIMIT ?;

-- name: ListEventsAbout :many
SELECT * FROM events
WHERE subject = sqlc.arg(subject) AND id < sqlc.arg(before) AND (sqlc.arg(kind) = '' OR kind = sqlc.arg(kind))
ORDER BY id DESC LIMIT ?;

-- name: ListEventsOfPerson :many
SELECT * FROM events
WHERE subject_id = sqlc.arg(subject_id) AND id < sqlc.arg(before) AND (sqlc.arg(kind) = '' OR kind = sqlc.arg(kind))
ORDER BY id DESC LIMIT ?;

-- name: ListEventsBy :many
SELECT * FROM events
WHERE actor = sqlc.arg(actor) AND id < sqlc.arg(before) AND (sqlc.arg(kind) = '' OR kind = sqlc.arg(kind))
ORDER BY id DESC LIMIT ?;

-- name: OldestEvents :many
-- In pieces, so that no transaction grows long.
SELECT id FROM events WHERE at < ? ORDER BY at, id LIMIT ?;

-- name: DeleteEvent :execrows
DELETE FROM events WHERE id = ?;

-- name: SetEventChanges :exec
-- For what should never have been written. Nothing else changes an event.
UPDATE events SET changes = sqlc.arg(changes) WHERE id = sqlc.arg(id);
