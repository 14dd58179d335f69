-- name: InsertRequest :exec
INSERT INTO access_requests (
  id, app_id, user_id, note, state, created_at, decided_at, decided_by, reason
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetRequest :one
SELECT * FROM access_requests WHERE id = ?;

-- name: GetRequestOf :one
SELECT * FROM access_requests WHERE user_id = ? AND app_id = ?;

-- name: DecideRequest :execrows
UPDATE access_requests SET state = ?, decided_at = ?, decided_by = ?, reason = ? WHERE id = ?;

-- name: DeleteRequest :execrows
DELETE FROM access_requests WHERE id = ?;

-- name: ListRequests :many
-- Oldest first, after the request that was made at a time and has an id.
SELECT sqlc.embed(r), sqlc.embed(u) FROM access_requests r JOIN users u ON u.id = r.user_id
WHERE r.state = sqlc.arg(state) AND r.created_at >= sqlc.arg(after) AND (r.created_at > sqlc.arg(after) OR r.id > sqlc.arg(after_id))
ORDER BY r.created_at, r.id LIMIT ?;

-- name: CountRequests :one
-- Counts up to a limit.
SELECT COUNT(*) FROM (SELECT id FROM access_requests WHERE state = ? LIMIT ?) AS counted;

-- name: AppsByID :many
SELECT * FROM apps WHERE id IN (sqlc.slice(ids));

-- name: MembershipsOfUsers :many
SELECT m.group_id, g.name AS group_name, m.user_id, m.until_at, m.added_by, m.created_at
FROM group_members m JOIN user_groups g ON g.id = m.group_id
WHERE m.user_id IN (sqlc.slice(user_ids)) ORDER BY m.user_id, g.name_key;

-- name: UnwarnedMemberships :many
-- Memberships that end after one time and not after another, and whose user was not warned of that.
SELECT * FROM group_members
WHERE until_at > sqlc.arg(after) AND until_at <= sqlc.arg(before) AND warned_until <> until_at
ORDER BY until_at, group_id, user_id LIMIT ?;

-- name: SetMemberWarned :execrows
-- Unless its end has changed since it was read, or another instance was faster.
UPDATE group_members SET warned_until = sqlc.arg(until_at)
WHERE group_id = sqlc.arg(group_id) AND user_id = sqlc.arg(user_id) AND until_at = sqlc.arg(until_at)
  AND warned_until = sqlc.arg(warned_until);
