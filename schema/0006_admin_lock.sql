-- +goose Up
INSERT INTO settings (name, value, updated_at) VALUES ('admin_lock', '', 0);

-- +goose Down
DELETE FROM settings WHERE name = 'admin_lock';
