-- name: GetSetting :one
SELECT value FROM settings WHERE name = ?;

-- name: GetSettingRow :one
SELECT * FROM settings WHERE name = ?;

-- name: InsertSetting :exec
INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?);

-- name: LockAdmins :execrows
-- First statement of every transaction that depends on the number of administrators, apps or groups, so that they run one
-- after another.
UPDATE settings SET updated_at = ? WHERE name = 'admin_lock';

-- name: SetSetting :execrows
-- Unless it has changed since it was read.
UPDATE settings SET value = sqlc.arg(value), updated_at = sqlc.arg(updated_at)
WHERE name = sqlc.arg(name) AND value = sqlc.arg(was);

-- name: DeleteSetting :exec
DELETE FROM settings WHERE name = ?;

-- name: LockSetting :execrows
-- Changes nothing but locks the row until the transaction ends.
UPDATE settings SET updated_at = updated_at WHERE name = ?;
