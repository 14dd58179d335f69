-- name: InsertGroup :exec
INSERT INTO user_groups (id, name, name_key, created_at) VALUES (?, ?, ?, ?);

-- name: GetGroup :one
SELECT * FROM user_groups WHERE id = ?;

-- name: GetGroupByNameKey :one
SELECT * FROM user_groups WHERE name_key = ?;

-- name: LockGroup :execrows
-- Changes nothing but locks the row until the transaction ends.
UPDATE user_groups SET created_at = created_at WHERE id = ?;

-- name: ListGroups :many
SELECT g.id, g.name, g.name_key, g.created_at,
  (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) AS members,
  (SELECT COUNT(*) FROM app_groups a WHERE a.group_id = g.id) AS apps
FROM user_groups g WHERE g.name_key > sqlc.arg(after) ORDER BY g.name_key LIMIT ?;

-- name: CountsOfGroup :one
SELECT (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) AS members,
  (SELECT COUNT(*) FROM app_groups a WHERE a.group_id = g.id) AS apps
FROM user_groups g WHERE g.id = ?;

-- name: ListGroupNames :many
-- Without the counts, which take time for large groups.
SELECT * FROM user_groups WHERE name_key > sqlc.arg(after) ORDER BY name_key LIMIT ?;

-- name: RenameGroup :execrows
UPDATE user_groups SET name = ?, name_key = ? WHERE id = ?;

-- name: DeleteGroup :execrows
DELETE FROM user_groups WHERE id = ?;

-- name: InsertMember :exec
INSERT INTO group_members (group_id, user_id, until_at, added_by, created_at, warned_until) VALUES (?, ?, ?, ?, ?, ?);

-- name: GetMember :one
SELECT * FROM group_members WHERE group_id = ? AND user_id = ?;

-- name: SetMemberUntil :execrows
UPDATE group_members SET until_at = sqlc.arg(until_at), warned_until = sqlc.arg(warned_until)
WHERE group_id = sqlc.arg(group_id) AND user_id = sqlc.arg(user_id);

-- name: DeleteMember :execrows
DELETE FROM group_members WHERE group_id = ? AND user_id = ?;

-- name: DeleteMembersOfUser :exec
DELETE FROM group_members WHERE user_id = ?;

-- name: SomeMembersOfGroup :many
SELECT user_id FROM group_members WHERE group_id = ? ORDER BY user_id LIMIT ?;

-- name: DeleteMembers :exec
DELETE FROM group_members WHERE group_id = ? AND user_id IN (sqlc.slice(user_ids));

-- name: DeleteAppsOfGroup :exec
DELETE FROM app_groups WHERE group_id = ?;

-- name: CountGroups :one
SELECT COUNT(*) FROM user_groups;

-- name: ListMembershipsOfUser :many
SELECT m.group_id, g.name AS group_name, m.user_id, m.until_at, m.added_by, m.created_at
FROM group_members m JOIN user_groups g ON g.id = m.group_id
WHERE m.user_id = ? ORDER BY g.name_key;

-- name: ListMembersOfGroup :many
SELECT sqlc.embed(m), sqlc.embed(u) FROM group_members m JOIN users u ON u.id = m.user_id
WHERE m.group_id = sqlc.arg(group_id) AND m.user_id > sqlc.arg(after) ORDER BY m.user_id LIMIT ?;

-- name: MembershipsEndingBetween :many
SELECT sqlc.embed(m), g.name AS group_name, sqlc.embed(u)
FROM group_members m JOIN user_groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id
WHERE m.until_at > sqlc.arg(after) AND m.until_at <= sqlc.arg(before) ORDER BY m.until_at, m.group_id, m.user_id LIMIT ?;
