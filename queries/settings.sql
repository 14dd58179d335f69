-- name: GetSetting :one
SELECT value FROM settings WHERE name = ?;

-- name: InsertSetting :exec
INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?);

-- name: LockAdmins :execrows
-- Taken first by every transaction that counts administrators, so that two of them can't both see enough.
UPDATE settings SET updated_at = ? WHERE name = 'admin_lock';
