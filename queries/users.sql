-- name: InsertUser :exec
INSERT INTO users (
  id, name, name_key, email, email_key, role, status, stytch_user_id,
  invited_by, invite_sent_at, created_at, updated_at, last_seen_at, links_after, cancelled_invite_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetUser :one
SELECT * FROM users WHERE id = ?;

-- name: GetUserByEmailKey :one
SELECT * FROM users WHERE email_key = ?;

-- name: UpdateUser :execrows
UPDATE users SET
  name = ?, name_key = ?, role = ?, status = ?, stytch_user_id = ?,
  invite_sent_at = ?, updated_at = ?, last_seen_at = ?, links_after = ?, cancelled_invite_at = ?
WHERE id = ?;

-- name: SetUserLinksAfter :execrows
UPDATE users SET links_after = ? WHERE id = ?;

-- name: SetUserInvited :execrows
UPDATE users SET stytch_user_id = ?, invite_sent_at = ? WHERE id = ?;

-- name: SetUserSeen :execrows
UPDATE users SET last_seen_at = sqlc.arg(seen_at) WHERE id = sqlc.arg(id) AND last_seen_at < sqlc.arg(seen_at);

-- name: DeleteUser :execrows
DELETE FROM users WHERE id = ?;

-- name: CountActiveAdmins :one
SELECT COUNT(*) FROM users WHERE role = 'admin' AND status = 'active';

-- name: ListActiveAdmins :many
SELECT * FROM users WHERE role = 'admin' AND status = 'active' AND id <> sqlc.arg(but) ORDER BY name_key, id LIMIT ?;

-- name: CountAdmins :one
SELECT COUNT(*) FROM users WHERE role = 'admin' AND status <> 'suspended';

-- name: LockUser :execrows
-- Changes nothing but locks the row until the transaction ends, so that what is read after it stays true.
UPDATE users SET updated_at = updated_at WHERE id = ?;

-- name: LockUserByEmailKey :execrows
UPDATE users SET updated_at = updated_at WHERE email_key = ?;

-- name: DeleteUserWords :exec
DELETE FROM user_words WHERE user_id = ?;
