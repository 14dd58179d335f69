-- name: GetSetting :one
SELECT value FROM settings WHERE name = ?;

-- name: GetSettingRow :one
SELECT * FROM settings WHERE name = ?;

-- name: InsertSetting :exec
INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?);

-- name: LockAdmins :execrows
-- Taken first by every transaction that counts administrators, so that two of them can't both see enough.
UPDATE settings SET updated_at = ? WHERE name = 'admin_lock';

-- name: SetSetting :execrows
-- Only if it still is as it was read.
UPDATE settings SET value = sqlc.arg(value), updated_at = sqlc.arg(updated_at)
WHERE name = sqlc.arg(name) AND value = sqlc.arg(was);

-- name: DeleteSetting :exec
DELETE FROM settings WHERE name = ?;
